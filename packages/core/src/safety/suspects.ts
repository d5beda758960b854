/**
 * Entries that failed a check or were revoked, kept for a while so that someone can look at them. They hold no place of
 * the pool and are never handed out.
 */

import { Deadline } from '../base/deadlines.ts';
import type { Deadlines } from '../base/deadlines.ts';
import type { Clock } from '../base/clock.ts';
import type { Entry } from '../entry.ts';
import type { DestroyReason, Emitter } from '../events.ts';
import type { ResolvedPoolOptions } from '../settings/options.ts';

/** What a person who looks for the cause gets to see. */
export interface Suspect {
  readonly entryId: number;
  readonly reason: DestroyReason;
  /** Where a fingerprint differed. */
  readonly path: string | undefined;
  readonly heldMs: number;
  readonly uses: number;
  /** The resources as they were left. They may hold a borrower's data. */
  readonly resources: unknown;
}

export interface SuspectsHome {
  readonly type: string;
  readonly clock: Clock;
  readonly background: Deadlines;
  readonly events: Emitter;
  readonly options: ResolvedPoolOptions;
  destroy(entry: Entry, reason: DestroyReason): void;
}

interface Kept {
  readonly reason: DestroyReason;
  readonly path: string | undefined;
  readonly sinceMs: number;
  readonly deadline: Deadline;
}

export class Suspects {
  readonly #home: SuspectsHome;
  readonly #kept = new Map<Entry, Kept>();

  constructor(home: SuspectsHome) {
    this.#home = home;
  }

  get size(): number {
    return this.#kept.size;
  }

  has(entry: Entry): boolean {
    return this.#kept.has(entry);
  }

  /** @returns whether it is kept; the oldest goes when there are too many. */
  keep(entry: Entry, reason: DestroyReason, path: string | undefined): boolean {
    const { options, clock, background, events, type } = this.#home;
    if (options.keepSuspects === 0) return false;
    entry.move('quarantined');
    const deadline = new Deadline(() => this.#home.destroy(entry, reason));
    this.#kept.set(entry, { reason, path, sinceMs: clock.now(), deadline });
    background.add(deadline, options.suspectMs);
    events.emit('agent.quarantined', { type, entryId: entry.id, reason, path });
    const [oldest] = this.#kept;
    if (this.#kept.size > options.keepSuspects && oldest !== undefined) this.#home.destroy(oldest[0], oldest[1].reason);
    return true;
  }

  /** @returns whether it was kept here. */
  drop(entry: Entry): boolean {
    const kept = this.#kept.get(entry);
    if (kept === undefined) return false;
    this.#home.background.remove(kept.deadline);
    return this.#kept.delete(entry);
  }

  list(): Suspect[] {
    const nowMs = this.#home.clock.now();
    return [...this.#kept].map(([{ id, uses, resources }, { reason, path, sinceMs }]) => {
      return { entryId: id, reason, path, heldMs: nowMs - sinceMs, uses, resources };
    });
  }
}
