/** What a pool measures: histograms with a window on each, counters since start, and the snapshot that readers get. */

import type { ErrorCode } from '../errors.ts';
import type { DestroyReason } from '../events.ts';
import { Histogram } from './histogram.ts';
import type { HistogramMark, HistogramSummary } from './histogram.ts';
import type { ResolvedPoolOptions, Reuse, SettingSource } from '../settings/options.ts';
import type { UnpooledFigures } from '../safety/unpooled.ts';

/** What is timed. `hit`: an agent was free. `miss`: one was created for the borrower. `wait`: time behind others. */
const TIMED = ['hit', 'miss', 'wait', 'create', 'reset', 'use', 'run'] as const;
export type Timed = (typeof TIMED)[number];

interface Mark {
  readonly atMs: number;
  readonly histograms: Readonly<Record<Timed, HistogramMark>>;
  readonly afterWait: HistogramMark;
  readonly slowAcquireUs: number;
}

/** Marks are set this often … */
export const MARK_EVERY_MS = 10_000;
/** … kept so long at that grain … */
const FINE_MARKS_MS = 300_000;
/** … then one a minute, for the longest window. */
const COARSE_GRAIN_MS = 60_000;
export const LONGEST_WINDOW_MS = 3_600_000;
export const DEFAULT_WINDOW_MS = 300_000;

/** Users' errors may carry any name; beyond so many different ones the rest is counted as `other`. */
const MOST_FAILURE_NAMES = 50;

/** Figures over a window; durations in microseconds, `null` where nothing was measured. */
export interface WindowFigures {
  /** Milliseconds that the window covers; less than asked for while the pool is younger. */
  readonly windowMs: number;
  /** Hand-outs in the window. */
  readonly samples: number;
  readonly avgInstantiationUs: number | null;
  /** Of every hand-out, the time until the agent without that behind other borrowers. */
  readonly instantiation: HistogramSummary;
  readonly avgAcquireUs: number | null;
  /** Share of hand-outs that found an agent free, 0 to 1. */
  readonly hitRatio: number | null;
  readonly timings: Readonly<Record<Timed, HistogramSummary>>;
}

/** Memory of one agent type, measured by `@sophia-ai/core/node`; KiB, `null` where it could not be had. */
export interface MemoryFigures {
  /** The sum that one agent costs; `null` if it was not measured or its error is above 25 %. */
  readonly memoryPerAgentKib: number | null;
  readonly agentKib: number | null;
  readonly entryKib: number | null;
  /** Proportional set size of the child processes of one entry. */
  readonly processKib: number | null;
  /** What all leases of a shared entry use together. */
  readonly sharedKib: number | null;
  readonly method: string;
  readonly samples: number;
  /** Half the spread of the repeated measurements, in percent of their median. */
  readonly errorPct: number | null;
  readonly measuredAt: string;
}

/** Everything a reader may know of a pool at one moment. */
export interface PoolSnapshot {
  readonly type: string;
  readonly reuse: Reuse;
  readonly state: 'running' | 'suspended' | 'draining' | 'closed';
  /** Agents that would be handed out now. */
  readonly size: number;
  /** Most agents leased at once; overflow not counted. */
  readonly max: number;
  /** The settings in force. */
  readonly options: ResolvedPoolOptions;
  /** Where each setting comes from; those that are not named are defaults. */
  readonly sources: Readonly<Record<string, SettingSource>>;
  readonly leased: number;
  readonly idle: number;
  readonly creating: number;
  readonly resetting: number;
  readonly validating: number;
  /** Cooling down, or kept for a look. */
  readonly quarantined: number;
  readonly destroying: number;
  readonly waiting: number;
  readonly oldestWaiterMs: number | null;
  readonly holders: readonly Holder[];
  /** Leases that are suspected now to be leaks. */
  readonly leaks: number;
  /** Whether waiters are being refused because the queue stands. */
  readonly isShedding: boolean;
  /** The busiest keys; `null` for a type without keys. Names are ordinals: the keys themselves are not shown. */
  readonly keys: { readonly count: number; readonly busiest: readonly KeyFigures[] } | null;
  /** The busiest tenants among those that hold or wait. */
  readonly tenants: readonly TenantFigures[];
  readonly unpooled: UnpooledFigures;
  readonly counters: Counters;
  readonly window: WindowFigures;
  readonly memory: MemoryFigures | null;
  readonly lastCreateError: string | null;
}

export interface KeyFigures {
  readonly name: string;
  readonly entries: number;
  readonly idle: number;
  readonly waiting: number;
}

export interface TenantFigures {
  readonly tenant: string;
  readonly leased: number;
  readonly waiting: number;
}

/** A live lease as drain, errors and dashboards name it. */
export interface Holder {
  readonly leaseId: number;
  readonly owner: string | undefined;
  readonly tenant: string | undefined;
  readonly heldMs: number;
  /** Held for so long that it is taken for a leak. */
  readonly isSuspect: boolean;
}

/** Totals since the pool was registered. */
export interface Counters {
  /** Agents handed out. */
  readonly handOuts: number;
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  readonly created: number;
  readonly createFailed: number;
  readonly destroyed: Readonly<Partial<Record<DestroyReason, number>>>;
  readonly releasedAgain: number;
  /** Looks at whether a returned entry was clean. */
  readonly verified: number;
  /** Leases that were suspected to be leaks, and those proven by garbage collection. */
  readonly leaksHeld: number;
  readonly leaksDropped: number;
  readonly runs: number;
  readonly runFailures: Readonly<Record<string, number>>;
}

