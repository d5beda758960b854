/** The record of one pooled thing: its resources, its state and the legal moves between states. */

import type { DestroyReason } from './events.ts';
import type { Linked } from './linked-list.ts';

export type EntryState = 'creating' | 'idle' | 'leased' | 'resetting' | 'validating' | 'destroying' | 'destroyed';

const BIT: Readonly<Record<EntryState, number>> = {
  creating: 1,
  idle: 2,
  leased: 4,
  resetting: 8,
  validating: 16,
  destroying: 32,
  destroyed: 64,
};

/** From each state, the states that may follow. `leased → leased` is a further lease of a shared entry, or a hand-over. */
const MOVES: Readonly<Record<EntryState, number>> = {
  creating: BIT.idle | BIT.leased | BIT.destroying | BIT.destroyed,
  idle: BIT.leased | BIT.validating | BIT.destroying,
  leased: BIT.idle | BIT.leased | BIT.resetting | BIT.destroying,
  resetting: BIT.idle | BIT.leased | BIT.destroying,
  validating: BIT.idle | BIT.leased | BIT.destroying,
  destroying: BIT.destroyed,
  destroyed: 0,
};

export class Entry implements Linked<Entry> {
  /** Links of the list of idle entries. */
  previous: Entry | undefined = undefined;
  next: Entry | undefined = undefined;
  readonly id: number;
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

  constructor(id: number, startedMs: number, overflow: boolean) {
    this.id = id;
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
