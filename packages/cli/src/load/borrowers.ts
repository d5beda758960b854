/** Many borrowers at once: each asks, runs, gives back, and asks again, until the time is up. */

import { setTimeout as pause } from 'node:timers/promises';
import type { Driver } from './driver.ts';
import type { Tally } from './tally.ts';

export interface Plan {
  readonly concurrency: number;
  readonly durationMs: number;
  readonly inputs: readonly unknown[];
  /** Ends the load early; runs in flight are aborted. */
  readonly stop: AbortSignal;
}

/** Runs in flight at the end have so long to finish before they are aborted. */
const FINISH_MS = 30_000;
/** A refused borrower comes back when the pool says, but neither at once nor never. */
const SHORTEST_RETRY_MS = 5;
const LONGEST_RETRY_MS = 1_000;

/** @returns how long it took, in milliseconds, until the last run had ended. */
export async function borrow(
  driver: Driver,
  { concurrency, durationMs, inputs, stop }: Plan,
  tally: Tally,
): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), durationMs + FINISH_MS);
  const ended = AbortSignal.any([stop, limit.signal]);
  let turn = 0;
  const borrower = async (): Promise<void> => {
    while (!ended.aborted && performance.now() < endMs) {
      turn += 1;
      const askedMs = performance.now();
      const outcome = await driver.run(inputs[turn % inputs.length], ended);
      tally.add(outcome, performance.now() - askedMs);
      if (outcome.kind === 'refused') {
        const retryMs = Math.min(
          Math.max(outcome.retryAfterMs ?? SHORTEST_RETRY_MS, SHORTEST_RETRY_MS),
          LONGEST_RETRY_MS,
        );
        await pause(Math.min(retryMs, Math.max(0, endMs - performance.now())), undefined, { signal: ended }).catch(
          () => undefined,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, borrower));
  clearTimeout(timer);
  return performance.now() - startMs;
}
