/** A child process that is told and tells one JSON value a line. */

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

export class JsonLinesProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  /** How it ended, in words. */
  readonly ended: Promise<string>;
  #lastComplaint = '';

  /** @param signal kills the process when aborted. */
  constructor(nodeArguments: readonly string[], signal: AbortSignal) {
    // An empty environment: what runs in there must not find our secrets.
    this.#child = spawn(process.execPath, nodeArguments, { env: {}, signal, killSignal: 'SIGKILL' });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastComplaint = (this.#lastComplaint + text).slice(-500);
    });
    // A write to a process that just died, an abort, a failed start: `close` follows and tells it better.
    this.#child.stdin.on('error', () => undefined);
    this.#child.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, killedBy) => {
        const how = killedBy === null ? `ended with exit code ${code}` : `was killed by ${killedBy}`;
        resolve(`Process ${this.#child.pid} ${how}. ${this.#lastComplaint}`.trimEnd());
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** The next value it says. @throws Error if it ends instead. */
  async next(): Promise<unknown> {
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error(await this.ended);
    return JSON.parse(value);
  }

  /** Resolves once the process is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
