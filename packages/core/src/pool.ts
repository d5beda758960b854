/**
 * The pool of one agent type, as borrowers see it. It reads from top to bottom: borrowing, waiting, giving back,
 * following runs, live change, the end. The entries themselves are kept by its stock.
 */

import { construct } from './agent.ts';
import type { AnyAgent, AnyAgentClass, FrontDesk } from './agent-class.ts';
import type { LiveCall } from './run/call.ts';
import { Cleaner } from './safety/cleaner.ts';
import type { Clock } from './base/clock.ts';
import { ConfigCheck } from './settings/config-check.ts';
import { Deadline } from './base/deadlines.ts';
import type { Deadlines } from './base/deadlines.ts';
import type { Entry } from './entry.ts';
import { PoolExhaustedError, SophiaError } from './errors.ts';
import type { ExhaustionCode, PoolFacts } from './errors.ts';
import type { DestroyReason, Emitter } from './events.ts';
import { Hooks } from './hooks.ts';
import type { House } from './house.ts';
import { Keeper } from './upkeep/keeper.ts';
import { Lease } from './lease.ts';
import type { Borrower, LeaseHome, RevokedBy } from './lease.ts';
import { LinkedList } from './base/linked-list.ts';
import { Recorder } from './measure/stats.ts';
import type { Holder, MemoryFigures, PoolSnapshot } from './measure/stats.ts';
import { MAX_RULE, checkAcquireOptions, checkArgument } from './settings/options.ts';
import type {
  AcquireOptions,
  PoolSettings,
  ResolvedPoolOptions,
  Reuse,
  SettingSource,
  TryOptions,
} from './settings/options.ts';
import { PoolLife } from './pool-life.ts';
import type { LifeHome } from './pool-life.ts';
import { factsOf, holdersOf, snapshotOf } from './measure/pool-view.ts';
import type { Refused, Viewed } from './measure/pool-view.ts';
import { lastCreateCauseOf } from './measure/stock-view.ts';
import { abortedError, constructFailedError } from './refusals.ts';
import { RunFollower } from './run/run-follower.ts';
import { here } from './safety/call-site.ts';
import { LeakWatch } from './safety/leak-watch.ts';
import { watchUnpooled } from './safety/unpooled.ts';
import type { Shelf } from './shelf.ts';
import { Stock } from './stock.ts';
import type { PoolState, StockHome } from './stock.ts';
import { TenantLimits } from './tenant-limits.ts';
import { WaitingRoom } from './waiting-room.ts';
import type { Acquire, RoomHome } from './waiting-room.ts';

const NO_OPTIONS: AcquireOptions = {};

export class Pool implements LeaseHome, StockHome, RoomHome, LifeHome, Viewed {
  readonly type: string;
  readonly agentClass: AnyAgentClass;
  options: ResolvedPoolOptions;
  sources: Readonly<Record<string, SettingSource>>;
  readonly reuse: Reuse;
  readonly desk: FrontDesk;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly events: Emitter;
  readonly now: () => number;
  readonly guards: boolean;
  readonly recorder: Recorder;
  readonly stock: Stock;
  readonly configs: ConfigCheck;
  readonly leases: LinkedList<Lease> = new LinkedList();
  readonly leaks: LeakWatch;
  readonly room: WaitingRoom;
  readonly life: PoolLife;
  readonly tenants: TenantLimits;
  memory: MemoryFigures | null = null;
  readonly #house: House;
  readonly #cleaner: Cleaner;
  readonly #runs: RunFollower;
  readonly #keeper: Keeper;
  readonly #stopWatching: () => void;
  #lastLeaseId = 0;

