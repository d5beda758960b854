/**
 * The entries of one pool: which are wanted, which may serve, how they end. It knows nothing of borrowers but which
 * wait; a clean entry goes to the one whose turn it is, else it rests.
 */

import type { Clock } from './base/clock.ts';
import type { CreatorHome } from './creator.ts';
import type { Deadlines } from './base/deadlines.ts';
import { Demand } from './demand.ts';
import type { DemandHome, DemandSource } from './demand.ts';
import { Entry } from './entry.ts';
import type { DestroyReason, Emitter } from './events.ts';
import type { Hooks } from './hooks.ts';
import type { House } from './house.ts';
import type { Recorder } from './measure/stats.ts';
import type { ResolvedPoolOptions } from './settings/options.ts';
import { Health } from './safety/health.ts';
import { Fingerprint } from './safety/fingerprint.ts';
import { Suspects } from './safety/suspects.ts';
import { Shelf } from './shelf.ts';
import { Shelves } from './shelves.ts';
import { replaceRenewed } from './upkeep/renewal.ts';
import { WaiterQueue } from './waiter-queue.ts';

export type PoolState = 'running' | 'suspended' | 'draining' | 'closed';

/** What the stock asks of the pool whose entries it keeps. */
export interface StockHome extends DemandSource {
  readonly type: string;
  readonly options: ResolvedPoolOptions;
  readonly room: {
    /** Gives the entry to the borrower whose turn it is. @returns whether there is one that may have it. */
    serve(entry: Entry, isNew: boolean): boolean;
    /** Creation fails and nothing else can serve: the waiters are to be told. */
    refuse(shelf: Shelf, cause: unknown, failuresInARow: number): void;
  };
  /** Something changed that a drain or close may wait for. */
  changed(): void;
}

/** Of the longest life, at most this share is taken off at random, so that entries made together do not end together. */
const AGE_JITTER = 0.05;
/** Resources that end sooner than this without having served count as a failed creation. */
const SHORT_LIFE_MS = 1_000;
/** Creations for other keys go on while one key's service hangs. */
const KEYS_IN_PARALLEL = 4;

export class Stock implements CreatorHome, DemandHome {
  readonly type: string;
  readonly options: ResolvedPoolOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly deadlines: Deadlines;
  readonly background: Deadlines;
  readonly events: Emitter;
  readonly hooks: Hooks;
  readonly recorder: Recorder;
  readonly isShared: boolean;
  readonly suspects: Suspects;
  readonly shelves: Shelves;
  readonly health: Health;
  readonly creatingLimit: number;
  max: number;
  creating = 0;
  readonly #home: StockHome;
  readonly #entries = new Set<Entry>();
  /** How long an entry may have rested to be lent without a look at its health. */
  readonly #restMs: number;
  readonly #demand: Demand;
  /** Those that are being destroyed and still hold their place. */
  destroying = 0;
  /** Entries that are not beyond `max` and not being destroyed. */
  #regular = 0;
  #beside = 0;
  #lastId = 0;

