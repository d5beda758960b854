/** The record of one pooled thing: its resources, its state and the legal moves between states. */

import type { DestroyReason } from './events.ts';
import type { Linked } from './base/linked-list.ts';
import type { Fingerprint } from './safety/fingerprint.ts';
import type { Shelf } from './shelf.ts';

export type EntryState =
  | 'creating'
  | 'idle'
  | 'leased'
  | 'resetting'
  | 'validating'
  /** Cooling down after a lease, or kept for a look because it is suspect; never handed out. */
  | 'quarantined'
  | 'destroying'
  | 'destroyed';

const BIT: Readonly<Record<EntryState, number>> = {
  creating: 1,
  idle: 2,
  leased: 4,
  resetting: 8,
  validating: 16,
  quarantined: 32,
  destroying: 64,
  destroyed: 128,
};

/** From each state, the states that may follow. `leased → leased` is a further lease of a shared entry, or a hand-over. */
const MOVES: Readonly<Record<EntryState, number>> = {
  creating: BIT.idle | BIT.leased | BIT.destroying | BIT.destroyed,
  idle: BIT.leased | BIT.validating | BIT.destroying,
  leased: BIT.idle | BIT.leased | BIT.resetting | BIT.quarantined | BIT.destroying,
  resetting: BIT.idle | BIT.leased | BIT.quarantined | BIT.destroying,
  validating: BIT.idle | BIT.leased | BIT.destroying,
  quarantined: BIT.resetting | BIT.destroying,
  destroying: BIT.destroyed,
  destroyed: 0,
};

export class Entry implements Linked<Entry> {
  /** Links of the list of idle entries. */
  previous: Entry | undefined = undefined;
  next: Entry | undefined = undefined;
  readonly id: number;
  /** Where it stands: with the entries of the same key. */
  readonly shelf: Shelf;
  /** Whether it stands beyond `max`; such an entry serves once. */
  overflow: boolean;
  /** When its creation began, on the clock of the pool. */
  readonly startedMs: number;
  #state: EntryState = 'creating';
  resources: unknown = undefined;
  /** Leases that hold it now: 0 or 1, more only when shared. */
  leases = 0;
  /** Leases since creation. */
  uses = 0;
  /** Why it takes no new lease; destroyed after the last one. */
  retiredFor: DestroyReason | undefined = undefined;
  /** When it must end, on the clock of the pool. */
  expiresMs: number = Number.POSITIVE_INFINITY;
  /** Since when it rests; only true while idle. */
  idleSinceMs = 0;
  /** When it was last known to be healthy: at the end of a lease or of a check. */
  healthyMs = 0;
  /** On whose behalf it was used last. */
  tenant: string | undefined = undefined;
  /** What its resources looked like after creation, where that is compared. */
  fingerprint: Fingerprint | undefined = undefined;
  /** Known to be clean since its last lease, where the class has a way to know. */
  isVerified = true;
  /** A suspect: it gave its place up and stands beside the pool. */
  isBeside = false;
  /** Has run without a failure at least once. */
  hasServed = false;
  /** Failed runs since the last that succeeded; counted where failures do not make the entry dirty. */
  failuresInARow = 0;

  constructor(id: number, shelf: Shelf, startedMs: number, overflow: boolean) {
    this.id = id;
    this.shelf = shelf;
    this.startedMs = startedMs;
    this.overflow = overflow;
  }

  get state(): EntryState {
    return this.#state;
  }

  /** The only place where an entry's state changes. An illegal move is a fault of the pool and must not pass. */
  move(to: EntryState): void {
    if ((MOVES[this.#state] & BIT[to]) === 0) {
      throw new Error(`Entry ${this.id} cannot move from ${this.#state} to ${to}. This is a fault in @sophia-ai/core.`);
    }
    this.#state = to;
  }
}