  constructor(agentClass: AnyAgentClass, { options, sources }: PoolSettings, house: House) {
    const { type } = agentClass;
    this.type = type;
    this.agentClass = agentClass;
    this.options = options;
    this.sources = sources;
    this.reuse = options.reuse;
    this.desk = house.desk;
    this.clock = house.clock;
    this.deadlines = house.deadlines;
    this.events = house.events;
    this.now = () => house.clock.now();
    // Strict means on, unless the class has said otherwise.
    const isGuarded = house.isStrict && sources['guard'] === undefined && options.reuse === 'exclusive';
    this.guards = isGuarded || options.guard === 'revocable';
    this.#house = house;
    this.recorder = new Recorder(house.clock.now());
    const hooks = new Hooks(agentClass, options, house.home, house.deadlines);
    this.configs = new ConfigCheck(agentClass);
    this.life = new PoolLife(this);
    this.leaks = new LeakWatch(this);
    this.tenants = new TenantLimits(options);
    this.stock = new Stock(this, house, hooks, this.recorder);
    this.room = new WaitingRoom(this);
    this.#cleaner = new Cleaner(this.stock, house.isStrict);
    this.#runs = new RunFollower(house, this.recorder, hooks, this.stock.health);
    this.#keeper = new Keeper(this, house.background);
    const seen = (count: number, site: string | undefined): void =>
      this.events.emit('agent.unpooled', { type, count, site });
    this.#stopWatching = watchUnpooled(agentClass, options.unpooled, seen);
    this.stock.replenish();
  }

  // ---- borrowing

  async pooled(config: unknown, options: AcquireOptions = NO_OPTIONS, within?: Lease): Promise<AnyAgent> {
    const startMs = this.clock.now();
    const checked = this.#admitBorrower(config, options);
    const shelf = this.#shelfOf(checked);
    const scope = within ?? this.#house.nesting?.current();
    const lease = this.#tryLease(shelf, startMs, options);
    if (lease === undefined) return this.#wait(checked, { shelf, options, startMs, within: scope });
    scope?.lend(lease);
    return this.#handOutAtOnce(lease, checked);
  }

  tryPooled(config: unknown, options: TryOptions = NO_OPTIONS): AnyAgent | undefined {
    const startMs = this.clock.now();
    const checked = this.#admitBorrower(config, options);
    const shelf = this.#shelfOf(checked);
    const lease = this.#tryLease(shelf, startMs, options);
    if (lease !== undefined) return this.#handOutAtOnce(lease, checked);
    this.stock.shelves.prune(shelf);
    return undefined;
  }

