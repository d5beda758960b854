/** Many deadlines on one timer. Adding and removing one costs O(1) in the usual order; no timer exists per waiter. */

import type { Clock, Timer } from './clock.ts';

export class Deadline {
  /** Milliseconds of the clock at which it is met; rounded up, never down. */
  dueMs = 0;
  readonly onMet: () => void;

  constructor(onMet: () => void) {
    this.onMet = onMet;
  }
}

/** Deadlines beyond this are rounded up to a coarse grain, so that a queue of waiters shares few buckets. */
const COARSE_FROM_MS = 256;
const COARSE_GRAIN_MS = 16;
/** A late timer says something of the process for so long. */
const LAG_COUNTS_MS = 1_000;
/** Times of buckets that are gone; they cost little, and most are met soon. */
const MOST_EMPTY_TIMES = 64;
/** Hosts fire a timer of more than 2^31−1 ms at once; a longer wait is cut into legs. */
const LONGEST_TIMER_MS = 2_000_000_000;

export class Deadlines {
  readonly #clock: Clock;
  readonly #keepAlive: boolean;
  readonly #buckets = new Map<number, Set<Deadline>>();
  /** The buckets' times, ascending. */
  #times: number[] = [];
  #timer: Timer | undefined = undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #size = 0;
  #isClosed = false;
  readonly #atHome: (task: () => void) => void;
  #lastLagMs = 0;
  #lagAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param keepAlive whether a pending deadline keeps the process running (waiters: yes; housekeeping: no).
   * @param atHome runs a task in nobody's async context: a timer keeps the context in which it was started, and one
   * timer serves many.
   */
  constructor(clock: Clock, keepAlive: boolean, atHome: (task: () => void) => void = (task) => task()) {
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#atHome = atHome;
  }

  get size(): number {
    return this.#size;
  }

  /** How late the timer was when it last fired, a moment ago; large when something blocks the process. */
  get lagMs(): number {
    return this.#clock.now() - this.#lagAtMs <= LAG_COUNTS_MS ? this.#lastLagMs : 0;
  }

  add(deadline: Deadline, delayMs: number): void {
    const grain = delayMs < COARSE_FROM_MS ? 1 : COARSE_GRAIN_MS;
    const dueMs = Math.ceil((this.#clock.now() + delayMs) / grain) * grain;
    deadline.dueMs = dueMs;
    let bucket = this.#buckets.get(dueMs);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(dueMs, bucket);
      this.#insertTime(dueMs);
    }
    bucket.add(deadline);
    this.#size += 1;
    if (this.#size === 1 && this.#keepAlive) this.#timer?.hold(true);
    if (dueMs < this.#timerDueMs) this.#startTimer(dueMs);
  }

  remove(deadline: Deadline): void {
    const bucket = this.#buckets.get(deadline.dueMs);
    if (bucket?.delete(deadline) !== true) return;
    this.#size -= 1;
    if (bucket.size === 0) this.#dropBucket(deadline.dueMs);
    if (this.#size > 0) return;
    if (this.#isClosed) this.#stop();
    else if (this.#keepAlive) this.#timer?.hold(false);
  }

  /** Its time stays listed until there are more such than others. */
  #dropBucket(dueMs: number): void {
    this.#buckets.delete(dueMs);
    if (this.#times.length < MOST_EMPTY_TIMES + 2 * this.#buckets.size) return;
    this.#times = [...this.#buckets.keys()].toSorted((a, b) => a - b);
  }

  /** Forgets every deadline. One that is added later still works, and leaves no timer behind. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    this.#buckets.clear();
    this.#times.length = 0;
    this.#size = 0;
  }

  /**
   * Runs `start` and settles as it does, or rejects with `late()` after `limitMs`, whichever comes first.
   * A synchronous throw of `start` counts as a rejection.
   */
  within<T>(limitMs: number, start: () => T | PromiseLike<T>, late: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = new Deadline(() => reject(late()));
      this.add(deadline, limitMs);
      const settle = <A>(act: (value: A) => void) => {
        return (value: A): void => {
          this.remove(deadline);
          act(value);
        };
      };
      new Promise<T>((started) => started(start())).then(settle(resolve), settle(reject));
    });
  }

  #insertTime(dueMs: number): void {
    const times = this.#times;
    let at = times.length;
    // Deadlines mostly arrive in rising order, so the search from the end is short.
    while (at > 0 && (times[at - 1] as number) > dueMs) at -= 1;
    if (at === times.length) times.push(dueMs);
    else times.splice(at, 0, dueMs);
  }

  #startTimer(dueMs: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = dueMs;
    this.#atHome(() => {
      // Meanwhile another one may have been asked for, or none any more.
      if (this.#timerDueMs !== dueMs || this.#timer !== undefined) return;
      const delayMs = Math.min(Math.max(0, dueMs - this.#clock.now()), LONGEST_TIMER_MS);
      this.#timer = this.#clock.startTimer(() => this.#fire(), delayMs);
      if (this.#keepAlive && this.#size > 0) this.#timer.hold(true);
    });
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    this.#lastLagMs = now - (this.#times[0] ?? now);
    this.#lagAtMs = now;
    for (let dueMs = this.#times[0]; dueMs !== undefined && dueMs <= now; dueMs = this.#times[0]) {
      this.#times.shift();
      const bucket = this.#buckets.get(dueMs);
      // The bucket stays known while its deadlines are met: each may remove others of it.
      for (const deadline of bucket ?? []) {
        bucket?.delete(deadline);
        this.#size -= 1;
        deadline.onMet();
      }
      // Unless it was dropped, and another of the same time begun.
      if (this.#buckets.get(dueMs) === bucket) this.#buckets.delete(dueMs);
    }
    const [nextMs] = this.#times;
    if (nextMs === undefined) return;
    if (this.#size === 0) this.#stop();
    else if (nextMs < this.#timerDueMs) this.#startTimer(nextMs);
  }
}
