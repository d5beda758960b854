/**
 * The pool of one agent type, as borrowers see it. It reads from top to bottom: borrowing, giving back, following
 * runs, live change, the end, what it says. The entries themselves are kept by its stock.
 */

import { construct } from './agent.ts';
import type { AnyAgent, AnyAgentClass, FrontDesk } from './agent-class.ts';
import type { LiveCall } from './call.ts';
import { ChangeWatch } from './change-watch.ts';
import type { Clock } from './clock.ts';
import { ConfigCheck } from './config-check.ts';
import type { Deadlines } from './deadlines.ts';
import type { Entry } from './entry.ts';
import { PoolExhaustedError, SophiaError } from './errors.ts';
import type { DestroyReason, Emitter } from './events.ts';
import { exhaustionFacts } from './exhaustion.ts';
import { Hooks } from './hooks.ts';
import type { House } from './house.ts';
import { Keeper } from './keeper.ts';
import { Lease } from './lease.ts';
import type { LeaseHome } from './lease.ts';
import { LinkedList } from './linked-list.ts';
import { MAX_RULE, checkAcquireOptions, checkArgument } from './options.ts';
import type { AcquireOptions, ResolvedPoolOptions, Reuse } from './options.ts';
import { abortedError, constructFailedError, createFailedError, notRunningError } from './refusals.ts';
import { RunFollower } from './run-follower.ts';
import { Recorder } from './stats.ts';
import type { Holder, MemoryFigures, PoolSnapshot } from './stats.ts';
import { Stock } from './stock.ts';
import type { StockHome } from './stock.ts';
import { Waiter, WaiterQueue } from './waiter-queue.ts';

export interface DrainReport {
  readonly type: string;
  /** Whether every lease ended and every waiter was served in time. */
  readonly drained: boolean;
  readonly waiting: number;
  readonly holders: readonly Holder[];
}

export interface CloseReport {
  readonly type: string;
  /** Leases that were ended by force because they were not released in time. */
  readonly revoked: readonly Holder[];
}

const NO_OPTIONS: AcquireOptions = {};

export class Pool implements LeaseHome, StockHome {
  readonly type: string;
  readonly agentClass: AnyAgentClass;
  readonly options: ResolvedPoolOptions;
  readonly reuse: Reuse;
  readonly desk: FrontDesk;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly events: Emitter;
  readonly now: () => number;
  readonly stock: Stock;
  readonly configs: ConfigCheck;
  memory: MemoryFigures | null = null;
  readonly #recorder: Recorder;
  readonly #hooks: Hooks;
  readonly #runs: RunFollower;
  readonly #leases = new LinkedList<Lease>();
  readonly #waiters: WaiterQueue;
  readonly #keeper: Keeper;
  #state: 'running' | 'draining' | 'closed' = 'running';
  #lastLeaseId = 0;
  #closing: Promise<CloseReport> | undefined = undefined;
  readonly #watch: ChangeWatch;

