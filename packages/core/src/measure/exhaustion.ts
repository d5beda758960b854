/** Says why no agent could be had, with numbers and the setting to change. */

import type { ExhaustionCause, PoolFacts } from '../errors.ts';
import type { SettingSource } from '../settings/options.ts';

/** A hold is called slow when it has lasted this many times the mean. */
const SLOW_HOLD_FACTOR = 10;
/** Timers this late, and by this share of the wait, mean that something blocks the process. */
const STARVED_MS = 250;
const STARVED_SHARE = 0.25;

/** What the pool counts itself; the rest is concluded from it. */
export interface PoolLoad extends Omit<PoolFacts, 'retryAfterMs' | 'reason' | 'advice'> {
  /** Mean of all holds that have ended; `null` before the first. */
  readonly meanHoldMs: number | null;
  readonly state: 'running' | 'suspended' | 'draining' | 'closed';
  /** Leases that are suspected to be leaks. */
  readonly leaks: number;
  /** How late the last timer fired. */
  readonly lagMs: number;
  /** The borrower waits in a circle. */
  readonly isNested: boolean;
  /** The same owner already holds an agent of this type. */
  readonly holdsOther: boolean;
  /** The borrower's tenant has as many agents as it may. */
  readonly isTenantFull: boolean;
  readonly sources: Readonly<Record<string, SettingSource>>;
}

export function poolFacts(load: PoolLoad): PoolFacts {
  const { type, max, leased, idle, creating, resetting, waiting, waitedMs, oldestLease, lastCreateError } = load;
  const counts = { type, max, leased, idle, creating, resetting, waiting, waitedMs, oldestLease, lastCreateError };
  const { meanHoldMs } = load;
  const reason = causeOf(load);
  // Little's law: with everyone ahead served first, a place comes free after so many mean holds.
  const retryAfterMs =
    meanHoldMs === null ? null : Math.max(1, Math.ceil((meanHoldMs * (load.waiting + 1)) / load.max));
  return { ...counts, retryAfterMs, reason, advice: ADVICE[reason](load) };
}

function causeOf(load: PoolLoad): ExhaustionCause {
  const { state, leased, max, oldestLease, meanHoldMs, lastCreateError, resetting, creating, lagMs, waitedMs } = load;
  if (state !== 'running') return state;
  if (lagMs > STARVED_MS && lagMs > STARVED_SHARE * waitedMs) return 'event-loop-starved';
  if (load.isNested) return 'nested';
  if (load.isTenantFull) return 'tenant-limit';
  if (leased >= max) {
    if (load.holdsOther) return 'nested';
    if (load.leaks > 0) return 'leak';
    const isSlow = oldestLease !== null && meanHoldMs !== null && oldestLease.heldMs > SLOW_HOLD_FACTOR * meanHoldMs;
    return isSlow ? 'slow-holds' : 'too-small';
  }
  if (lastCreateError !== null) return 'creation-failing';
  if (creating > 0) return 'creation-slow';
  return resetting > 0 ? 'reset-slow' : 'too-small';
}

/** Where a setting comes from and where a stronger one can be said. */
function setting(name: string, { sources }: PoolLoad): string {
  const source = sources[name] ?? 'default';
  const stronger = {
    default: '`static pool` of the class, sophia.config or SOPHIA_POOLS',
    class: '`static pool` of the class (sophia.config and SOPHIA_POOLS are stronger)',
    'sophia.config': 'sophia.config (SOPHIA_POOLS is stronger)',
    environment: 'SOPHIA_POOLS',
    live: 'the place that set it while running',
  }[source];
  return `${name} (${source === 'default' ? 'its default now; set it' : `from ${source} now; change it`} in ${stronger}${name === 'max' ? ', or live with resize()' : ''})`;
}

function hold({ meanHoldMs }: PoolLoad): string {
  return meanHoldMs === null ? '' : ` (mean hold ${meanHoldMs.toFixed(1)} ms)`;
}

const ADVICE: Readonly<Record<ExhaustionCause, (load: PoolLoad) => string>> = {
  'too-small': (load) =>
    `More is asked for than ${load.max} agents can serve${hold(load)}: raise ${setting('max', load)}, shorten the runs, or send less.`,
  'slow-holds': (load) =>
    `One lease has been held for ${Math.round(load.oldestLease?.heldMs ?? 0)} ms${hold(load)}: see what its owner does, give runs a timeoutMs or leases ${setting('leaseMs', load)}, and release in a \`using\` block.`,
  leak: (load) =>
    `${load.leaks} leases look forgotten: the event lease.leaked tells where they were asked for; release in a \`using\` block, and set ${setting('reclaimLeaks', load)} to have such leases revoked.`,
  'creation-failing': (load) =>
    `static create fails (${load.lastCreateError}): correct what it depends on; raising max would not help.`,
  'creation-slow': (load) =>
    `Agents are still being created: prewarm at start, or raise ${setting('minIdle', load)} so that they are ready before they are needed.`,
  'reset-slow': (load) =>
    `Returned agents are still being reset: make static reset faster, or raise ${setting('max', load)} to cover it.`,
  nested: (load) =>
    `Whoever holds an agent waits for another one: release the first before borrowing the second, or raise ${setting('max', load)} to at least (borrowers at once) × (agents each needs at once − 1) + 1.`,
  'event-loop-starved': (load) =>
    `Timers fire ${Math.round(load.lagMs)} ms late, so something blocks this process: look for synchronous work in execute() and hooks and move it to a worker; raising max would not help.`,
  'tenant-limit': (load) =>
    `This tenant holds as many agents as it may: shorten its runs, or raise ${setting('tenantBurst', load)}.`,
  suspended: () => 'The pool is suspended by an operator: wait for resume(), or send work elsewhere.',
  draining: () => 'The pool is draining before a stop: send new work to another process.',
  closed: () => 'The pool is closed: make a new AgnoPerformanceOptimizer to serve again.',
};