  constructor(home: StockHome, house: House, hooks: Hooks, recorder: Recorder) {
    const { options } = home;
    this.type = home.type;
    this.options = options;
    this.clock = house.clock;
    this.random = house.random;
    this.deadlines = house.deadlines;
    this.background = house.background;
    this.events = house.events;
    this.hooks = hooks;
    this.recorder = recorder;
    this.isShared = options.reuse === 'shared';
    this.max = options.max;
    this.#home = home;
    this.suspects = new Suspects(this);
    this.health = new Health(this);
    this.#restMs = hooks.validates && !this.isShared ? options.validateAfterIdleMs : Infinity;
    const newShelf = (name: string, key: unknown): Shelf =>
      new Shelf(name, key, new WaiterQueue(house.deadlines, options.tenantWeights), this);
    this.shelves = new Shelves(hooks.keyReader, newShelf);
    this.#demand = new Demand(this, home, options.minIdle);
    // One creator has its own limit; this one is for all keys together.
    this.creatingLimit = this.shelves.isKeyed ? KEYS_IN_PARALLEL * options.createConcurrency : Infinity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Entries that hold a place; suspects are kept beside. */
  get placed(): number {
    return this.#entries.size - this.#beside;
  }

  /** Most entries, or leases of a shared entry, including overflow. */
  get capacity(): number {
    return this.max + (this.options.exhaustion === 'grow' ? this.options.maxOverflow : 0);
  }

  /** Whether at least one entry has been made and is not on its way out; keys make theirs when they are asked for. */
  get isWarm(): boolean {
    return this.shelves.isKeyed || this.placed > this.destroying + this.creating;
  }

  /** A copy: whoever walks it may end entries. */
  entries(): Entry[] {
    return [...this.#entries];
  }

  // ---- in and out

  /** A free entry of this shelf, taken out. */
  take(shelf: Shelf, tenant: string | undefined, nowMs: number): Entry | undefined {
    if (this.shelves.isKeyed) this.shelves.touch(shelf);
    for (;;) {
      const isRoom = !this.isShared || this.#home.leases.size < this.max;
      const entry = this.isShared ? shelf.shared : shelf.pop(tenant);
      if (entry === undefined || !isRoom) return undefined;
      const ended = this.#lifeEnd(entry, nowMs);
      if (ended === undefined && nowMs - entry.healthyMs <= this.#restMs) return entry;
      if (ended !== undefined && this.isShared) this.retire(entry, ended);
      else if (ended !== undefined) this.destroy(entry, ended);
      else {
        // The others have rested even longer: the borrower waits for this one, or for a new one.
        void this.health.validateTaken(entry);
        return undefined;
      }
    }
  }

  /** Idle entries that are kept in the background. */
  get floor(): number {
    return this.#demand.floor;
  }

  /** After an entry was taken: a floor of idle entries may want a new one. */
  taken(): void {
    if (this.floor > 0) this.replenish();
  }

  /** A clean entry that no lease holds: the next waiter gets it, or it rests, or it is no longer wanted. */
  put(entry: Entry, nowMs: number = this.clock.now()): void {
    if (this.#home.state === 'closed') return this.destroy(entry, 'closed');
    if (entry.state === 'creating') this.#admit(entry, nowMs);
    if (this.isShared) return this.#putShared(entry);
    const ended = this.#lifeEnd(entry, nowMs);
    if (ended !== undefined) return this.destroy(entry, ended);
    if (entry.overflow && this.#regular < this.max) {
      entry.overflow = false;
      this.#regular += 1;
    }
    if (this.#regular > this.max && !entry.overflow) return this.destroy(entry, 'surplus');
    if (this.shelves.isKeyed && this.#demand.givesWay(entry, nowMs)) return this.destroy(entry, 'gave-way');
    if (this.#serve(entry, entry.state === 'creating')) return;
    if (entry.overflow) return this.destroy(entry, 'overflow');
    // A health check is no use: the rest goes on.
    if (entry.state !== 'validating') entry.idleSinceMs = nowMs;
    entry.healthyMs = nowMs;
    entry.move('idle');
    entry.shelf.idle.push(entry);
  }

  #serve(entry: Entry, isNew: boolean): boolean {
    return entry.shelf.waiters.size > 0 && this.#home.state !== 'suspended' && this.#home.room.serve(entry, isNew);
  }

  /** The entry is new: its life begins, and what it looks like now is how it shall look after every lease. */
  #admit(entry: Entry, nowMs: number): void {
    const { maxAgeMs, verify, verifyIgnore: ignore } = this.options;
    entry.expiresMs = nowMs + maxAgeMs * (1 - AGE_JITTER * this.random());
    if (verify === 'fingerprint' && !this.isShared) entry.fingerprint = Fingerprint.of(entry.resources, { ignore });
  }

  /** Why an entry that nobody holds may not serve again, if so. */
  #lifeEnd(entry: Entry, nowMs: number): DestroyReason | undefined {
    if (entry.retiredFor !== undefined) return entry.retiredFor;
    if (entry.uses >= this.options.maxUses) return 'used-up';
    return entry.expiresMs <= nowMs ? 'expired' : undefined;
  }

  #putShared(entry: Entry): void {
    const { shelf } = entry;
    const nowMs = this.clock.now();
    const outbid = this.shelves.isKeyed && this.#demand.givesWay(entry, nowMs) ? 'gave-way' : undefined;
    const ended = entry.leases > 0 ? undefined : (this.#lifeEnd(entry, nowMs) ?? outbid);
    if (ended !== undefined) {
      this.destroy(entry, ended);
      // Its last lease has left room for one on the entry that serves now.
      return this.serveShared();
    }
    if (shelf.shared !== undefined && shelf.shared !== entry) return this.destroy(entry, 'surplus');
    const isNew = entry.state === 'creating';
    shelf.shared = entry;
    if (entry.leases === 0) entry.idleSinceMs = nowMs;
    if (entry.state !== 'idle') entry.move('idle');
    this.serveShared(isNew);
  }

  /** Lets waiters in while shared entries have room for them, one key after the other. */
  serveShared(isNew = false): void {
    if (!this.shelves.isHungry && this.floor === 0) return;
    for (let served = true; served;) {
      served = false;
      for (const shelf of this.shelves.hungry()) served = this.#serveOne(shelf, isNew) || served;
    }
    this.replenish();
  }

  /** Lets waiters in who may be served though some before them may not, and all after a suspension. */
  serveWaiting(): void {
    for (const shelf of this.shelves.hungry()) while (this.#serveOne(shelf, false));
    this.replenish();
  }

  #serveOne(shelf: Shelf, isNew: boolean): boolean {
    if (shelf.waiters.size === 0 || this.#home.state === 'suspended') return false;
    // A lease that ends leaves room for the key that has waited longest, even if its entry is still to be made.
    if (this.isShared && this.shelves.isKeyed && this.#demand.isOutbid(shelf, this.clock.now())) return false;
    const entry = this.take(shelf, undefined, this.clock.now());
    if (entry === undefined) return false;
    const isServed = this.#home.room.serve(entry, isNew);
    if (!isServed && !this.isShared) shelf.idle.push(entry);
    return isServed;
  }

  // ---- ending

  /** A shared entry takes no new lease and ends with its last one; any other ends when it is next put. */
  retire(entry: Entry, reason: DestroyReason): void {
    entry.retiredFor ??= reason;
    if (!this.isShared) return;
    if (entry.shelf.shared === entry) entry.shelf.shared = undefined;
    if (entry.state === 'idle' && entry.leases === 0) this.destroy(entry, reason);
    this.replenish();
  }

  /** The resources ended by themselves: their entry goes now if nobody holds it, else after its lease. */
  retireEntry(entry: Entry, why: string): void {
    if (entry.state === 'destroying' || entry.state === 'destroyed') return;
    const { id: entryId, shelf } = entry;
    this.events.emit('agent.log', { type: this.type, entryId, message: `retired: ${why}`, fields: undefined });
    const isShortLived = entry.uses === 0 && this.clock.now() - entry.idleSinceMs < SHORT_LIFE_MS;
    if (entry.state === 'idle' && isShortLived) {
      shelf.creator.failedAfterAll(entry, new Error(`the resources ended before they were used: ${why}`));
    }
    this.retire(entry, 'retired');
    if (entry.state !== 'idle' || this.isShared) return;
    shelf.idle.remove(entry);
    this.destroy(entry, 'retired');
  }

  /** An entry that nobody may meet again: kept for a look where that is asked for, else destroyed. */
  suspect(entry: Entry, reason: DestroyReason, path?: string): void {
    if (this.#home.state === 'closed' || !this.suspects.keep(entry, reason, path)) return this.destroy(entry, reason);
    entry.isBeside = true;
    this.#beside += 1;
    entry.shelf.live -= 1;
    if (!entry.overflow) this.#regular -= 1;
    entry.overflow = true;
    if (entry.retiredFor === 'renewed') replaceRenewed(this, entry.shelf);
    this.#home.changed();
    this.replenish();
  }

  /** Ends an entry; its place is free once `static destroy` has settled or its time is up. */
  destroy(entry: Entry, reason: DestroyReason): void {
    const { shelf, resources } = entry;
    entry.move('destroying');
    this.suspects.drop(entry);
    const isPlaced = !entry.isBeside;
    if (isPlaced) {
      this.destroying += 1;
      shelf.destroying += 1;
    }
    if (!entry.overflow) this.#regular -= 1;
    if (shelf.shared === entry) shelf.shared = undefined;
    this.recorder.destroyed(reason);
    entry.resources = undefined;
    entry.fingerprint = undefined;
    const failed = (error: unknown): void =>
      this.events.emit('agent.destroy-failed', { type: this.type, entryId: entry.id, error });
    void this.hooks
      .destroy(resources)
      .catch(failed)
      .then(() => {
        if (isPlaced) {
          this.destroying -= 1;
          shelf.destroying -= 1;
          shelf.live -= 1;
        }
        this.#forget(entry);
        if (isPlaced && entry.retiredFor === 'renewed') replaceRenewed(this, shelf);
        this.events.emit('agent.destroyed', { type: this.type, entryId: entry.id, reason, uses: entry.uses });
        this.replenish();
      });
  }

  /** Whether an entry may still be made for later. */
  get hasRoom(): boolean {
    const { state } = this.#home;
    return state !== 'closed' && state !== 'draining' && this.placed < this.max;
  }

  #forget(entry: Entry): void {
    entry.move('destroyed');
    this.#entries.delete(entry);
    if (entry.isBeside) this.#beside -= 1;
    this.shelves.prune(entry.shelf);
    this.#home.changed();
  }

  // ---- making

  /** Starts as many creations as are wanted and allowed; called after every change. */
  replenish(): void {
    this.#demand.replenish();
  }

  addEntry(shelf: Shelf, startedMs: number = this.clock.now()): Entry {
    this.#lastId += 1;
    const entry = new Entry(this.#lastId, shelf, startedMs, !this.isShared && this.#regular >= this.max);
    this.#entries.add(entry);
    shelf.live += 1;
    if (!entry.overflow) this.#regular += 1;
    return entry;
  }

  dropEntry(entry: Entry): void {
    if (!entry.overflow) this.#regular -= 1;
    entry.shelf.live -= 1;
    entry.move('destroyed');
    // The shelf is kept: its creator is about to remember the failure.
    this.#entries.delete(entry);
    this.#home.changed();
  }

  takeLate(shelf: Shelf, resources: unknown, startedMs: number, mayServe: boolean): Entry {
    const entry = this.addEntry(this.shelves.keep(shelf), startedMs);
    entry.resources = resources;
    if (mayServe && this.#home.state !== 'closed' && !entry.overflow) this.put(entry);
    else this.destroy(entry, 'late');
    return entry;
  }

  creationEnded(shelf: Shelf): void {
    this.#home.changed();
    this.replenish();
    this.shelves.prune(shelf);
  }

  /** A pause after failures is over. */
  pauseEnded(shelf: Shelf): void {
    this.replenish();
    this.shelves.prune(shelf);
  }

  noteCreateFailed(shelf: Shelf, cause: unknown): void {
    this.recorder.createFailed();
    const { outage } = shelf;
    if (outage !== undefined) this.#home.room.refuse(shelf, cause, outage.failuresInARow);
  }

  // ---- prewarming and live change

  /** How many entries are missing until `count` could be handed out or are in use. */
  missing(count: number, shelf: Shelf): number {
    if (this.#home.state !== 'running') return 0;
    const { shared, creator, live, destroying } = this.shelves.keep(shelf);
    if (this.isShared) return shared === undefined && creator.inFlight === 0 ? 1 : 0;
    // A place is free only once what stood there is destroyed.
    return Math.max(0, Math.min(count - (live - destroying), this.max - this.placed));
  }

  /** A single-use pool replaces what it hands out: as many stay warm as were once prewarmed. */
  keepWarm(count: number): void {
    if (this.options.reuse === 'single-use' && !this.shelves.isKeyed) {
      this.#demand.floor = Math.max(this.#demand.floor, count);
    }
  }

  /**
   * Creates one entry and runs it dry before it may serve.
   * @param onReady called when it is about to serve.
   */
  async prewarmOne(shelf: Shelf, onReady?: () => void): Promise<{ readonly ms: number; readonly error: unknown }> {
    const startMs = this.clock.now();
    const warm = async (entry: Entry): Promise<unknown> => {
      try {
        if (this.hooks.warms) await this.hooks.warm(entry.resources);
        onReady?.();
        return undefined;
      } catch (error) {
        return error ?? new Error('static warm rejected without a reason');
      }
    };
    // The key may have been forgotten since it was looked up.
    const error = await this.shelves.keep(shelf).creator.create(warm);
    return { ms: this.clock.now() - startMs, error };
  }

  /** Surplus entries go now if idle, on return if leased; a larger `max` serves waiters at once. */
  resize(max: number): void {
    this.max = max;
    for (const { idle } of this.shelves) {
      while (!this.isShared && this.#regular > max) {
        const surplus = idle.shift();
        if (surplus === undefined) break;
        this.destroy(surplus, 'surplus');
      }
    }
    if (this.isShared) this.serveShared();
    this.replenish();
  }

  /** Gives up creations that have not heeded their signal, and hooks that hang; what is still made is destroyed then. */
  abandon(reason: Error): void {
    for (const { creator } of this.shelves.all()) creator.abandon(reason);
    for (const entry of this.entries()) {
      if (entry.state === 'resetting' || entry.state === 'validating') this.destroy(entry, 'closed');
    }
    this.shelves.forgetBare();
  }

  /** Stops creations and destroys what no lease holds. */
  close(reason: Error): void {
    for (const { creator } of this.shelves.all()) creator.abort(reason);
    for (const entry of this.entries()) {
      if (entry.state === 'idle' && !this.isShared) entry.shelf.idle.remove(entry);
      if ((entry.state === 'idle' || entry.state === 'quarantined') && entry.leases === 0)
        this.destroy(entry, 'closed');
    }
  }
}
