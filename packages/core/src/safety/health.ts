/** Looks after entries while nobody holds them: are they healthy, too old, idle for too long? */

import type { Entry } from '../entry.ts';
import type { FailingEntries } from '../run/run-follower.ts';
import type { Stock } from '../stock.ts';

export class Health implements FailingEntries {
  readonly #stock: Stock;

  constructor(stock: Stock) {
    this.#stock = stock;
  }

  get validates(): boolean {
    return this.#stock.hooks.validates;
  }

  get limitsLife(): boolean {
    const { maxAgeMs, maxIdleMs } = this.#stock.options;
    return Math.min(maxAgeMs, maxIdleMs) < Infinity;
  }

  /** Checks each idle entry once, one at a time, so that the others stay at hand. */
  async validate(): Promise<void> {
    for (const shelf of this.#stock.shelves.all()) {
      if (shelf.shared !== undefined) await this.validateShared(shelf.shared);
      for (const entry of Array.from(shelf.idle)) if (entry.state === 'idle') await this.#validateIdle(entry);
    }
  }

  async #validateIdle(entry: Entry): Promise<void> {
    entry.shelf.idle.remove(entry);
    await this.validateTaken(entry);
  }

  /** Checks an entry that was taken out of the idle ones, and puts it back; it may then serve whoever waits. */
  async validateTaken(entry: Entry): Promise<void> {
    entry.move('validating');
    try {
      await this.#stock.hooks.validate(entry.resources);
      // The pool may have closed, and ended it, meanwhile.
      if (entry.state === 'validating') this.#stock.put(entry);
    } catch (error) {
      if (entry.state !== 'validating') return;
      this.#tell(entry, error);
      this.#stock.destroy(entry, 'validate-failed');
    }
  }

  /** A shared entry is checked while it serves; if it is ill, it takes no new lease. */
  async validateShared(entry: Entry): Promise<void> {
    try {
      await this.#stock.hooks.validate(entry.resources);
      entry.failuresInARow = 0;
    } catch (error) {
      // It may have been retired or ended meanwhile.
      if (entry.shelf.shared !== entry) return;
      this.#tell(entry, error);
      this.#stock.retire(entry, 'validate-failed');
    }
  }

  /** Run after run failed on a shared entry: its health decides, or, where nothing checks that, it is replaced. */
  lookAtFailing(entry: Entry): void {
    if (entry.shelf.shared !== entry) return;
    if (this.validates) return void this.validateShared(entry);
    const error = new Error(`${entry.failuresInARow} runs failed in a row on a shared entry`);
    entry.shelf.creator.failedAfterAll(entry, error, entry.hasServed ? 0 : undefined);
    this.#stock.retire(entry, 'failing');
  }

  #tell(entry: Entry, error: unknown): void {
    const { events, type } = this.#stock;
    events.emit('agent.validate-failed', { type, entryId: entry.id, error });
  }

  #endShared(entry: Entry, nowMs: number): void {
    const { maxIdleMs, minIdle } = this.#stock.options;
    if (entry.expiresMs <= nowMs) this.#stock.retire(entry, 'expired');
    else if (entry.leases === 0 && minIdle === 0 && nowMs - entry.idleSinceMs >= maxIdleMs) {
      this.#stock.retire(entry, 'idle');
    }
  }

  /** Ends entries that are too old, and those that have rested too long while more than the minimum are idle. */
  endLives(): void {
    const { shelves, options, clock, isShared } = this.#stock;
    const nowMs = clock.now();
    for (const shelf of shelves.all()) {
      const { shared, idle } = shelf;
      if (isShared && shared !== undefined) this.#endShared(shared, nowMs);
      for (const entry of idle) {
        const isOld = entry.expiresMs <= nowMs;
        const isSurplus = nowMs - entry.idleSinceMs >= options.maxIdleMs && idle.size > this.#stock.floor;
        if (!isOld && !isSurplus) continue;
        idle.remove(entry);
        this.#stock.destroy(entry, isOld ? 'expired' : 'idle');
      }
    }
  }
}
