/**
 * The entries of one pool: which are free, which are wanted, how they are made, cleaned, checked and ended.
 * It knows nothing of borrowers but how many wait; a clean entry goes to the first of them, else to the idle ones.
 */

import type { Clock } from './clock.ts';
import { Creator } from './creator.ts';
import type { CreatorHome } from './creator.ts';
import type { Deadlines } from './deadlines.ts';
import { Entry } from './entry.ts';
import { messageOf } from './errors.ts';
import type { DestroyReason, Emitter } from './events.ts';
import type { Hooks } from './hooks.ts';
import type { House } from './house.ts';
import { LinkedList } from './linked-list.ts';
import type { ResolvedPoolOptions } from './options.ts';
import type { Recorder } from './stats.ts';

/** What the stock asks of the pool whose entries it keeps. */
export interface StockHome {
  readonly type: string;
  readonly options: ResolvedPoolOptions;
  readonly state: 'running' | 'draining' | 'closed';
  readonly waiting: number;
  readonly leased: number;
  /** Gives the entry to the borrower that waits longest. @param isNew it was made while that borrower waited. */
  serveFirst(entry: Entry, isNew: boolean): void;
  /** Creation fails and nothing else can serve: the waiters are to be told. */
  refuseWaiters(cause: unknown, failuresInARow: number): void;
  /** Something changed that a drain or close may wait for. */
  changed(): void;
}

export class Stock implements CreatorHome {
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
  max: number;
  readonly #home: StockHome;
  readonly #creator: Creator;
  readonly #entries = new Set<Entry>();
  readonly #idle = new LinkedList<Entry>();
  /** The entry that serves new leases, where one serves all. */
  #shared: Entry | undefined = undefined;
  /** Idle entries to keep in the background. */
  #idleFloor: number;
  #destroying = 0;
  /** Entries that are not beyond `max` and not being destroyed. */
  #regular = 0;
  #lastId = 0;

