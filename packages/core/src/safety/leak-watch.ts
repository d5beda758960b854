/**
 * Finds leases that nobody will give back: held far longer than is usual, or with their agent garbage-collected.
 * Where a lease was asked for is known of every borrower that waited and of a sample of the others; a stack costs
 * microseconds, so the sample is thin until a leak was seen.
 */

import type { Clock } from '../base/clock.ts';
import type { Emitter } from '../events.ts';
import type { Lease } from '../lease.ts';
import type { Recorder } from '../measure/stats.ts';
import type { ResolvedPoolOptions } from '../settings/options.ts';
import { userFrames } from './call-site.ts';

export interface LeakWatchHome {
  readonly type: string;
  readonly clock: Clock;
  readonly events: Emitter;
  readonly options: ResolvedPoolOptions;
  readonly recorder: Recorder;
}

const LEAST_AGE_MS = 30_000;
const USES_P99_FACTOR = 5;
/** One in so many acquires is sampled; after a leak was seen, one in so few. */
const SAMPLE_EVERY = 1_000;
const SAMPLE_EVERY_AFTER_LEAK = 10;
const SHORTEST_SWEEP_MS = 10;
const LONGEST_SWEEP_MS = 10_000;

export class LeakWatch {
  readonly #home: LeakWatchHome;
  readonly #registry: FinalizationRegistry<Lease>;
  #untilSample = SAMPLE_EVERY;
  #sampleEvery = SAMPLE_EVERY;
  /** Leases that are suspected now. */
  open = 0;

  constructor(home: LeakWatchHome) {
    this.#home = home;
    this.#registry = new FinalizationRegistry((lease) => this.#dropped(lease));
  }

  /** Whether this acquire is one of the sample. */
  isDue(): boolean {
    this.#untilSample -= 1;
    if (this.#untilSample > 0) return false;
    this.#untilSample = this.#sampleEvery;
    return true;
  }

  /** From which age on a lease is suspected. */
  get ageMs(): number {
    const { options, recorder } = this.#home;
    if (options.leakAfterMs !== undefined) return options.leakAfterMs;
    const p99Us = recorder.histograms.use.summary().p99Us ?? 0;
    return Math.max(LEAST_AGE_MS, (USES_P99_FACTOR * p99Us) / 1_000);
  }

  get sweepEveryMs(): number {
    return Math.min(Math.max(this.ageMs / 4, SHORTEST_SWEEP_MS), LONGEST_SWEEP_MS);
  }

  /** Watches whether the agent is garbage-collected before its lease ends. */
  follow(agent: object, lease: Lease): void {
    this.#registry.register(agent, lease, lease);
  }

  /** @param leases oldest first. */
  sweep(leases: Iterable<Lease>): void {
    const nowMs = this.#home.clock.now();
    const { ageMs } = this;
    const isReclaimed = this.#home.options.reclaimLeaks === 'held';
    // A copy: whoever hears of a leak may end this lease and others.
    for (const lease of Array.from(leases)) {
      if (nowMs - lease.acquiredMs < ageMs) return;
      if (lease.extras?.isSuspect === true || lease.ended !== undefined) continue;
      this.#suspect(lease, 'held');
      if (isReclaimed) lease.revoke('leak');
    }
  }

  #dropped(lease: Lease): void {
    if (lease.ended !== undefined) return;
    this.#suspect(lease, 'dropped');
    if (this.#home.options.reclaimLeaks !== 'never') lease.revoke('leak');
  }

  #suspect(lease: Lease, proof: 'held' | 'dropped'): void {
    const { type, clock, events, recorder } = this.#home;
    this.#sampleEvery = SAMPLE_EVERY_AFTER_LEAK;
    this.#untilSample = Math.min(this.#untilSample, SAMPLE_EVERY_AFTER_LEAK);
    if (lease.extras?.isSuspect !== true) this.open += 1;
    lease.extra.isSuspect = true;
    recorder.leaked(proof);
    const { id: leaseId, owner } = lease;
    const { origin } = lease.extra;
    const stack = origin === undefined ? undefined : userFrames(origin).join('\n');
    events.emit('lease.leaked', { type, leaseId, owner, heldMs: clock.now() - lease.acquiredMs, proof, stack });
  }

  /** The lease has ended, one way or another. */
  ended(lease: Lease, heldMs: number): void {
    if (lease.extras?.origin !== undefined) this.#registry.unregister(lease);
    if (lease.extras?.isSuspect !== true) return;
    this.open -= 1;
    if (lease.ended !== 'released') return;
    const { id: leaseId, owner } = lease;
    this.#home.events.emit('lease.returned-late', { type: this.#home.type, leaseId, owner, heldMs });
  }
}
