/** Says why no agent could be had, with numbers and the setting to change. */

import type { ExhaustionCause, ExhaustionFacts } from './errors.ts';

/** A hold is called slow when it has lasted this many times the mean. */
const SLOW_HOLD_FACTOR = 10;

/** The facts that the pool counts itself; the rest is concluded from them. */
export interface PoolLoad extends Omit<ExhaustionFacts, 'waitedMs' | 'retryAfterMs' | 'reason' | 'advice'> {
  /** Mean of all holds that have ended; `null` before the first. */
  readonly meanHoldMs: number | null;
}

export function exhaustionFacts(load: PoolLoad, waitedMs: number): ExhaustionFacts {
  const { meanHoldMs, ...counts } = load;
  const reason = causeOf(load);
  // Little's law: with everyone ahead served first, a place comes free after so many mean holds.
  const retryAfterMs =
    meanHoldMs === null ? null : Math.max(1, Math.ceil((meanHoldMs * (load.waiting + 1)) / load.max));
  return { ...counts, waitedMs, retryAfterMs, reason, advice: adviceFor(reason, load) };
}

function causeOf(load: PoolLoad): ExhaustionCause {
  const { leased, max, oldestLease, meanHoldMs, lastCreateError, resetting, creating } = load;
  if (leased >= max) {
    const slow = oldestLease !== null && meanHoldMs !== null && oldestLease.heldMs > SLOW_HOLD_FACTOR * meanHoldMs;
    return slow ? 'slow-holds' : 'too-small';
  }
  if (lastCreateError !== null) return 'creation-failing';
  if (creating > 0) return 'creation-slow';
  return resetting > 0 ? 'reset-slow' : 'too-small';
}

function adviceFor(reason: ExhaustionCause, load: PoolLoad): string {
  const mean = load.meanHoldMs === null ? '' : ` (mean hold ${load.meanHoldMs.toFixed(1)} ms)`;
  switch (reason) {
    case 'too-small':
      return `More is asked for than ${load.max} agents can serve${mean}: raise max (static pool, the optimizer's pools, or resize()), shorten the runs, or send less.`;
    case 'slow-holds':
      return `One lease has been held for ${Math.round(load.oldestLease?.heldMs ?? 0)} ms${mean}: see what its owner does, give runs a timeoutMs, and release in a \`using\` block.`;
    case 'creation-failing':
      return `static create fails (${load.lastCreateError}): correct what it depends on; raising max would not help.`;
    case 'creation-slow':
      return 'Agents are still being created: prewarm at start, or set minIdle so that they are ready before they are needed.';
    case 'reset-slow':
      return 'Returned agents are still being reset: make static reset faster, or raise max to cover it.';
  }
}
