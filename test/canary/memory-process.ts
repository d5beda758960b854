/** A child process that remembers what it is told until it is told to forget: state that no walk in here can see. */

import { fileURLToPath } from 'node:url';
import { JsonLinesProcess } from '../../examples/child-process-single-use/json-lines-process.ts';

export type Question = { readonly remember: string } | { readonly recall: true } | { readonly forget: true };

export class MemoryProcess {
  readonly #process: JsonLinesProcess;
  #lastId = 0;

  private constructor(process: JsonLinesProcess) {
    this.#process = process;
  }

  static async start(signal: AbortSignal): Promise<MemoryProcess> {
    const script = fileURLToPath(new URL('memory-child.ts', import.meta.url));
    const child = new JsonLinesProcess([script], signal);
    await child.next();
    return new MemoryProcess(child);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** What it remembers, after doing what was asked. Answers to questions that nobody waited for are passed over. */
  async ask(question: Question): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#process.send({ id, ...question });
    for (;;) {
      const answer = (await this.#process.next()) as { id: number; notes: unknown };
      if (answer.id === id) return answer.notes;
    }
  }

  end(): Promise<void> {
    return this.#process.stop();
  }
}
