/** Decides how many entries are wanted now and for which key, and which places change hands between keys. */

import type { Entry } from './entry.ts';
import type { TenantLimits } from './tenant-limits.ts';
import type { Shelf } from './shelf.ts';
import type { Shelves } from './shelves.ts';
import type { DestroyReason } from './events.ts';
import type { PoolState } from './stock.ts';

/** What is decided on. */
export interface DemandHome {
  readonly isShared: boolean;
  readonly shelves: Shelves;
  readonly max: number;
  readonly capacity: number;
  /** Entries that hold a place, those being created or destroyed among them. */
  readonly placed: number;
  readonly destroying: number;
  readonly recorder: { readonly meanCreateMs: number };
  destroy(entry: Entry, reason: DestroyReason): void;
}

/** Who asks. */
export interface DemandSource {
  readonly state: PoolState;
  readonly leases: { readonly size: number };
  /** Says which waiters are kept waiting by their tenant's own limit: nothing need be made for those. */
  readonly tenants: TenantLimits;
}

export class Demand {
  readonly #home: DemandHome;
  readonly #source: DemandSource;
  /** Idle entries to keep in the background. */
  floor: number;

  constructor(home: DemandHome, source: DemandSource, floor: number) {
    this.#home = home;
    this.#source = source;
    this.floor = floor;
  }

  /** Starts as many creations as are wanted and allowed. */
  replenish(): void {
    const { state } = this.#source;
    if (state === 'closed' || state === 'suspended') return;
    const floor = state === 'running' ? this.floor : 0;
    for (const shelf of this.#home.shelves.wanting()) this.#fill(shelf, floor);
  }

  #fill(shelf: Shelf, floor: number): void {
    const { creator } = shelf;
    const { capacity, placed, max, shelves, isShared } = this.#home;
    const room = capacity - placed;
    const wanted = isShared ? this.#wantedShared(shelf, floor) : this.#wanted(shelf, floor, room);
    if (wanted <= 0) return;
    if (!shelves.isKeyed) return creator.start(wanted);
    // Idle entries of other keys give way before anything is made beyond max.
    const startable = Math.min(wanted, creator.startable);
    const regular = Math.max(0, Math.min(startable, max - placed));
    if (startable > regular) this.#makeRoom(shelf, startable - regular - this.#home.destroying);
    const beyond = Math.min(startable - regular - this.#home.destroying, room - regular);
    creator.start(regular + Math.max(0, beyond));
  }

  #wanted({ creator, idle, waiters }: Shelf, floor: number, room: number): number {
    const { shelves, max, placed } = this.#home;
    const forFloor = Math.min(floor - idle.size - creator.inFlight, max - placed);
    const lacking = this.#source.tenants.servable(waiters) - creator.inFlight;
    // A key may take the place of another one.
    return Math.max(shelves.isKeyed ? lacking : Math.min(lacking, room), forFloor);
  }

  #wantedShared({ creator, shared, waiters }: Shelf, floor: number): number {
    const { leases, tenants } = this.#source;
    // While there is no room for a lease, an entry would only push out one that another key waits for.
    const isAsked = floor > 0 || (tenants.servable(waiters) > 0 && leases.size < this.#home.max);
    return isAsked && shared === undefined && creator.inFlight === 0 ? 1 : 0;
  }

  /** Idle entries of other keys give way, those of the key that was asked for longest ago first. */
  #makeRoom(shelf: Shelf, count: number): void {
    const { shelves, isShared } = this.#home;
    let left = count;
    for (const other of shelves) {
      while (left > 0 && other !== shelf) {
        const entry = other.evictable;
        if (entry === undefined) break;
        if (!isShared) other.idle.remove(entry);
        this.#home.destroy(entry, 'gave-way');
        left -= 1;
      }
    }
  }

  /** With keys: whether another one needs this entry's place more than its own. */
  givesWay({ uses, shelf }: Entry, nowMs: number): boolean {
    const { capacity, placed, destroying, shelves, recorder } = this.#home;
    if (this.#source.state === 'suspended' || capacity > placed) return false;
    // Every entry serves at least once, or keys would push out each other's new entries in a circle.
    if (uses === 0 && this.#source.tenants.servable(shelf.waiters) > 0) return false;
    return shelves.isOutbid(shelf, destroying, this.#servable, { nowMs, meanCreateMs: recorder.meanCreateMs });
  }

  /** With keys: whether the waiters of another one have a better claim to the next lease than those of this one. */
  isOutbid(shelf: Shelf, nowMs: number): boolean {
    const { shelves, recorder } = this.#home;
    return shelves.isOutbid(shelf, 0, this.#servable, { nowMs, meanCreateMs: recorder.meanCreateMs });
  }

  readonly #servable = ({ waiters }: Shelf): number => this.#source.tenants.servable(waiters);
}
