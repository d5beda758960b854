/** One run or stream of an agent: its signal, its time limit, the events it emits. */

import { Deadline } from '../base/deadlines.ts';
import type { Deadlines } from '../base/deadlines.ts';
import { SophiaError } from '../errors.ts';
import type { RunOptions } from '../settings/options.ts';

/** What a call needs of the pool in which it runs. */
export interface CallHome {
  readonly type: string;
  readonly deadlines: Deadlines;
  readonly now: () => number;
}

/** What `execute` receives beside its input. */
export interface Call<Event = unknown> {
  /** Aborted when the caller's signal is, when the time is up, when the stream is cancelled, when the lease ends. */
  readonly signal: AbortSignal;
  /** Milliseconds left until the time limit of this call; `Infinity` without one. */
  remainingMs(): number;
  /**
   * Hands an event to the reader of `stream()`; a plain `run()` ignores it. Await the result to go no
   * faster than the reader.
   */
  emit(event: Event): Promise<void> | undefined;
  /** Ends the call: `signal` is aborted and the caller gets `reason`. */
  abort(reason: Error): void;
}

export class LiveCall<Event> implements Call<Event> {
  readonly #type: string;
  readonly #deadlines: Deadlines;
  readonly #now: () => number;
  readonly #emit: ((event: Event) => Promise<void> | undefined) | undefined;
  readonly #outer: AbortSignal | undefined;
  readonly #aborted = Promise.withResolvers<never>();
  #onOuterAbort: (() => void) | undefined = undefined;
  #deadline: Deadline | undefined = undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #controller: AbortController | undefined = undefined;
  #reason: Error | undefined = undefined;

  constructor(home: CallHome, options: RunOptions, emit?: (event: Event) => Promise<void> | undefined) {
    this.#type = home.type;
    this.#deadlines = home.deadlines;
    this.#now = home.now;
    this.#emit = emit;
    // A call that nobody races any more must not raise an unhandled rejection when its lease ends.
    this.#aborted.promise.catch(() => undefined);
    this.#outer = options.signal;
    if (options.signal?.aborted === true) this.abort(this.#abortedError(options.signal.reason));
    else if (options.signal !== undefined) this.#listen(options.signal);
    if (options.timeoutMs !== undefined) this.#limit(options.timeoutMs);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Why the call was ended before `execute` settled, if it was. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  remainingMs(): number {
    return Math.max(0, this.#dueMs - this.#now());
  }

  emit(event: Event): Promise<void> | undefined {
    return this.#reason === undefined ? this.#emit?.(event) : undefined;
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.close();
    this.#aborted.reject(reason);
    this.#controller?.abort(reason);
  }

  /** Settles as `work` does, or rejects as soon as the call is aborted, even if `work` never looks at the signal. */
  race<T>(work: PromiseLike<T>): Promise<T> {
    return Promise.race([work, this.#aborted.promise]);
  }

  /** Lets go of the caller's signal and of the timer. */
  close(): void {
    if (this.#onOuterAbort !== undefined) this.#outer?.removeEventListener('abort', this.#onOuterAbort);
    if (this.#deadline !== undefined) this.#deadlines.remove(this.#deadline);
    this.#onOuterAbort = undefined;
    this.#deadline = undefined;
  }

  #listen(signal: AbortSignal): void {
    this.#onOuterAbort = () => this.abort(this.#abortedError(signal.reason));
    signal.addEventListener('abort', this.#onOuterAbort, { once: true });
  }

  #limit(timeoutMs: number): void {
    this.#dueMs = this.#now() + timeoutMs;
    this.#deadline = new Deadline(() => {
      this.abort(
        new SophiaError(
          'RUN_TIMEOUT',
          `A run of '${this.#type}' did not settle within ${timeoutMs} ms and was aborted. Give it more time with timeoutMs, or make execute() heed call.signal and do less.`,
        ),
      );
    });
    this.#deadlines.add(this.#deadline, timeoutMs);
  }

  #abortedError(cause: unknown): SophiaError {
    const what = `A run of '${this.#type}' was aborted by the signal that its caller gave`;
    return new SophiaError('RUN_ABORTED', `${what}. Nothing needs to be done if that was intended.`, { cause });
  }
}