  constructor(agentClass: AnyAgentClass, options: ResolvedPoolOptions, house: House) {
    this.type = agentClass.type;
    this.agentClass = agentClass;
    this.options = options;
    this.reuse = options.reuse;
    this.desk = house.desk;
    this.clock = house.clock;
    this.deadlines = house.deadlines;
    this.events = house.events;
    this.now = () => house.clock.now();
    this.#recorder = new Recorder(house.clock.now());
    this.#hooks = new Hooks(agentClass, options, house.home, house.deadlines);
    this.#runs = new RunFollower(house.clock, this.#recorder, this.#hooks);
    this.configs = new ConfigCheck(agentClass);
    this.#watch = new ChangeWatch(house.deadlines);
    this.#waiters = new WaiterQueue(house.deadlines);
    this.stock = new Stock(this, house, this.#hooks, this.#recorder);
    this.#keeper = new Keeper(this.stock);
    this.stock.replenish();
  }

  // ---- borrowing

  async pooled(config: unknown, options: AcquireOptions = NO_OPTIONS): Promise<AnyAgent> {
    const startMs = this.clock.now();
    const checked = this.#admitBorrower(config, options);
    const lease = this.#tryLease(startMs, options.owner);
    return lease === undefined ? this.#wait(checked, options, startMs) : this.#handOutAtOnce(lease, checked);
  }

  tryPooled(config: unknown, options: Pick<AcquireOptions, 'owner'> = NO_OPTIONS): AnyAgent | undefined {
    const startMs = this.clock.now();
    const checked = this.#admitBorrower(config, options);
    const lease = this.#tryLease(startMs, options.owner);
    return lease === undefined ? undefined : this.#handOutAtOnce(lease, checked);
  }

  #handOutAtOnce(lease: Lease, config: unknown): AnyAgent {
    const agent = this.#construct(lease, config);
    this.#recorder.hit(this.clock.now() - lease.acquiredMs);
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
        if (options.signal?.aborted === true) throw abortedError(this.type, options.signal);
      }
      if (this.#state !== 'running') throw notRunningError(this.type, this.#state);
      return this.configs.check(config);
    } catch (error) {
      this.#countFailure(error, owner);
      throw error;
    }
  }

  /** A free entry, if there is one and nobody waits for it: a newcomer never overtakes. */
  #tryLease(nowMs: number, owner: string | undefined): Lease | undefined {
    if (this.#waiters.size > 0) return undefined;
    const entry = this.stock.take();
    if (entry === undefined) return undefined;
    const lease = this.#grant(entry, owner, nowMs);
    this.stock.taken();
    return lease;
  }

  #grant(entry: Entry, owner: string | undefined, nowMs: number): Lease {
    entry.move('leased');
    entry.leases += 1;
    entry.uses += 1;
    this.#lastLeaseId += 1;
    const lease = new Lease(this.#lastLeaseId, this, entry, owner, nowMs);
    this.#leases.push(lease);
    return lease;
  }

  /** Makes the borrower's agent. If its constructor throws, the entry goes back untouched. */
  #construct(lease: Lease, config: unknown): AnyAgent {
    try {
      return construct(this.agentClass, lease, config);
    } catch (cause) {
      this.#ungrant(lease);
      const error = constructFailedError(this.type, cause);
      this.#countFailure(error, lease.owner);
      throw error;
    }
  }

  async #wait(config: unknown, options: AcquireOptions, startMs: number): Promise<AnyAgent> {
    const { signal, owner, waitMs = this.options.waitMs } = options;
    try {
      this.#refuseIfExhausted(startMs);
      const waiter = new Waiter(startMs, owner, (late) => this.#onLate(late));
      this.#waiters.push(waiter, waitMs, signal, (aborted) => this.#onAborted(aborted));
      this.stock.replenish();
      const { lease, how, queuedMs } = await waiter.settled.promise;
      if (signal?.aborted === true) {
        // Aborted between the hand-over and this line: the borrower is gone, the next one is not.
        this.#ungrant(lease);
        throw abortedError(this.type, signal);
      }
      const agent = this.#construct(lease, config);
      this.#recorder.slowHandOut(how, this.clock.now() - startMs, queuedMs);
      if (this.events.has('lease.acquired')) this.#tellAcquired(lease, how);
      return agent;
    } catch (error) {
      if (!(error instanceof SophiaError && error.code === 'CONSTRUCT_FAILED')) this.#countFailure(error, owner);
      throw error;
    }
  }

  #onLate(waiter: Waiter): void {
    this.#waiters.remove(waiter);
    const waitedMs = this.clock.now() - waiter.startMs;
    waiter.settled.reject(this.#exhaustedError('ACQUIRE_TIMEOUT', waitedMs));
    this.changed();
  }

  #onAborted(waiter: Waiter): void {
    this.#waiters.remove(waiter);
    waiter.settled.reject(abortedError(this.type, waiter.signal as AbortSignal));
    this.changed();
  }

  /** Applies the breaker and the policy: who would wait in vain, or behind others, may be refused instead. */
  #refuseIfExhausted(startMs: number): void {
    const { exhaustion, maxWaiting } = this.options;
    const { outage, capacity } = this.stock;
    if (outage !== undefined) throw createFailedError(this.type, outage.cause, outage.failuresInARow);
    const waitedMs = this.clock.now() - startMs;
    // As many as there is room for wait for a creation or a reset, not behind other borrowers.
    const behind = this.#waiters.size - Math.max(0, capacity - this.#leases.size);
    if (exhaustion !== 'wait' && behind >= 0) throw this.#exhaustedError('POOL_EXHAUSTED', waitedMs);
    if (behind >= maxWaiting) throw this.#exhaustedError('QUEUE_FULL', waitedMs);
  }

  // ---- giving back

  giveBack(lease: Lease): void {
    const heldMs = this.clock.now() - lease.acquiredMs;
    this.#recorder.histograms.use.record(heldMs * 1_000);
    this.#leases.remove(lease);
    const { entry } = lease;
    entry.leases -= 1;
    if (this.events.has('lease.released')) this.#tellReleased(lease, heldMs);
    if (this.reuse === 'shared') this.#giveBackShared(lease);
    else {
      const reason = this.#endOf(lease);
      if (reason !== undefined) this.stock.destroy(entry, reason);
      else if (this.#hooks.stateless || !lease.touched) this.stock.put(entry);
      else void this.stock.reset(entry);
    }
    this.changed();
  }

  /** Why an entry may not serve again after this lease; `undefined` if it may. */
  #endOf(lease: Lease): DestroyReason | undefined {
    if (lease.ended === 'revoked') return 'revoked';
    if (lease.discarded) return 'discarded';
    if (lease.dirty) return 'dirty';
    if (lease.entry.retiredFor !== undefined) return lease.entry.retiredFor;
    if (lease.entry.overflow) return 'overflow';
    if (this.reuse === 'single-use') return 'single-use';
    return this.#state === 'closed' ? 'closed' : undefined;
  }

  /** A shared entry is never destroyed under other leases: it retires, and goes with the last of them. */
  #giveBackShared(lease: Lease): void {
    const { entry } = lease;
    if (lease.ended === 'revoked') this.stock.retire(entry, 'revoked');
    else if (lease.discarded) this.stock.retire(entry, 'discarded');
    if (entry.leases === 0) this.stock.put(entry);
    else this.stock.serveShared();
  }

  /** The lease is taken back before its borrower saw the agent: the entry is as clean as before. */
  #ungrant(lease: Lease): void {
    // Its constructor may have released it, or close revoked it.
    if (lease.ended !== undefined) return;
    const { entry } = lease;
    lease.ended = 'released';
    this.#leases.remove(lease);
    entry.leases -= 1;
    entry.uses -= 1;
    if (entry.leases === 0) this.stock.put(entry);
    else this.stock.serveShared();
    this.changed();
  }

  /** Gives a clean entry to the borrower that waits longest. */
  serveFirst(entry: Entry, isNew: boolean): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) return;
    const nowMs = this.clock.now();
    // Waiting for a creation is instantiation; waiting for another borrower is the queue.
    const queuedMs = isNew ? Math.max(0, entry.startedMs - waiter.startMs) : nowMs - waiter.startMs;
    waiter.settled.resolve({ lease: this.#grant(entry, waiter.owner, nowMs), how: isNew ? 'miss' : 'wait', queuedMs });
  }

  noteReleasedAgain(lease: Lease): void {
    this.#recorder.releasedAgain();
    this.events.emit('lease.released-again', { type: this.type, leaseId: lease.id, owner: lease.owner });
  }

  // ---- runs

  follow<Output>(lease: Lease, call: LiveCall<never>, work: () => Promise<Output>): Promise<Output> {
    return this.#runs.follow(lease, call, work);
  }

  noteFailure(lease: Lease, error: unknown): void {
    this.#runs.noteFailure(lease, error);
  }

  // ---- live change

  get state(): 'running' | 'draining' | 'closed' {
    return this.#state;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  get leased(): number {
    return this.#leases.size;
  }

  /** Raises or lowers `max`: more waiters are served at once; surplus entries go now if idle, on return if leased. */
  resize(max: number): void {
    checkArgument(`The new max of '${this.type}'`, max, MAX_RULE);
    if (this.#state === 'closed') throw notRunningError(this.type, this.#state);
    const before = this.stock.max;
    this.stock.resize(max);
    this.events.emit('pool.resized', { type: this.type, before, after: max });
  }

  /** Waiters whom nothing else can serve are told the true cause instead of being left to their deadline. */
  refuseWaiters(cause: unknown, failuresInARow: number): void {
    this.#waiters.refuseAll(() => createFailedError(this.type, cause, failuresInARow));
    this.changed();
  }

  // ---- the end

  /** Takes no new borrowers; serves those who wait and waits for those who hold, until `timeoutMs`. */
  async drain(timeoutMs: number): Promise<DrainReport> {
    if (this.#state === 'running') this.#state = 'draining';
    const drained = await this.#watch.until(timeoutMs, () => this.#leases.size === 0 && this.#waiters.size === 0);
    const holders = this.holders();
    this.events.emit('pool.drained', { type: this.type, holders: holders.length });
    return { type: this.type, drained, waiting: this.#waiters.size, holders };
  }

  /** Refuses waiters at once, waits for holders until `timeoutMs`, revokes the rest, destroys everything. */
  close(timeoutMs: number): Promise<CloseReport> {
    return (this.#closing ??= this.#close(timeoutMs));
  }

  async #close(timeoutMs: number): Promise<CloseReport> {
    this.#state = 'closed';
    this.#keeper.stop();
    this.#waiters.refuseAll(() => notRunningError(this.type, this.#state));
    this.changed();
    this.stock.close(notRunningError(this.type, this.#state));
    await this.#watch.until(timeoutMs, () => this.#leases.size === 0);
    const revoked = this.holders();
    // A copy: ending one lease may make its borrower end others.
    for (const lease of Array.from(this.#leases)) lease.revoke();
    const { destroyTimeoutMs, resetTimeoutMs } = this.options;
    await this.#watch.until(destroyTimeoutMs + resetTimeoutMs, () => this.stock.size === 0);
    this.stock.abandon(notRunningError(this.type, this.#state));
    this.events.emit('pool.closed', { type: this.type, revoked: revoked.length });
    return { type: this.type, revoked };
  }

  changed(): void {
    this.#watch.changed();
  }

  // ---- what it says

  holders(): Holder[] {
    const nowMs = this.clock.now();
    return [...this.#leases].map(({ id, owner, acquiredMs }) => ({ leaseId: id, owner, heldMs: nowMs - acquiredMs }));
  }

  snapshot(windowMs: number): PoolSnapshot {
    const { stock } = this;
    const nowMs = this.clock.now();
    const oldest = this.#waiters.oldest;
    return {
      type: this.type,
      reuse: this.reuse,
      state: this.#state,
      size: this.#state === 'running' ? stock.free : 0,
      max: stock.max,
      options: this.options,
      leased: this.#leases.size,
      ...stock.census(),
      waiting: this.#waiters.size,
      oldestWaiterMs: oldest === undefined ? null : nowMs - oldest.startMs,
      holders: this.holders(),
      counters: this.#recorder.counters(),
      window: this.#recorder.window(windowMs, nowMs),
      memory: this.memory,
      lastCreateError: stock.lastCreateError,
    };
  }

  #exhaustedError(code: 'ACQUIRE_TIMEOUT' | 'POOL_EXHAUSTED' | 'QUEUE_FULL', waitedMs: number): PoolExhaustedError {
    const { stock } = this;
    const oldest = this.#leases.first;
    const census = stock.census();
    const { use } = this.#recorder.histograms;
    const heldMs = oldest === undefined ? 0 : this.clock.now() - oldest.acquiredMs;
    const load = {
      type: this.type,
      max: stock.max,
      leased: this.#leases.size,
      idle: stock.free,
      creating: census.creating,
      resetting: census.resetting,
      waiting: this.#waiters.size,
      oldestLease: oldest === undefined ? null : { heldMs, owner: oldest.owner },
      lastCreateError: stock.lastCreateError,
      meanHoldMs: use.count === 0 ? null : use.sumUs / use.count / 1_000,
    };
    return new PoolExhaustedError(code, exhaustionFacts(load, waitedMs), stock.lastCreateCause);
  }

  #countFailure(error: unknown, owner: string | undefined): void {
    if (!(error instanceof SophiaError)) return;
    this.#recorder.failure(error.code);
    this.events.emit('acquire.failed', { type: this.type, code: error.code, owner });
  }

  #tellAcquired(lease: Lease, how: 'hit' | 'miss' | 'wait'): void {
    const { id, owner, entry } = lease;
    this.events.emit('lease.acquired', { type: this.type, entryId: entry.id, leaseId: id, owner, how });
  }

  #tellReleased(lease: Lease, heldMs: number): void {
    const { id, owner, entry, ended: how = 'released' } = lease;
    const clean = !lease.dirty && !lease.discarded;
    this.events.emit('lease.released', { type: this.type, entryId: entry.id, leaseId: id, owner, heldMs, how, clean });
  }
}
