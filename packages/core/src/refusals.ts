/** The sentences with which a pool refuses a borrower. */

import { SophiaError, messageOf } from './errors.ts';

export function abortedError(type: string, signal: AbortSignal): SophiaError {
  const message = `The acquire of a '${type}' agent was aborted by its signal before an agent was handed out. Nothing was taken.`;
  return new SophiaError('ACQUIRE_ABORTED', message, { cause: signal.reason });
}

export function notRunningError(type: string, state: 'running' | 'draining' | 'closed'): SophiaError {
  return state === 'closed'
    ? new SophiaError(
        'POOL_CLOSED',
        `The pool of '${type}' is closed. Make a new AgnoPerformanceOptimizer to serve again.`,
      )
    : new SophiaError(
        'POOL_DRAINING',
        `The pool of '${type}' is draining and hands out no more agents. Send new work to another process.`,
      );
}

export function createFailedError(type: string, cause: unknown, failuresInARow: number): SophiaError {
  return new SophiaError(
    'CREATE_FAILED',
    `No '${type}' agent could be made: static create failed ${failuresInARow} times in a row, last with: ${messageOf(cause)}. Correct what it depends on; the pool keeps trying with growing pauses.`,
    { cause },
  );
}

export function constructFailedError(type: string, cause: unknown): SophiaError {
  return new SophiaError(
    'CONSTRUCT_FAILED',
    `The constructor of '${type}' threw: ${messageOf(cause)}. Its entry was not used. Keep constructors light and move work that can fail to static create or execute().`,
    { cause },
  );
}
