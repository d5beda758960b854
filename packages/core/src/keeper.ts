/** Housekeeping of one pool, on timers that never keep the process alive: marks, health, lives, leaks, the queue. */

import { Deadline } from './deadlines.ts';
import type { Deadlines } from './deadlines.ts';

export class Keeper {
  readonly #background: Deadlines;
  readonly #chores: Deadline[] = [];
  #isStopped = false;

  constructor(background: Deadlines) {
    this.#background = background;
  }

  /** Does `work` again and again, `everyMs` after it was done. */
  every(everyMs: () => number, work: () => void | Promise<void>): void {
    const chore = new Deadline(() => void this.#do(chore, everyMs, work));
    this.#chores.push(chore);
    this.#background.add(chore, everyMs());
  }

  async #do(chore: Deadline, everyMs: () => number, work: () => void | Promise<void>): Promise<void> {
    await work();
    if (!this.#isStopped) this.#background.add(chore, everyMs());
  }

  stop(): void {
    this.#isStopped = true;
    for (const chore of this.#chores) this.#background.remove(chore);
  }
}
