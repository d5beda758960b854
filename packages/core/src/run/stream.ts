/** What `stream()` returns: the events of a call in order, then its result. */

import { SophiaError } from '../errors.ts';

/** Events that may wait for a reader before `emit` asks the writer to pause. */
const HIGH_WATER_MARK = 64;

export interface AgentStream<Event, Output> extends AsyncIterable<Event> {
  /** The output of `execute`, as `run()` would have returned it. */
  readonly result: Promise<Output>;
  /** Aborts the call. Leaving a `for await` loop early does the same. */
  cancel(): void;
}

export class EventStream<Event, Output> implements AgentStream<Event, Output>, AsyncIterator<Event, undefined> {
  readonly result: Promise<Output>;
  readonly #cancel: (reason: Error) => void;
  readonly #events: Event[] = [];
  #ended = false;
  #isRead = false;
  #error: unknown = undefined;
  #reader: PromiseWithResolvers<void> | undefined = undefined;
  #writer: PromiseWithResolvers<void> | undefined = undefined;

  /** @param start begins the call; it gets the place to emit to, and a way for us to abort it. */
  constructor(
    start: (emit: (event: Event) => Promise<void> | undefined) => {
      result: Promise<Output>;
      abort: (reason: Error) => void;
    },
  ) {
    const { result, abort } = start((event) => this.#push(event));
    this.result = result;
    this.#cancel = abort;
    // A reader of events alone sees the error through the loop; `result` then has no other listener.
    result.then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(error),
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    this.#isRead = true;
    while (this.#events.length === 0 && !this.#ended) {
      this.#reader ??= Promise.withResolvers();
      await this.#reader.promise;
    }
    if (this.#events.length > 0) {
      const value = this.#events.shift() as Event;
      if (this.#events.length < HIGH_WATER_MARK) this.#resumeWriter();
      return { done: false, value };
    }
    if (this.#error === undefined) return { done: true, value: undefined };
    const error = this.#error;
    this.#error = undefined;
    throw error;
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.cancel();
    return { done: true, value: undefined };
  }

  cancel(): void {
    this.#events.length = 0;
    if (!this.#ended) {
      this.#cancel(new SophiaError('RUN_ABORTED', 'The reader cancelled the stream, so its run was aborted.'));
    }
    this.#resumeWriter();
  }

  #push(event: Event): Promise<void> | undefined {
    if (this.#ended) return undefined;
    this.#events.push(event);
    this.#reader?.resolve();
    this.#reader = undefined;
    // Nobody may ever read: whoever awaits only the result must not stop the writer.
    if (!this.#isRead || this.#events.length < HIGH_WATER_MARK) return undefined;
    this.#writer ??= Promise.withResolvers();
    return this.#writer.promise;
  }

  #end(error: unknown): void {
    this.#ended = true;
    this.#error = error;
    this.#reader?.resolve();
    this.#reader = undefined;
    this.#resumeWriter();
  }

  #resumeWriter(): void {
    this.#writer?.resolve();
    this.#writer = undefined;
  }
}
