/** The sentences with which a pool refuses a borrower. */

import { SophiaError, messageOf } from './errors.ts';
import type { PoolFacts } from './errors.ts';

export function abortedError(type: string, signal: AbortSignal, facts?: PoolFacts): SophiaError {
  const message = `The acquire of a '${type}' agent was aborted by its signal before an agent was handed out. Nothing was taken.`;
  return new SophiaError('ACQUIRE_ABORTED', message, { cause: signal.reason, ...withFacts(facts) });
}

/** Absent rather than `undefined`, as the options say. */
function withFacts(facts: PoolFacts | undefined): { readonly facts?: PoolFacts } {
  return facts === undefined ? {} : { facts };
}

export function notRunningError(type: string, state: 'draining' | 'closed', facts?: PoolFacts): SophiaError {
  const [code, what] =
    state === 'closed'
      ? (['POOL_CLOSED', 'is closed. Make a new AgnoPerformanceOptimizer to serve again'] as const)
      : (['POOL_DRAINING', 'is draining and hands out no more agents. Send new work to another process'] as const);
  return new SophiaError(code, `The pool of '${type}' ${what}.`, withFacts(facts));
}

export function createFailedError(type: string, cause: unknown, failuresInARow: number, facts: PoolFacts): SophiaError {
  return new SophiaError(
    'CREATE_FAILED',
    `No '${type}' agent could be made: static create failed ${failuresInARow} times in a row, last with: ${messageOf(cause)}. Correct what it depends on; the pool keeps trying with growing pauses.`,
    { cause, facts },
  );
}

export function constructFailedError(type: string, cause: unknown): SophiaError {
  return new SophiaError(
    'CONSTRUCT_FAILED',
    `The constructor of '${type}' threw: ${messageOf(cause)}. Its entry was not used. Keep constructors light and move work that can fail to static create or execute().`,
    { cause },
  );
}
