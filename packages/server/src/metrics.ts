/** How the agents perform, as `GET /api/metrics/agno-performance` says it. Unknown is null, never a made-up number. */

import type { AgnoPerformanceOptimizer, HistogramSummary, PoolSnapshot, Timed } from '@sophia-ai/core';
import { ServerError, quoted } from './errors.ts';
import { instantiationLight } from './light.ts';
import type { InstantiationLight } from './light.ts';

export type MetricsWindow = '1m' | '5m' | '1h' | 'since-start';
const WINDOWS_MS: Readonly<Record<MetricsWindow, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '1h': 3_600_000,
  'since-start': Number.POSITIVE_INFINITY,
};
const DEFAULT_WINDOW: MetricsWindow = '5m';

/** Durations of one kind over the window, in microseconds. */
export interface TimingMetrics {
  readonly count: number;
  readonly mean_us: number | null;
  readonly p50_us: number | null;
  readonly p95_us: number | null;
  readonly p99_us: number | null;
  readonly p999_us: number | null;
  readonly max_us: number | null;
}

export type TypeMetrics = { readonly window: MetricsWindow } & Readonly<Record<Timed, TimingMetrics>>;

/** One agent type in short. */
export interface TypeSummary {
  /** Mean over the window from the call of `pooled()` to the agent, without the time behind other borrowers. */
  readonly avg_instantiation_us: number | null;
  /** Agents that would be handed out now. */
  readonly pool_size: number;
  /** Most agents leased at once. */
  readonly pool_max: number;
  /** Agents handed out since start. */
  readonly instantiation_samples: number;
  readonly memory_per_agent_kib: number | null;
  readonly instantiation_light: InstantiationLight;
  /** As `avg_instantiation_us`, with the time behind other borrowers. */
  readonly avg_acquire_us: number | null;
  readonly hit_ratio: number | null;
  /** Agents handed out in the window. */
  readonly window_samples: number;
  /** What the window covers; less than asked for while the process is younger. */
  readonly window_ms: number;
  /** Percentiles of what `avg_instantiation_us` is the mean of; hits, misses and waits apart below. */
  readonly instantiation_p50_us: number | null;
  readonly instantiation_p99_us: number | null;
  readonly instantiation_p999_us: number | null;
  readonly hit_p50_us: number | null;
  readonly hit_p99_us: number | null;
  readonly hit_p999_us: number | null;
  readonly miss_p50_us: number | null;
  readonly miss_p99_us: number | null;
  readonly miss_p999_us: number | null;
  readonly wait_p50_us: number | null;
  readonly wait_p99_us: number | null;
  readonly wait_p999_us: number | null;
  /** Failed acquires since start, by code. */
  readonly failures: Readonly<Record<string, number>>;
  /** Runs since start; failed ones by code or error name. */
  readonly runs: number;
  readonly run_failures: Readonly<Record<string, number>>;
  readonly leased: number;
  readonly waiting: number;
  readonly oldest_waiter_ms: number | null;
  /** Leases that look forgotten now. */
  readonly leaks: number;
  /** Entries that cool down or are kept for a look after a failed check. */
  readonly quarantined: number;
  /** Agents made with `new` in place of the pool, since start. */
  readonly unpooled: number;
  /** Whether waiters are being refused because the queue stands. */
  readonly shedding: boolean;
  /** Keys with entries or waiters; `null` for a type without keys. */
  readonly keys: number | null;
  /** Entries made and destroyed since start, the latter by reason. */
  readonly created: number;
  readonly create_failed: number;
  readonly destroyed: Readonly<Record<string, number>>;
  readonly reuse: PoolSnapshot['reuse'];
  readonly state: PoolSnapshot['state'];
  /** Parts of `memory_per_agent_kib`, and for a shared type what all its agents use together. */
  readonly agent_kib: number | null;
  readonly entry_kib: number | null;
  readonly process_kib: number | null;
  readonly shared_kib: number | null;
  readonly memory_method: string | null;
  readonly memory_samples: number | null;
  readonly memory_error_pct: number | null;
  readonly memory_measured_at: string | null;
}

export interface PerformanceMetrics {
  readonly summary: Readonly<Record<string, TypeSummary>>;
  readonly metrics: Readonly<Record<string, TypeMetrics>>;
  readonly last_updated: string;
}

