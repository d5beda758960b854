/** What a load comes to: one object for machines, one table for people, from the same figures. */

import type { Driver, Percentiles, PoolFigures } from './driver.ts';
import { total } from './tally.ts';
import type { Tally } from './tally.ts';

/** What `--json` prints. Durations carry their unit; `null` is what nobody could measure. */
export interface LoadReport {
  readonly agent: string;
  /** Server that was driven; `null` for this process. */
  readonly url: string | null;
  readonly concurrency: number;
  readonly duration_ms: number;
  /** Ended early by Ctrl-C. */
  readonly interrupted: boolean;
  readonly runs_per_second: number;
  readonly runs: {
    readonly succeeded: number;
    /** Aborted by Ctrl-C, or because they outlasted the load by far. */
    readonly cancelled: number;
    readonly failed: Readonly<Record<string, number>>;
    readonly refused: Readonly<Record<string, number>>;
  };
  /** From asking to the output, waiting for an agent included, as this process saw it. */
  readonly round_trip: Percentiles;
  readonly pool: PoolFigures;
  /** Of this process, the driver; in-process it is the one that runs the agents. */
  readonly event_loop_delay: { readonly p99_ms: number; readonly max_ms: number };
}

export interface LoadFacts {
  readonly agent: string;
  readonly driver: Driver;
  readonly concurrency: number;
  readonly elapsedMs: number;
  readonly interrupted: boolean;
  readonly tally: Tally;
  readonly pool: PoolFigures;
  readonly loopDelay: LoadReport['event_loop_delay'];
}

export function reportOf({
  agent,
  driver,
  concurrency,
  elapsedMs,
  interrupted,
  tally,
  pool,
  loopDelay,
}: LoadFacts): LoadReport {
  const { p50Us, p99Us, p999Us } = tally.roundTrips();
  return {
    agent,
    url: driver.url,
    concurrency,
    duration_ms: Math.round(elapsedMs),
    interrupted,
    runs_per_second: Math.round((tally.succeeded / elapsedMs) * 100_000) / 100,
    runs: { succeeded: tally.succeeded, cancelled: tally.cancelled, failed: tally.failed, refused: tally.refused },
    round_trip: { p50_us: p50Us, p99_us: p99Us, p999_us: p999Us },
    pool: trimmed(pool),
    event_loop_delay: loopDelay,
  };
}

/** Only what is declared: a server's metrics hold more than the report does. */
function trimmed(pool: PoolFigures): PoolFigures {
  const of = ({ p50_us, p99_us, p999_us }: Percentiles): Percentiles => ({ p50_us, p99_us, p999_us });
  const { memory_per_agent_kib, shared_kib, memory_method, memory_error_pct } = pool.memory;
  return {
    ...pool,
    instantiation: of(pool.instantiation),
    hit: of(pool.hit),
    miss: of(pool.miss),
    wait: of(pool.wait),
    run: of(pool.run),
    memory: { memory_per_agent_kib, shared_kib, memory_method, memory_error_pct },
  };
}

/** Two columns, for reading. */
export function tableOf(report: LoadReport): string {
  const { runs, pool, event_loop_delay: delay } = report;
  const counts = (byCode: Readonly<Record<string, number>>): string => {
    const codes = Object.entries(byCode).map(([code, count]) => `${code} ${grouped(count)}`);
    return codes.length === 0 ? '0' : `${grouped(total(byCode))} (${codes.join(', ')})`;
  };
  const rows: [string, string][] = [
    ['agent', `${report.agent}, ${report.url === null ? 'in this process' : `at ${report.url}`}`],
    ['borrowers', grouped(report.concurrency)],
    ['duration', `${(report.duration_ms / 1_000).toFixed(1)} s${report.interrupted ? ', ended early' : ''}`],
    ['throughput', `${grouped(report.runs_per_second)} runs/s`],
    [
      'runs',
      `${grouped(runs.succeeded)} succeeded${runs.cancelled > 0 ? `, ${grouped(runs.cancelled)} cancelled` : ''}`,
    ],
    ['failed', counts(runs.failed)],
    ['refused', counts(runs.refused)],
    ['round trip p50 / p99', `${time(report.round_trip.p50_us)} / ${time(report.round_trip.p99_us)}, waiting included`],
    ['run p50 / p99', `${time(pool.run.p50_us)} / ${time(pool.run.p99_us)}`],
    ['instantiation average', `${time(pool.avg_instantiation_us)} (${time(pool.avg_acquire_us)} with the queue)`],
    ['instantiation p50 / p99 / p99.9', triple(pool.instantiation)],
    ['hits', `${grouped(pool.hits)}${pool.hits > 0 ? `, p50 / p99 / p99.9 ${triple(pool.hit)}` : ''}`],
    ['misses', `${grouped(pool.misses)}${pool.misses > 0 ? `, p50 / p99 / p99.9 ${triple(pool.miss)}` : ''}`],
    ['waits', `${grouped(pool.waits)}${pool.waits > 0 ? `, p50 / p99 / p99.9 ${triple(pool.wait)}` : ''}`],
    ['pool', `${pool.pool_size} ready of ${pool.pool_max}`],
    ['memory per agent', memory(pool)],
    ['event loop delay p99', `${delay.p99_ms.toFixed(1)} ms (largest ${delay.max_ms.toFixed(1)} ms) in this process`],
    ['figures of the pool cover', pool.window],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return `${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')}\n`;
}

function memory({
  memory: { memory_per_agent_kib: each, shared_kib: shared, memory_error_pct: error },
}: PoolFigures): string {
  const own = each === null ? 'not known' : `${each.toFixed(2)} KiB${error === null ? '' : ` ± ${error.toFixed(1)} %`}`;
  return shared === null ? own : `${own}, and ${grouped(Math.round(shared))} KiB that all share`;
}

function triple({ p50_us, p99_us, p999_us }: Percentiles): string {
  return `${time(p50_us)} / ${time(p99_us)} / ${time(p999_us)}`;
}

function time(us: number | null): string {
  if (us === null) return '–';
  return us < 1_000 ? `${us.toFixed(1)} µs` : `${(us / 1_000).toFixed(1)} ms`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
