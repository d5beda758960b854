/**
 * Refuses those who have waited too long when a queue stands, so that the others are served in time: controlled delay
 * (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 2012), as the Elixir package db_connection applies it to
 * a pool. The queue is slow if even the shortest wait of a whole interval was above the target; until an interval
 * is good again, whoever has waited for twice the target is refused.
 */

const LEAST_TARGET_MS = 50;
/** Of the median hold time. */
const TARGET_SHARE = 0.1;
const LEAST_INTERVAL_MS = 2_000;
const TARGETS_PER_INTERVAL = 20;

export class Shedding {
  readonly #target: number | 'auto';
  readonly #medianHoldMs: () => number;
  #intervalEndMs = 0;
  #shortestMs = Infinity;
  /** Whether waiters are refused now. */
  isSlow = false;

  /** @param target milliseconds; `'auto'` follows the hold times; `Infinity` never sheds. */
  constructor(target: number | 'auto', medianHoldMs: () => number) {
    this.#target = target;
    this.#medianHoldMs = medianHoldMs;
  }

  get isOn(): boolean {
    return this.#target !== Infinity;
  }

  get targetMs(): number {
    return this.#target === 'auto' ? Math.max(LEAST_TARGET_MS, TARGET_SHARE * this.#medianHoldMs()) : this.#target;
  }

  get intervalMs(): number {
    return Math.max(LEAST_INTERVAL_MS, TARGETS_PER_INTERVAL * this.targetMs);
  }

  /** Someone was served after this wait; or, at the end of an interval, still waits as long as that. */
  note(waitedMs: number, nowMs: number): void {
    this.#shortestMs = Math.min(this.#shortestMs, waitedMs);
    if (nowMs < this.#intervalEndMs) return;
    // The first interval has only begun.
    if (this.#intervalEndMs > 0) this.isSlow = this.#shortestMs > this.targetMs;
    this.#intervalEndMs = nowMs + this.intervalMs;
    this.#shortestMs = waitedMs;
  }

  /** Nobody waits: the queue does not stand. */
  noteEmpty(nowMs: number): void {
    this.note(0, nowMs);
    this.#shortestMs = 0;
    this.isSlow = false;
  }

  /** Whoever began to wait before this is refused. */
  limitMs(nowMs: number): number {
    return this.isSlow ? nowMs - 2 * this.targetMs : -Infinity;
  }
}
