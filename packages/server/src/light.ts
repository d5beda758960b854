/** The "< 10 µs" light: one look says whether agents are handed out in time, and if not, what stands in the way. */

import type { WindowFigures } from '@sophia-ai/core';

/** What is promised: an agent in fewer microseconds. */
const TARGET_US = 10;

export interface InstantiationLight {
  readonly verdict: 'green' | 'red' | 'unknown';
  /** What to look at; `null` unless red. */
  readonly cause: 'hits' | 'misses' | 'waits' | null;
  readonly reason: string;
}

/** Green only if the slowest hits and the average borrower, queue included, are both below the target. */
export function instantiationLight({ samples, avgAcquireUs, timings }: WindowFigures): InstantiationLight {
  if (samples === 0 || avgAcquireUs === null) {
    return { verdict: 'unknown', cause: null, reason: 'No agent was handed out in the window.' };
  }
  const { hit, miss, wait } = timings;
  if (hit.p99Us !== null && hit.p99Us < TARGET_US && avgAcquireUs < TARGET_US) {
    return { verdict: 'green', cause: null, reason: `p99 of hits and the average acquire are below ${TARGET_US} µs.` };
  }
  const missUs = miss.count * (miss.meanUs ?? 0);
  const waitUs = wait.count * (wait.meanUs ?? 0);
  const share = (count: number): string => `${((100 * count) / samples).toFixed(1)} % of hand-outs`;
  const least = hit.p99Us === null || avgAcquireUs >= TARGET_US;
  if (least && waitUs > 0 && waitUs >= missUs) {
    const reason = `Waits: ${share(wait.count)} queued behind other borrowers, p99 ${ms(wait.p99Us)}. Raise max, shorten the runs, or send less.`;
    return { verdict: 'red', cause: 'waits', reason };
  }
  if (least && missUs > 0) {
    const reason = `Misses: ${share(miss.count)} had to wait for a creation, p99 ${ms(miss.p99Us)}. Prewarm at start, or set minIdle.`;
    return { verdict: 'red', cause: 'misses', reason };
  }
  const reason = `Hits: p99 of hits is ${hit.p99Us?.toFixed(1)} µs although an agent was free. Borrowers after an idle moment find cold caches; if they come close together, look at the constructor and for pauses of the event loop.`;
  return { verdict: 'red', cause: 'hits', reason };
}

function ms(us: number | null): string {
  return `${((us ?? 0) / 1_000).toFixed(2)} ms`;
}