function count<Key extends string>(counts: Partial<Record<Key, number>>, key: Key): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function table<Value>(of: (timed: Timed) => Value): Record<Timed, Value> {
  return Object.fromEntries(TIMED.map((timed) => [timed, of(timed)])) as Record<Timed, Value>;
}

export class Recorder {
  readonly histograms: Readonly<Record<Timed, Histogram>> = table(() => new Histogram());
  readonly #hit = this.histograms.hit;
  readonly #failures: Partial<Record<ErrorCode, number>> = {};
  readonly #destroyed: Partial<Record<DestroyReason, number>> = {};
  readonly #runFailures: Record<string, number> = Object.create(null) as Record<string, number>;
  readonly #startMs: number;
  #marks: Mark[] = [];
  #created = 0;
  #createFailed = 0;
  #releasedAgain = 0;
  #verified = 0;
  readonly #leaks = { held: 0, dropped: 0 };
  /** Instantiation of those that waited: what their time in the queue leaves. Of hits and misses it is their own time. */
  readonly #afterWait = new Histogram();
  /** Sum over the hand-outs that were no hits; a hit's acquire and hit time are one figure. */
  #slowAcquireUs = 0;

  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  hit(totalMs: number): void {
    this.#hit.record(totalMs * 1_000);
  }

  /** A hand-out that was not at once. */
  slowHandOut(how: 'miss' | 'wait', totalMs: number, queuedMs: number): void {
    const instantiationUs = Math.max(0, totalMs - queuedMs) * 1_000;
    this.histograms[how].record(how === 'wait' ? queuedMs * 1_000 : instantiationUs);
    if (how === 'wait') this.#afterWait.record(instantiationUs);
    this.#slowAcquireUs += totalMs * 1_000;
  }

  failure(code: ErrorCode): void {
    count(this.#failures, code);
  }

  created(createMs: number): void {
    this.#created += 1;
    this.histograms.create.record(createMs * 1_000);
  }

  createFailed(): void {
    this.#createFailed += 1;
  }

  destroyed(reason: DestroyReason): void {
    count(this.#destroyed, reason);
  }

  releasedAgain(): void {
    this.#releasedAgain += 1;
  }

  verified(): void {
    this.#verified += 1;
  }

  leaked(proof: 'held' | 'dropped'): void {
    this.#leaks[proof] += 1;
  }

  /** 0 before the first creation. */
  get meanCreateMs(): number {
    const { create } = this.histograms;
    return create.count === 0 ? 0 : create.sumUs / create.count / 1_000;
  }

  /** @param failure the error's code, or its name where it has none; `undefined` for a run that succeeded. */
  run(durationMs: number, failure: string | undefined): void {
    this.histograms.run.record(durationMs * 1_000);
    if (failure === undefined) return;
    const isKnown = failure in this.#runFailures || Object.keys(this.#runFailures).length < MOST_FAILURE_NAMES;
    count(this.#runFailures, isKnown ? failure : 'other');
  }

  counters(): Counters {
    const { miss, wait, run } = this.histograms;
    return {
      handOuts: this.#hit.count + miss.count + wait.count,
      failures: { ...this.#failures },
      created: this.#created,
      createFailed: this.#createFailed,
      destroyed: { ...this.#destroyed },
      releasedAgain: this.#releasedAgain,
      verified: this.#verified,
      leaksHeld: this.#leaks.held,
      leaksDropped: this.#leaks.dropped,
      runs: run.count,
      runFailures: { ...this.#runFailures },
    };
  }

  /** Remembers the counts of now, so that later windows may begin here. */
  mark(nowMs: number): void {
    this.#marks.push({
      atMs: nowMs,
      histograms: table((timed) => this.histograms[timed].mark()),
      afterWait: this.#afterWait.mark(),
      slowAcquireUs: this.#slowAcquireUs,
    });
    let keptMs = Number.NEGATIVE_INFINITY;
    this.#marks = this.#marks.filter(({ atMs }) => {
      const ageMs = nowMs - atMs;
      if (ageMs > LONGEST_WINDOW_MS + COARSE_GRAIN_MS) return false;
      if (ageMs > FINE_MARKS_MS + MARK_EVERY_MS && atMs - keptMs < COARSE_GRAIN_MS) return false;
      keptMs = atMs;
      return true;
    });
  }

  /** @param windowMs how far back; `Infinity` for everything since start. */
  window(windowMs: number, nowMs: number): WindowFigures {
    // The youngest mark that is old enough: a window may be a little longer than asked for, never shorter.
    const mark = this.#marks.findLast(({ atMs }) => nowMs - atMs >= windowMs);
    const timings = table((timed) => this.histograms[timed].summary(mark?.histograms[timed]));
    const instantiations = new Histogram();
    instantiations.merge(this.histograms.hit, mark?.histograms.hit);
    instantiations.merge(this.histograms.miss, mark?.histograms.miss);
    instantiations.merge(this.#afterWait, mark?.afterWait);
    const instantiation = instantiations.summary();
    const hits = timings.hit.count;
    const samples = instantiation.count;
    const acquireUs = hits * (timings.hit.meanUs ?? 0) + this.#slowAcquireUs - (mark?.slowAcquireUs ?? 0);
    return {
      windowMs: nowMs - (mark?.atMs ?? this.#startMs),
      samples,
      avgInstantiationUs: instantiation.meanUs,
      instantiation,
      avgAcquireUs: samples === 0 ? null : acquireUs / samples,
      hitRatio: samples === 0 ? null : hits / samples,
      timings,
    };
  }
}
