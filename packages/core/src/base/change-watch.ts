/** Lets drain and close wait for a condition that only the pool's own changes can bring about. */

import type { Deadlines } from './deadlines.ts';

export class ChangeWatch {
  readonly #deadlines: Deadlines;
  readonly #looks = new Set<() => void>();

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /** Something changed: whoever waits looks again. */
  changed(): void {
    // Called at every release, and nobody looks as a rule.
    if (this.#looks.size === 0) return;
    for (const look of this.#looks) look();
  }

  /** Waits until `holds`, at most `timeoutMs`. @returns whether it does. */
  async until(timeoutMs: number, holds: () => boolean): Promise<boolean> {
    if (holds() || timeoutMs <= 0) return holds();
    const met = Promise.withResolvers<void>();
    const look = (): void => {
      if (holds()) met.resolve();
    };
    this.#looks.add(look);
    const late = (): Error => new Error('not in time');
    await this.#deadlines.within(timeoutMs, () => met.promise, late).catch(() => undefined);
    this.#looks.delete(look);
    return holds();
  }
}
