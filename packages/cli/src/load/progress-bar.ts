/** Shows how far the load is: a bar on a terminal, a line now and then elsewhere. On stderr, as stdout is for results. */

import type { WriteStream } from 'node:tty';

const BAR_WIDTH = 24;
const REDRAW_MS = 200;
/** In a log, a tenth of the time is often enough, and not oftener than this. */
const LINE_MS = 2_000;

export class ProgressBar {
  readonly #out: WriteStream;
  readonly #totalMs: number;
  readonly #say: () => string;
  readonly #startMs = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param say what stands beside the bar. */
  constructor(out: WriteStream, totalMs: number, say: () => string) {
    this.#out = out;
    this.#totalMs = totalMs;
    this.#say = say;
    const everyMs = out.isTTY ? REDRAW_MS : Math.max(LINE_MS, totalMs / 10);
    this.#timer = setInterval(() => this.#draw(), everyMs);
  }

  /** Removes the bar. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
  }

  #draw(): void {
    const elapsedMs = performance.now() - this.#startMs;
    const share = Math.min(1, elapsedMs / this.#totalMs);
    const seconds = `${(elapsedMs / 1_000).toFixed(0)} of ${(this.#totalMs / 1_000).toFixed(0)} s`;
    if (!this.#out.isTTY) {
      this.#out.write(`${seconds}: ${this.#say()}\n`);
      return;
    }
    const full = Math.round(share * BAR_WIDTH);
    const line = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${seconds}  ${this.#say()}`;
    // A line that wraps could not be drawn over.
    this.#out.write(`\r${line.slice(0, this.#out.columns - 1)}\u001b[K`);
  }
}