  #handOutAtOnce(lease: Lease, config: unknown): AnyAgent {
    if (this.leaks.isDue()) lease.extra.origin = here();
    const agent = this.#construct(lease, config);
    this.recorder.hit(this.clock.now() - lease.acquiredMs);
    if (this.events.has('lease.acquired')) this.#tellAcquired(lease, 'hit');
    return agent;
  }

  /** Refuses what cannot be served whatever is free, before anything is taken. */
  #admitBorrower(config: unknown, options: AcquireOptions): unknown {
    let owner: string | undefined;
    try {
      if (options !== NO_OPTIONS) {
        checkAcquireOptions(options);
        owner = options.owner;
        if (options.signal?.aborted === true)
          throw abortedError(this.type, options.signal, this.facts({ waitedMs: 0 }));
      }
      if (this.life.state !== 'running' && this.life.state !== 'suspended') throw this.life.error();
      return this.configs.check(config);
    } catch (error) {
      this.#countFailure(error, owner);
      throw error;
    }
  }

  #shelfOf(config: unknown): Shelf {
    try {
      return this.stock.shelves.of(config);
    } catch (error) {
      this.#countFailure(error, undefined);
      throw error;
    }
  }

  /** A free entry, if there is one and nobody waits for it: a newcomer never overtakes. */
  #tryLease(shelf: Shelf, nowMs: number, options: AcquireOptions): Lease | undefined {
    const { tenant } = options;
    if (tenant !== undefined) this.#cleaner.nameTenants();
    if (shelf.waiters.size > 0 && this.tenants.servable(shelf.waiters) > 0) return undefined;
    if (this.life.state !== 'running') return undefined;
    if (tenant !== undefined && !this.tenants.mayHave(tenant)) return undefined;
    const entry = this.stock.take(shelf, tenant, nowMs);
    if (entry === undefined) return undefined;
    const lease = this.grant(entry, options, nowMs);
    this.stock.taken();
    return lease;
  }

  grant(entry: Entry, borrower: Borrower, nowMs: number): Lease {
    const { leaseMs = this.options.leaseMs } = borrower;
    entry.move('leased');
    entry.leases += 1;
    entry.uses += 1;
    this.#lastLeaseId += 1;
    const lease = new Lease(this.#lastLeaseId, this, entry, borrower, nowMs);
    this.leases.push(lease);
    if (lease.tenant !== undefined) {
      entry.tenant = lease.tenant;
      this.tenants.add(lease.tenant);
    }
    if (leaseMs !== Infinity) {
      const deadline = new Deadline(() => lease.revoke('deadline'));
      lease.extra.deadline = deadline;
      this.#house.background.add(deadline, leaseMs);
    }
    return lease;
  }

  /** Makes the borrower's agent. If its constructor throws, the entry goes back untouched. */
  #construct(lease: Lease, config: unknown): AnyAgent {
    try {
      const agent = construct(this.agentClass, lease, config);
      if (lease.extras?.origin !== undefined) this.leaks.follow(agent, lease);
      return agent;
    } catch (cause) {
      this.#ungrant(lease);
      const error = constructFailedError(this.type, cause);
      this.#countFailure(error, lease.owner);
      throw error;
    }
  }

  async #wait(config: unknown, acquire: Acquire): Promise<AnyAgent> {
    const { options, startMs } = acquire;
    try {
      const { lease, how, queuedMs } = await this.room.wait(acquire);
      if (options.signal?.aborted === true) {
        // Aborted between the hand-over and this line: the borrower is gone, the next one is not.
        this.#ungrant(lease);
        throw abortedError(this.type, options.signal, this.facts({ waitedMs: this.now() - startMs }));
      }
      acquire.within?.lend(lease);
      // Revoked in that moment, by close or an operator.
      if (lease.ended !== undefined) throw lease.endedError('be handed out');
      const agent = this.#construct(lease, config);
      this.recorder.slowHandOut(how, this.clock.now() - startMs, queuedMs);
      if (this.events.has('lease.acquired')) this.#tellAcquired(lease, how);
      return agent;
    } catch (error) {
      if (!(error instanceof SophiaError && error.code === 'CONSTRUCT_FAILED'))
        this.#countFailure(error, options.owner);
      throw error;
    }
  }

  // ---- giving back

  giveBack(lease: Lease): void {
    const nowMs = this.clock.now();
    const heldMs = nowMs - lease.acquiredMs;
    this.recorder.histograms.use.record(heldMs * 1_000);
    this.#forget(lease, heldMs);
    if (this.events.has('lease.released')) this.#tellReleased(lease, heldMs);
    const { entry } = lease;
    if (this.reuse === 'shared') this.#giveBackShared(lease);
    else {
      const reason = this.#endOf(lease);
      if (reason === undefined) this.#cleaner.takeBack(lease, nowMs);
      else if (reason === 'revoked') this.stock.suspect(entry, reason);
      else this.stock.destroy(entry, reason);
    }
    if (lease.tenant !== undefined && this.tenants.areSet) this.stock.serveWaiting();
    this.changed();
  }

  #forget(lease: Lease, heldMs: number): void {
    this.leases.remove(lease);
    lease.entry.leases -= 1;
    if (lease.tenant !== undefined) this.tenants.remove(lease.tenant);
    if (lease.extras === undefined) return;
    const { borrowedIn, deadline } = lease.extras;
    borrowedIn?.extras?.lent?.delete(lease);
    if (deadline !== undefined) this.#house.background.remove(deadline);
    this.leaks.ended(lease, heldMs);
  }

  /** Why an entry may not serve again after this lease; `undefined` if it may. */
  #endOf(lease: Lease): DestroyReason | undefined {
    if (lease.ended === 'revoked') return 'revoked';
    if (lease.discarded) return 'discarded';
    if (lease.dirty) return 'dirty';
    if (lease.entry.retiredFor !== undefined) return lease.entry.retiredFor;
    if (lease.entry.overflow) return 'overflow';
    if (this.reuse === 'single-use') return 'single-use';
    return this.life.state === 'closed' ? 'closed' : undefined;
  }

  /** A shared entry is never destroyed under other leases: it retires, and goes with the last of them. */
  #giveBackShared(lease: Lease): void {
    const { entry } = lease;
    if (lease.ended === 'revoked') this.stock.retire(entry, 'revoked');
    else if (lease.discarded) this.stock.retire(entry, 'discarded');
    this.#putShared(entry);
    if (lease.touched) void this.#cleaner.weighShared(entry);
  }

  #putShared(entry: Entry): void {
    if (entry.leases === 0) this.stock.put(entry);
    else this.stock.serveShared();
  }

  /** The lease is taken back before its borrower saw the agent: the entry is as clean as before. */
  #ungrant(lease: Lease): void {
    // Its constructor may have released it, or close revoked it.
    if (lease.ended !== undefined) return;
    const { entry } = lease;
    lease.ended = 'released';
    this.#forget(lease, 0);
    entry.uses -= 1;
    if (this.reuse === 'shared') this.#putShared(entry);
    else this.stock.put(entry);
    this.changed();
  }

  noteReleasedAgain(lease: Lease): void {
    this.recorder.releasedAgain();
    this.events.emit('lease.released-again', { type: this.type, leaseId: lease.id, owner: lease.owner });
  }

  // ---- runs

  within<Result>(lease: Lease, work: () => Result): Result {
    const { nesting } = this.#house;
    return nesting === undefined ? work() : nesting.run(lease, work);
  }

  follow<Output>(lease: Lease, call: LiveCall<never>, work: () => Promise<Output>): Promise<Output> {
    return this.#runs.follow(lease, call, work);
  }

  noteFailure(lease: Lease, error: unknown): void {
    this.#runs.noteFailure(lease, error);
  }

  // ---- live change

  get state(): PoolState {
    return this.life.state;
  }

  get medianHoldMs(): number {
    return (this.recorder.histograms.use.summary().p50Us ?? 0) / 1_000;
  }

  /** Whether only the end of a lease can serve one more borrower. */
  get isFull(): boolean {
    return this.leases.size >= this.stock.capacity;
  }

  /** Raises or lowers `max`: more waiters are served at once; surplus entries go now if idle, on return if leased. */
  resize(max: number): void {
    checkArgument(`The new max of '${this.type}'`, max, MAX_RULE);
    if (this.life.state === 'closed') throw this.life.error();
    const before = this.stock.max;
    this.stock.resize(max);
    this.options = { ...this.options, max };
    this.sources = { ...this.sources, max: 'live' };
    this.events.emit('pool.resized', { type: this.type, before, after: max });
  }

  /** Ends a lease by force. @returns whether there was one. */
  revoke(leaseId: number, by: RevokedBy): boolean {
    const lease = [...this.leases].find(({ id }) => id === leaseId);
    lease?.revoke(by);
    return lease !== undefined;
  }

  // ---- the end

  stopChores(): void {
    this.#keeper.stop();
    this.#stopWatching();
  }

  changed(): void {
    this.life.changed();
  }

  // ---- what it says

  holders(): Holder[] {
    return holdersOf(this);
  }

  snapshot(windowMs: number): PoolSnapshot {
    return snapshotOf(this, windowMs);
  }

  facts(refused: Refused): PoolFacts {
    return factsOf(this, refused);
  }

  exhausted(code: ExhaustionCode, refused: Refused, chain: readonly string[] = []): PoolExhaustedError {
    return new PoolExhaustedError(code, this.facts(refused), {
      cause: lastCreateCauseOf(this.stock, refused.shelf),
      chain,
    });
  }

  #countFailure(error: unknown, owner: string | undefined): void {
    if (!(error instanceof SophiaError)) return;
    this.recorder.failure(error.code);
    this.events.emit('acquire.failed', { type: this.type, code: error.code, owner });
  }

  #tellAcquired(lease: Lease, how: 'hit' | 'miss' | 'wait'): void {
    const { id, owner, entry } = lease;
    this.events.emit('lease.acquired', { type: this.type, entryId: entry.id, leaseId: id, owner, how });
  }

  #tellReleased(lease: Lease, heldMs: number): void {
    const { id, owner, entry, ended: how = 'released', extras } = lease;
    const clean = !lease.dirty && !lease.discarded;
    const revokedBy = extras?.revokedBy;
    const payload = { type: this.type, entryId: entry.id, leaseId: id, owner, heldMs, how, revokedBy, clean };
    this.events.emit('lease.released', payload);
  }
}
