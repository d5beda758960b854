/** Watches what happens to a promise or a call, within a time. */

import { setTimeout as sleep } from 'node:timers/promises';

export type Outcome<Value> =
  | { readonly how: 'got'; readonly ms: number; readonly value: Value }
  | { readonly how: 'refused'; readonly ms: number; readonly error: unknown }
  | { readonly how: 'pending'; readonly ms: number };

/** How `promise` stands after at most `limitMs`. Its rejection is heard whenever it comes. */
export function settle<Value>(promise: Promise<Value>, limitMs: number): Promise<Outcome<Value>> {
  const startMs = performance.now();
  const ms = (): number => Math.round(performance.now() - startMs);
  return Promise.race([
    promise.then(
      (value): Outcome<Value> => ({ how: 'got', ms: ms(), value }),
      (error: unknown): Outcome<Value> => ({ how: 'refused', ms: ms(), error }),
    ),
    sleep(limitMs).then((): Outcome<Value> => ({ how: 'pending', ms: ms() })),
  ]);
}

/** What the pool says to a call: its error, "false", or nothing. Waits at most `limitMs` for the answer. */
export async function answerTo(call: () => unknown, limitMs = 300): Promise<string> {
  const outcome = await settle(Promise.try(call), limitMs);
  if (outcome.how === 'refused') return `refused with ${quoted(outcome.error)}`;
  return outcome.how === 'got' && outcome.value === false ? 'answered with false' : '';
}

/** The code or the message of an error, as it is shown in the table. */
export function quoted(error: unknown): string {
  if (!(error instanceof Error)) return `“${String(error)}”`;
  return 'code' in error ? String(error.code) : `“${error.message}”`;
}

/** Everything that an error says, its causes and collected errors included. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  const parts = [error.name, message, 'code' in error ? String(error.code) : ''];
  if (cause !== undefined) parts.push(textOf(cause));
  if (error instanceof AggregateError) parts.push(...error.errors.map(textOf));
  return parts.filter((part) => part !== '').join(' ');
}