/** @param window as the query says it. @throws ServerError QUERY_INVALID */
export function performanceMetrics(
  optimizer: AgnoPerformanceOptimizer,
  window: string = DEFAULT_WINDOW,
): PerformanceMetrics {
  if (!isWindow(window)) {
    const allowed = Object.keys(WINDOWS_MS).join(', ');
    throw new ServerError('QUERY_INVALID', `window was given as ${quoted(window)}; allowed: ${allowed}.`);
  }
  const pools = optimizer.snapshot(WINDOWS_MS[window]);
  return {
    summary: Object.fromEntries(pools.map((pool) => [pool.type, summaryOf(pool)])),
    metrics: Object.fromEntries(pools.map((pool) => [pool.type, metricsOf(pool, window)])),
    last_updated: new Date().toISOString(),
  };
}

function isWindow(window: string): window is MetricsWindow {
  return Object.hasOwn(WINDOWS_MS, window);
}

function summaryOf(pool: PoolSnapshot): TypeSummary {
  const { window, counters, memory } = pool;
  const { hit, miss, wait } = window.timings;
  return {
    avg_instantiation_us: rounded(window.avgInstantiationUs),
    pool_size: pool.size,
    pool_max: pool.max,
    instantiation_samples: counters.handOuts,
    memory_per_agent_kib: rounded(memory?.memoryPerAgentKib),
    instantiation_light: instantiationLight(window),
    avg_acquire_us: rounded(window.avgAcquireUs),
    hit_ratio: rounded(window.hitRatio),
    window_samples: window.samples,
    window_ms: Math.round(window.windowMs),
    instantiation_p50_us: rounded(window.instantiation.p50Us),
    instantiation_p99_us: rounded(window.instantiation.p99Us),
    instantiation_p999_us: rounded(window.instantiation.p999Us),
    hit_p50_us: rounded(hit.p50Us),
    hit_p99_us: rounded(hit.p99Us),
    hit_p999_us: rounded(hit.p999Us),
    miss_p50_us: rounded(miss.p50Us),
    miss_p99_us: rounded(miss.p99Us),
    miss_p999_us: rounded(miss.p999Us),
    wait_p50_us: rounded(wait.p50Us),
    wait_p99_us: rounded(wait.p99Us),
    wait_p999_us: rounded(wait.p999Us),
    failures: counters.failures,
    runs: counters.runs,
    run_failures: counters.runFailures,
    leased: pool.leased,
    waiting: pool.waiting,
    oldest_waiter_ms: rounded(pool.oldestWaiterMs),
    leaks: pool.leaks,
    quarantined: pool.quarantined,
    unpooled: pool.unpooled.count,
    shedding: pool.isShedding,
    keys: pool.keys?.count ?? null,
    created: counters.created,
    create_failed: counters.createFailed,
    destroyed: counters.destroyed,
    reuse: pool.reuse,
    state: pool.state,
    agent_kib: rounded(memory?.agentKib),
    entry_kib: rounded(memory?.entryKib),
    process_kib: rounded(memory?.processKib),
    shared_kib: rounded(memory?.sharedKib),
    memory_method: memory?.method ?? null,
    memory_samples: memory?.samples ?? null,
    memory_error_pct: rounded(memory?.errorPct),
    memory_measured_at: memory?.measuredAt ?? null,
  };
}

function metricsOf(pool: PoolSnapshot, window: MetricsWindow): TypeMetrics {
  const { hit, miss, wait, create, reset, use, run } = pool.window.timings;
  return {
    window,
    hit: timingOf(hit),
    miss: timingOf(miss),
    wait: timingOf(wait),
    create: timingOf(create),
    reset: timingOf(reset),
    use: timingOf(use),
    run: timingOf(run),
  };
}

function timingOf(summary: HistogramSummary): TimingMetrics {
  return {
    count: summary.count,
    mean_us: rounded(summary.meanUs),
    p50_us: rounded(summary.p50Us),
    p95_us: rounded(summary.p95Us),
    p99_us: rounded(summary.p99Us),
    p999_us: rounded(summary.p999Us),
    max_us: rounded(summary.maxUs),
  };
}

/** Nanoseconds of a microsecond are noise; so are thousandths of a KiB. */
function rounded(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : Math.round(value * 1_000) / 1_000;
}
