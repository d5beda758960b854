/** What the operator of a serving process reads on stderr: one line per happening, whatever the text in it. */

import { SophiaError } from '@sophia-ai/core';
import type { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { ServerError } from '@sophia-ai/server';
import type { RunInfo } from '@sophia-ai/server';

const LONGEST_TEXT = 4_000;

/** Control characters of foreign text are escaped, so that nobody can forge a line or drive a terminal. */
function escaped(text: string): string {
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  return JSON.stringify(short).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, (char) => {
    return String.raw`\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return escaped(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
}

function write(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

/** A request that failed for a reason its client cannot mend. */
export function logFault(error: unknown, run: RunInfo | undefined): void {
  const code = SophiaError.isInstance(error) || error instanceof ServerError ? error.code : 'INTERNAL_ERROR';
  write(`${code}${run === undefined ? '' : ` type=${run.type} run=${run.id}`} cause=${causeOf(error)}`);
}

export function logNote(text: string): void {
  write(escaped(text).slice(1, -1));
}

/** Follows what goes wrong behind the borrowers' backs. */
export function logPoolTrouble(optimizer: AgnoPerformanceOptimizer): void {
  optimizer.on('agent.create-failed', ({ type, failuresInARow, retryInMs, error }) => {
    write(
      `agent.create-failed type=${type} in_a_row=${failuresInARow} retry_in_ms=${Math.round(retryInMs)} cause=${causeOf(error)}`,
    );
  });
  for (const name of ['agent.reset-failed', 'agent.validate-failed', 'agent.destroy-failed'] as const) {
    optimizer.on(name, ({ type, error }) => write(`${name} type=${type} cause=${causeOf(error)}`));
  }
  optimizer.on('agent.verify-failed', ({ type, path, error }) => {
    const what = path === undefined ? `cause=${causeOf(error)}` : `path=${escaped(path)}`;
    write(`agent.verify-failed type=${type} ${what}`);
  });
  optimizer.on('lease.leaked', ({ type, leaseId, owner, heldMs, proof, stack }) => {
    const where = stack === undefined ? '' : ` asked_at=${escaped(stack)}`;
    write(
      `lease.leaked type=${type} lease=${leaseId} owner=${escaped(owner ?? '')} held_ms=${Math.round(heldMs)} proof=${proof}${where}`,
    );
  });
  optimizer.on('listener.failed', ({ event, error }) =>
    write(`listener.failed event=${event} cause=${causeOf(error)}`),
  );
  optimizer.on('agent.log', ({ type, message, fields }) => {
    write(
      `agent.log type=${type} message=${escaped(message)}${fields === undefined ? '' : ` fields=${escaped(JSON.stringify(fields))}`}`,
    );
  });
}