  constructor(home: StockHome, house: House, hooks: Hooks, recorder: Recorder) {
    this.type = home.type;
    this.options = home.options;
    this.clock = house.clock;
    this.random = house.random;
    this.deadlines = house.deadlines;
    this.background = house.background;
    this.events = house.events;
    this.hooks = hooks;
    this.recorder = recorder;
    this.isShared = home.options.reuse === 'shared';
    this.max = home.options.max;
    this.#home = home;
    this.#idleFloor = home.options.minIdle;
    this.#creator = new Creator(this);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Most entries, or leases of a shared entry, including overflow. */
  get capacity(): number {
    return this.max + (this.options.exhaustion === 'grow' ? this.options.maxOverflow : 0);
  }

  /** Borrowers that could be served right now. */
  get free(): number {
    if (!this.isShared) return this.#idle.size;
    return this.#shared === undefined ? 0 : Math.max(0, this.max - this.#home.leased);
  }

  get lastCreateError(): string | null {
    const error = this.#creator.lastError;
    return error === undefined ? null : messageOf(error);
  }

  get lastCreateCause(): unknown {
    return this.#creator.lastError;
  }

  /** Whether at least one entry has been made and is not on its way out. */
  get isWarm(): boolean {
    return this.#entries.size > this.#destroying + this.#creator.inFlight;
  }

  /** How many entries are in each state that is not `leased`; those are counted by their leases. */
  census(): Record<'idle' | 'creating' | 'resetting' | 'validating' | 'destroying', number> {
    const found = { idle: 0, creating: 0, resetting: 0, validating: 0, destroying: 0 };
    for (const { state } of this.#entries) if (state in found) found[state as keyof typeof found] += 1;
    return found;
  }

  // ---- in and out

  /** A free entry, taken out; the one used last comes first, as its caches are warm. */
  take(): Entry | undefined {
    if (this.isShared) return this.#home.leased < this.max ? this.#shared : undefined;
    return this.#idle.pop();
  }

  /** After an entry was taken: a floor of idle entries may want a new one. */
  taken(): void {
    if (this.#idleFloor > 0) this.replenish();
  }

  /** A clean entry that no lease holds: the first waiter gets it, or it rests, or it is no longer wanted. */
  put(entry: Entry): void {
    const { state, waiting } = this.#home;
    if (state === 'closed') return this.destroy(entry, 'closed');
    if (this.isShared) return this.#putShared(entry);
    if (entry.retiredFor !== undefined) return this.destroy(entry, entry.retiredFor);
    if (entry.overflow && this.#regular < this.max) {
      entry.overflow = false;
      this.#regular += 1;
    }
    if (this.#regular > this.max && !entry.overflow) return this.destroy(entry, 'surplus');
    if (waiting > 0) return this.#home.serveFirst(entry, entry.state === 'creating');
    if (entry.overflow) return this.destroy(entry, 'overflow');
    entry.move('idle');
    this.#idle.push(entry);
  }

  #putShared(entry: Entry): void {
    if (entry.retiredFor !== undefined) {
      this.destroy(entry, entry.retiredFor);
      // Its last lease has left room for one on the entry that serves now.
      return this.serveShared();
    }
    if (this.#shared !== undefined && this.#shared !== entry) return this.destroy(entry, 'surplus');
    const isNew = entry.state === 'creating';
    this.#shared = entry;
    if (entry.state !== 'idle') entry.move('idle');
    this.serveShared(isNew);
  }

  /** Lets waiters in while the shared entry has room for them. */
  serveShared(isNew = false): void {
    while (this.#home.waiting > 0) {
      const entry = this.take();
      if (entry === undefined) return this.replenish();
      this.#home.serveFirst(entry, isNew);
    }
  }

  /** A shared entry takes no new lease and ends with its last one. */
  retire(entry: Entry, reason: DestroyReason): void {
    entry.retiredFor ??= reason;
    if (this.#shared === entry) this.#shared = undefined;
    this.replenish();
  }

  /** The resources ended by themselves: their entry goes now if nobody holds it, else after its lease. */
  retireEntry(entry: Entry, reason: string): void {
    if (entry.state === 'destroying' || entry.state === 'destroyed') return;
    this.events.emit('agent.log', {
      type: this.type,
      entryId: entry.id,
      message: `retired: ${reason}`,
      fields: undefined,
    });
    if (this.isShared) this.retire(entry, 'retired');
    entry.retiredFor ??= 'retired';
    if (entry.state !== 'idle') return;
    if (!this.isShared) this.#idle.remove(entry);
    this.destroy(entry, 'retired');
  }

  /** Cleans an entry after a borrower, then puts it back; a failure destroys it. */
  async reset(entry: Entry): Promise<void> {
    entry.move('resetting');
    const startMs = this.clock.now();
    try {
      await this.hooks.reset(entry.resources);
    } catch (error) {
      this.events.emit('agent.reset-failed', { type: this.type, entryId: entry.id, error });
      return this.destroy(entry, 'reset-failed');
    }
    this.recorder.histograms.reset.record((this.clock.now() - startMs) * 1_000);
    this.put(entry);
  }

  /** Ends an entry; its place is free once `static destroy` has settled or its time is up. */
  destroy(entry: Entry, reason: DestroyReason): void {
    entry.move('destroying');
    this.#destroying += 1;
    if (!entry.overflow) this.#regular -= 1;
    if (this.#shared === entry) this.#shared = undefined;
    this.recorder.destroyed(reason);
    const { resources } = entry;
    entry.resources = undefined;
    const failed = (error: unknown): void =>
      this.events.emit('agent.destroy-failed', { type: this.type, entryId: entry.id, error });
    void this.hooks
      .destroy(resources)
      .catch(failed)
      .then(() => {
        this.#destroying -= 1;
        this.dropEntry(entry);
        this.events.emit('agent.destroyed', { type: this.type, entryId: entry.id, reason, uses: entry.uses });
        this.replenish();
      });
  }

  /** Checks the health of each idle entry once, one at a time, so that the others stay at hand. */
  async validateIdle(): Promise<void> {
    if (this.isShared) return this.#validateShared();
    for (const entry of Array.from(this.#idle)) {
      // It may have been borrowed meanwhile.
      if (entry.state !== 'idle') continue;
      this.#idle.remove(entry);
      entry.move('validating');
      try {
        await this.hooks.validate(entry.resources);
        this.put(entry);
      } catch (error) {
        this.events.emit('agent.validate-failed', { type: this.type, entryId: entry.id, error });
        this.destroy(entry, 'validate-failed');
      }
    }
  }

  /** A shared entry is checked while it serves; if it is ill, it takes no new lease. */
  async #validateShared(): Promise<void> {
    const entry = this.#shared;
    if (entry === undefined) return;
    try {
      await this.hooks.validate(entry.resources);
    } catch (error) {
      // It may have been retired or ended meanwhile.
      if (this.#shared !== entry) return;
      this.events.emit('agent.validate-failed', { type: this.type, entryId: entry.id, error });
      if (entry.leases === 0) this.destroy(entry, 'validate-failed');
      else this.retire(entry, 'validate-failed');
    }
  }

  // ---- making

  /** Starts as many creations as are wanted and allowed; called after every change. */
  replenish(): void {
    const { state, waiting } = this.#home;
    if (state === 'closed') return;
    const floor = state === 'running' ? this.#idleFloor : 0;
    const coming = this.#creator.inFlight;
    if (this.isShared) {
      const isNeeded = this.#shared === undefined && (waiting > 0 || floor > 0);
      if (isNeeded && coming === 0) this.#creator.start(1);
      return;
    }
    const taken = this.#entries.size - coming;
    const forWaiters = Math.min(waiting, this.capacity - taken);
    const forFloor = Math.min(floor - this.#idle.size, this.max - taken);
    const wanted = Math.max(forWaiters, forFloor) - coming;
    if (wanted > 0) this.#creator.start(wanted);
  }

  addEntry(startedMs: number = this.clock.now()): Entry {
    this.#lastId += 1;
    const entry = new Entry(this.#lastId, startedMs, !this.isShared && this.#regular >= this.max);
    this.#entries.add(entry);
    if (!entry.overflow) this.#regular += 1;
    return entry;
  }

  refuse(entry: Entry): void {
    this.destroy(entry, entry.retiredFor ?? 'warm-failed');
  }

  dropEntry(entry: Entry): void {
    if (entry.state === 'creating' && !entry.overflow) this.#regular -= 1;
    entry.move('destroyed');
    this.#entries.delete(entry);
    this.#home.changed();
  }

  #addLate(resources: unknown, startedMs: number): Entry {
    const entry = this.addEntry(startedMs);
    entry.resources = resources;
    return entry;
  }

  adoptLate(resources: unknown, startedMs: number): void {
    const entry = this.#addLate(resources, startedMs);
    this.noteCreated(this.clock.now() - startedMs);
    if (this.#home.state !== 'closed' && !entry.overflow) this.put(entry);
    else this.destroy(entry, 'late');
  }

  destroyLate(resources: unknown, startedMs: number): void {
    this.destroy(this.#addLate(resources, startedMs), 'late');
  }

  noteCreated(createMs: number): void {
    this.recorder.created(createMs);
  }

  noteCreateFailed(cause: unknown): void {
    this.recorder.createFailed();
    const { outage } = this;
    if (outage !== undefined) this.#home.refuseWaiters(cause, outage.failuresInARow);
  }

  /**
   * The circuit breaker is open: creation has failed again and again, the next try is not due, and no other entry
   * lives that might come back and serve. After the pause the next borrower, or the floor of idle entries, is the probe.
   */
  get outage(): { readonly cause: unknown; readonly failuresInARow: number } | undefined {
    const { isBroken, inFlight, lastError: cause, failuresInARow } = this.#creator;
    const others = this.#entries.size - this.#destroying - inFlight;
    return isBroken && others === 0 ? { cause, failuresInARow } : undefined;
  }

  // ---- prewarming and live change

  /** How many entries are missing until `count` could be handed out or are in use. */
  missing(count: number): number {
    if (this.#home.state !== 'running') return 0;
    const kept = this.#entries.size - this.#destroying;
    if (this.isShared) return this.#shared === undefined && this.#creator.inFlight === 0 ? 1 : 0;
    // A place is free only once what stood there is destroyed.
    return Math.max(0, Math.min(count - kept, this.max - this.#entries.size));
  }

  /** A single-use pool replaces what it hands out: as many stay warm as were once prewarmed. */
  keepWarm(count: number): void {
    if (this.options.reuse === 'single-use') this.#idleFloor = Math.max(this.#idleFloor, count);
  }

  /** Creates one entry and runs it dry before it may serve. */
  async prewarmOne(): Promise<{ readonly ms: number; readonly error: unknown }> {
    const startMs = this.clock.now();
    const warm = async (entry: Entry): Promise<unknown> => {
      try {
        if (this.hooks.warms) await this.hooks.warm(entry.resources);
        return undefined;
      } catch (error) {
        return error ?? new Error('static warm rejected without a reason');
      }
    };
    const error = await this.#creator.create(warm);
    return { ms: this.clock.now() - startMs, error };
  }

  /** Surplus entries go now if idle, on return if leased; a larger `max` serves waiters at once. */
  resize(max: number): void {
    this.max = max;
    while (!this.isShared && this.#regular > max) {
      const surplus = this.#idle.shift();
      if (surplus === undefined) break;
      this.destroy(surplus, 'surplus');
    }
    if (this.isShared) this.serveShared();
    this.replenish();
  }

  /** Gives up creations that have not heeded their signal; what they still make is destroyed when it comes. */
  abandon(reason: Error): void {
    this.#creator.abandon(reason);
  }

  /** Stops creations and destroys what no lease holds. */
  close(reason: Error): void {
    this.#creator.abort(reason);
    if (this.#shared?.state === 'idle') this.destroy(this.#shared, 'closed');
    for (const entry of this.#idle) {
      this.#idle.remove(entry);
      this.destroy(entry, 'closed');
    }
  }
}
