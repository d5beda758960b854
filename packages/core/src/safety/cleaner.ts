/**
 * What happens to an exclusive entry between two borrowers, behind the back of the one who left:
 * cool down → reset → verify → weigh. Whatever fails ends the entry.
 */

import { Deadline } from '../base/deadlines.ts';
import type { Entry, EntryState } from '../entry.ts';
import { messageOf } from '../errors.ts';
import type { Lease } from '../lease.ts';
import type { Stock } from '../stock.ts';

export class Cleaner {
  readonly #stock: Stock;
  readonly #isStrict: boolean;
  /** A returned entry may serve the next borrower as it is. */
  readonly #isIdle: boolean;
  /** Tenants have been named: from then on nothing crosses unverified. */
  #hasTenants = false;
  #returns = 0;

  /** @param isStrict every return is verified, not one of many. */
  constructor(stock: Stock, isStrict: boolean) {
    this.#stock = stock;
    this.#isStrict = isStrict;
    const { verify, coolDownMs, maxMemoryKib } = stock.options;
    const { stateless, verifies } = stock.hooks;
    this.#isIdle = stateless && !verifies && verify === 'none' && coolDownMs === 0 && maxMemoryKib === Infinity;
  }

  /** A tenant is named for the first time: what was returned unverified until now is verified before anyone gets it. */
  nameTenants(): void {
    if (this.#hasTenants) return;
    this.#hasTenants = true;
    for (const { idle } of this.#stock.shelves.all()) {
      for (const entry of idle) {
        if (entry.isVerified || !(this.#stock.hooks.verifies || entry.fingerprint !== undefined)) continue;
        idle.remove(entry);
        entry.move('validating');
        void this.#verify(entry, 'validating').then((isClean) => isClean && this.#stock.put(entry));
      }
    }
  }

  /** Puts back what a clean lease held: at once if nothing can be left in it, else when it has been cleaned. */
  takeBack(lease: Lease, nowMs: number): void {
    const { entry } = lease;
    if (this.#isIdle || !lease.touched) this.#stock.put(entry, nowMs);
    else {
      entry.isVerified = false;
      void this.#clean(entry);
    }
  }

  async #clean(entry: Entry): Promise<void> {
    const stock = this.#stock;
    const { coolDownMs } = stock.options;
    if (coolDownMs > 0) {
      entry.move('quarantined');
      await this.#rest(coolDownMs);
      // The pool may have closed meanwhile.
      if (entry.state !== 'quarantined') return;
    }
    entry.move('resetting');
    if (!(await this.#reset(entry)) || !(await this.#verify(entry, 'resetting'))) return;
    const isTooHeavy = await this.#isTooHeavy(entry);
    if (entry.state !== 'resetting') return;
    if (isTooHeavy) return stock.destroy(entry, 'memory');
    stock.put(entry);
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => this.#stock.background.add(new Deadline(resolve), ms));
  }

  async #reset(entry: Entry): Promise<boolean> {
    const { hooks, clock, events, type, recorder } = this.#stock;
    if (hooks.stateless) return true;
    const startMs = clock.now();
    try {
      await hooks.reset(entry.resources);
    } catch (error) {
      if (entry.state !== 'resetting') return false;
      events.emit('agent.reset-failed', { type, entryId: entry.id, error });
      this.#stock.destroy(entry, 'reset-failed');
      return false;
    }
    recorder.histograms.reset.record((clock.now() - startMs) * 1_000);
    // The pool may have closed, and ended it, meanwhile.
    return entry.state === 'resetting';
  }

  /** @param during the state in which it is done; in any other afterwards, the pool has closed meanwhile. */
  async #verify(entry: Entry, during: EntryState): Promise<boolean> {
    const { hooks, options, recorder } = this.#stock;
    this.#returns += 1;
    const isDue = this.#isStrict || this.#hasTenants || this.#returns % options.verifyEvery === 0;
    if (isDue && entry.fingerprint !== undefined) {
      recorder.verified();
      const path = entry.fingerprint.difference(entry.resources);
      if (path !== undefined) return this.#foundDirty(entry, path, undefined);
      entry.isVerified = true;
    }
    if (!hooks.verifies) return true;
    recorder.verified();
    try {
      await hooks.verify(entry.resources);
    } catch (error) {
      return entry.state === during && this.#foundDirty(entry, undefined, error);
    }
    entry.isVerified = entry.fingerprint === undefined || isDue;
    return entry.state === during;
  }

  #foundDirty(entry: Entry, path: string | undefined, error: unknown): false {
    const { events, type } = this.#stock;
    events.emit('agent.verify-failed', { type, entryId: entry.id, path, error });
    this.#stock.suspect(entry, 'verify-failed', path);
    return false;
  }

  /** A shared entry is weighed after a lease, and takes no new one if it is too heavy. */
  async weighShared(entry: Entry): Promise<void> {
    if (this.#stock.options.maxMemoryKib === Infinity || entry.shelf.shared !== entry) return;
    const isTooHeavy = await this.#isTooHeavy(entry);
    if (isTooHeavy && entry.shelf.shared === entry) this.#stock.retire(entry, 'memory');
  }

  async #isTooHeavy(entry: Entry): Promise<boolean> {
    const { hooks, options, events, type } = this.#stock;
    if (options.maxMemoryKib === Infinity) return false;
    try {
      return (await hooks.footprintKib(entry.resources)) > options.maxMemoryKib;
    } catch (error) {
      const message = `static footprint failed, so maxMemoryKib could not be checked: ${messageOf(error)}`;
      events.emit('agent.log', { type, entryId: entry.id, message, fields: undefined });
      return false;
    }
  }
}
