/**
 * Server-Sent Events to one reader. What the reader has not taken is held here, up to a cap; a reader that stays
 * above it is cut, as the run behind it holds an agent that others wait for.
 */

import type { Connection } from './guard.ts';

/** How long a reader may take over what is left when the run is over. */
const LAST_WORDS_MS = 30_000;

export interface OutboxOptions {
  /** Bytes that may wait for the reader. */
  readonly capBytes: number;
  /** How often a comment is sent, so that proxies and readers know the stream lives. */
  readonly heartbeatMs: number;
  /** How long more than the cap may wait; an event in one large piece needs a moment on any line. */
  readonly graceMs: number;
  readonly connection: Connection;
  /** The reader left or was cut before it had everything; called at most once. */
  readonly onLeave: () => void;
}

export class Outbox {
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: OutboxOptions;
  readonly #encoder = new TextEncoder();
  readonly #heartbeat: ReturnType<typeof setInterval>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  #room: PromiseWithResolvers<void> | undefined = undefined;
  #ending = false;
  #lastWords: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#taken(),
        cancel: () => this.#leave(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: options.capBytes }),
    );
    this.#heartbeat = setInterval(() => this.#write(': heartbeat\n\n'), options.heartbeatMs);
  }

  /** @param json as `JSON.stringify` makes it: without line breaks, so that no value can end a field and begin another. */
  send(event: 'event' | 'result' | 'error', json: string): void {
    this.#write(`event: ${event}\ndata: ${json}\n\n`);
  }

  /** Resolves once the reader keeps up again, at once if it does; a reader that does not is cut. */
  async keptUp(): Promise<void> {
    if ((this.#controller?.desiredSize ?? 1) < 0) await this.#waitForRoom();
  }

  /** Nothing more will be sent; what waits may still be read, but not for ever. */
  end(): void {
    if (this.#controller === undefined) return;
    clearInterval(this.#heartbeat);
    this.#ending = true;
    this.#lastWords = setTimeout(() => this.#cut(), LAST_WORDS_MS);
    this.#taken();
  }

  /** The reader is known to be gone: nothing is kept for it any longer. */
  abandon(): void {
    const controller = this.#controller;
    this.#controller = undefined;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#lastWords);
    this.#room?.resolve();
    controller?.close();
  }

  /** The reader has taken something, and less than the cap is left. */
  #taken(): void {
    this.#room?.resolve();
    const controller = this.#controller;
    if (!this.#ending || controller?.desiredSize !== this.#options.capBytes) return;
    this.#controller = undefined;
    clearTimeout(this.#lastWords);
    controller.close();
  }

  #write(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text));
  }

  async #waitForRoom(): Promise<void> {
    const room = (this.#room ??= Promise.withResolvers());
    const timer = setTimeout(() => this.#cut(), this.#options.graceMs);
    await room.promise;
    clearTimeout(timer);
    this.#room = undefined;
  }

  #cut(): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    this.#leave();
    const { cut } = this.#options.connection;
    if (cut !== undefined) cut();
    else controller.error(new Error('The reader was too slow.'));
  }

  #leave(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#lastWords);
    this.#room?.resolve();
    this.#options.onLeave();
  }
}
