/**
 * The pool of one agent type, as borrowers see it. It reads from top to bottom: borrowing, giving back, following
 * runs, live change, the end, what it says. The entries themselves are kept by its stock.
 */

import { construct } from './agent.ts';
import type { AnyAgent, AnyAgentClass, FrontDesk } from './agent-class.ts';
import type { LiveCall } from './call.ts';
import type { Clock } from './clock.ts';
import { ConfigCheck } from './config-check.ts';
import type { Deadlines } from './deadlines.ts';
import type { Entry } from './entry.ts';
import { InputError, PoolExhaustedError, SophiaError, messageOf } from './errors.ts';
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
  memory: MemoryFigures | null = null;
  readonly #recorder: Recorder;
  readonly #hooks: Hooks;
  readonly #configs: ConfigCheck;
  readonly #leases = new LinkedList<Lease>();
  readonly #waiters: WaiterQueue;
  readonly #keeper: Keeper;
  #state: 'running' | 'draining' | 'closed' = 'running';
  #lastLeaseId = 0;
  #closing: Promise<CloseReport> | undefined = undefined;
  /** Whoever drains or closes looks again after each change. */
  readonly #onChange = new Set<() => void>();

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
    this.#configs = new ConfigCheck(agentClass);
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
    if (lease === undefined) return this.#wait(checked, options, startMs);
    const agent = this.#construct(lease, checked);
    this.#recorder.hit(this.clock.now() - startMs);
    if (this.events.has('lease.acquired')) this.#tellAcquired(lease, 'hit');
    return agent;
  }

  tryPooled(config: unknown, options: Pick<AcquireOptions, 'owner'> = NO_OPTIONS): AnyAgent | undefined {
    const startMs = this.clock.now();
    const checked = this.#admitBorrower(config, options);
    const lease = this.#tryLease(startMs, options.owner);
    if (lease === undefined) return undefined;
    const agent = this.#construct(lease, checked);
    this.#recorder.hit(this.clock.now() - startMs);
    if (this.events.has('lease.acquired')) this.#tellAcquired(lease, 'hit');
    return agent;
  }

  /** Refuses what cannot be served whatever is free, before anything is taken. */
  #admitBorrower(config: unknown, options: AcquireOptions): unknown {
    try {
      if (options !== NO_OPTIONS) {
        checkAcquireOptions(options);
        if (options.signal?.aborted === true) throw this.#abortedError(options.signal);
      }
      if (this.#state !== 'running') throw this.#notRunningError();
      return this.#configs.check(config);
    } catch (error) {
      this.#countFailure(error, options.owner);
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
      const error = new SophiaError(
        'CONSTRUCT_FAILED',
        `The constructor of '${this.type}' threw: ${messageOf(cause)}. Its entry was not used. Keep constructors light and move work that can fail to static create or execute().`,
        { cause },
      );
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
        throw this.#abortedError(signal);
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
  }

  #onAborted(waiter: Waiter): void {
    this.#waiters.remove(waiter);
    waiter.settled.reject(this.#abortedError(waiter.signal as AbortSignal));
  }

  /** Applies the policy: whoever would have to wait behind another borrower may be refused instead. */
  #refuseIfExhausted(startMs: number): void {
    const { exhaustion, maxWaiting } = this.options;
    const waiting = this.#waiters.size;
    const waitedMs = this.clock.now() - startMs;
    if (exhaustion !== 'wait' && waiting >= this.stock.capacity - this.#leases.size) {
      throw this.#exhaustedError('POOL_EXHAUSTED', waitedMs);
    }
    if (waiting >= maxWaiting) throw this.#exhaustedError('QUEUE_FULL', waitedMs);
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
    if (lease.entry.overflow) return 'overflow';
    if (this.reuse === 'single-use') return 'single-use';
    return this.#state === 'closed' ? 'closed' : undefined;
  }

  /** A shared entry is never destroyed under other leases: it retires, and goes with the last of them. */
  #giveBackShared(lease: Lease): void {
    const { entry } = lease;
    if (lease.discarded || lease.ended === 'revoked') this.stock.retire(entry);
    if (entry.leases === 0) this.stock.put(entry);
    else this.stock.serveShared();
  }

  /** The lease is taken back before its borrower saw the agent: the entry is as clean as before. */
  #ungrant(lease: Lease): void {
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
  serveFirst(entry: Entry): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) this.#handOver(entry, waiter);
  }

  #handOver(entry: Entry, waiter: Waiter): void {
    const nowMs = this.clock.now();
    // Waiting for a creation is instantiation; waiting for another borrower is the queue.
    const fresh = entry.uses === 0 || (this.reuse === 'shared' && entry.startedMs >= waiter.startMs);
    const queuedMs = fresh ? Math.max(0, entry.startedMs - waiter.startMs) : nowMs - waiter.startMs;
    const lease = this.#grant(entry, waiter.owner, nowMs);
    waiter.settled.resolve({ lease, how: fresh ? 'miss' : 'wait', queuedMs });
  }

  noteReleasedAgain(lease: Lease): void {
    this.#recorder.releasedAgain();
    this.events.emit('lease.released-again', { type: this.type, leaseId: lease.id, owner: lease.owner });
  }

  // ---- runs

  /** Follows a call of a lease: how long it took, how it ended, and whether it left the resources clean. */
  follow<Output>(lease: Lease, call: LiveCall<never>, work: () => Promise<Output>): Promise<Output> {
    const startMs = this.clock.now();
    lease.openCalls ??= new Set();
    lease.openCalls.add(call);
    // An aborted call stays open until execute() has really settled: until then it may touch the resources.
    const settled = work().then(
      (output) => {
        lease.openCalls?.delete(call);
        return output;
      },
      (error: unknown) => {
        lease.openCalls?.delete(call);
        this.noteFailure(lease, error);
        throw error;
      },
    );
    const counted = (failure: unknown): void => {
      call.close();
      this.#recorder.run(this.clock.now() - startMs, failure === undefined ? undefined : failureName(failure));
    };
    return call.race(settled).then(
      (output) => {
        counted(undefined);
        return output;
      },
      (error: unknown) => {
        counted(error ?? new Error('rejected without a reason'));
        this.noteFailure(lease, error);
        throw error;
      },
    );
  }

  /** A failure of the borrower's work makes the lease dirty, unless it cannot have touched the resources. */
  noteFailure(lease: Lease, error: unknown): void {
    if (lease.ended !== undefined || !lease.touched || error instanceof InputError) return;
    if (!this.#hooks.survives(error)) lease.dirty = true;
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
    if (this.#state === 'closed') throw this.#notRunningError();
    const before = this.stock.max;
    this.stock.resize(max);
    this.events.emit('pool.resized', { type: this.type, before, after: max });
  }

  /** Waiters whom nothing else can serve are told the true cause instead of being left to their deadline. */
  refuseWaiters(cause: unknown, failuresInARow: number): void {
    this.#waiters.refuseAll(
      () =>
        new SophiaError(
          'CREATE_FAILED',
          `No '${this.type}' agent could be made: static create failed ${failuresInARow} times in a row, last with: ${messageOf(cause)}. Correct what it depends on; the pool keeps trying with growing pauses.`,
          { cause },
        ),
    );
  }

  // ---- the end

  /** Takes no new borrowers; serves those who wait and waits for those who hold, until `timeoutMs`. */
  async drain(timeoutMs: number): Promise<DrainReport> {
    if (this.#state === 'running') this.#state = 'draining';
    const drained = await this.#quiet(timeoutMs, () => this.#leases.size === 0 && this.#waiters.size === 0);
    const holders = this.holders();
    this.events.emit('pool.drained', { type: this.type, holders: holders.length });
    return { type: this.type, drained, waiting: this.#waiters.size, holders };
  }

  /** Refuses waiters at once, waits for holders until `timeoutMs`, revokes the rest, destroys everything. */
  close(timeoutMs: number): Promise<CloseReport> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<CloseReport> {
    this.#state = 'closed';
    this.#keeper.stop();
    this.#waiters.refuseAll(() => this.#notRunningError());
    this.stock.close(this.#notRunningError());
    await this.#quiet(timeoutMs, () => this.#leases.size === 0);
    const revoked = this.holders();
    for (const lease of this.#leases) {
      const { owner, id, entry } = lease;
      lease.revoke();
      const heldMs = this.clock.now() - lease.acquiredMs;
      this.events.emit('lease.revoked', { type: this.type, entryId: entry.id, leaseId: id, owner, heldMs });
    }
    const { destroyTimeoutMs, resetTimeoutMs } = this.options;
    await this.#quiet(destroyTimeoutMs + resetTimeoutMs, () => this.stock.size === 0);
    this.events.emit('pool.closed', { type: this.type, revoked: revoked.length });
    return { type: this.type, revoked };
  }

  /** Waits until `isQuiet` holds, at most `timeoutMs`. @returns whether it does. */
  async #quiet(timeoutMs: number, isQuiet: () => boolean): Promise<boolean> {
    if (isQuiet() || timeoutMs <= 0) return isQuiet();
    const quiet = Promise.withResolvers<void>();
    const look = (): void => {
      if (isQuiet()) quiet.resolve();
    };
    this.#onChange.add(look);
    const late = (): Error => new Error('not quiet in time');
    await this.deadlines.within(timeoutMs, () => quiet.promise, late).catch(() => undefined);
    this.#onChange.delete(look);
    return isQuiet();
  }

  changed(): void {
    for (const look of this.#onChange) look();
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
      leased: this.#leases.size,
      idle: stock.inState('idle'),
      creating: stock.inState('creating'),
      resetting: stock.inState('resetting'),
      validating: stock.inState('validating'),
      destroying: stock.inState('destroying'),
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
    const { use } = this.#recorder.histograms;
    const heldMs = oldest === undefined ? 0 : this.clock.now() - oldest.acquiredMs;
    const load = {
      type: this.type,
      max: stock.max,
      leased: this.#leases.size,
      idle: stock.free,
      creating: stock.inState('creating'),
      resetting: stock.inState('resetting'),
      waiting: this.#waiters.size,
      oldestLease: oldest === undefined ? null : { heldMs, owner: oldest.owner },
      lastCreateError: stock.lastCreateError,
      meanHoldMs: use.count === 0 ? null : use.sumUs / use.count / 1_000,
    };
    return new PoolExhaustedError(code, exhaustionFacts(load, waitedMs), stock.lastCreateCause);
  }

  #abortedError(signal: AbortSignal): SophiaError {
    const message = `The acquire of a '${this.type}' agent was aborted by its signal before an agent was handed out. Nothing was taken.`;
    return new SophiaError('ACQUIRE_ABORTED', message, { cause: signal.reason });
  }

  #notRunningError(): SophiaError {
    return this.#state === 'closed'
      ? new SophiaError(
          'POOL_CLOSED',
          `The pool of '${this.type}' is closed. Make a new AgnoPerformanceOptimizer to serve again.`,
        )
      : new SophiaError(
          'POOL_DRAINING',
          `The pool of '${this.type}' is draining and hands out no more agents. Send new work to another process.`,
        );
  }

  #countFailure(error: unknown, owner: string | undefined): void {
    if (!(error instanceof SophiaError)) return;
    const { code } = error;
    this.#recorder.failure(code);
    if (this.events.has('acquire.failed')) this.events.emit('acquire.failed', { type: this.type, code, owner });
  }

  #tellAcquired(lease: Lease, how: 'hit' | 'miss' | 'wait'): void {
    const { id, owner, entry } = lease;
    this.events.emit('lease.acquired', { type: this.type, entryId: entry.id, leaseId: id, owner, how });
  }

  #tellReleased(lease: Lease, heldMs: number): void {
    const { id, owner, entry, dirty, discarded } = lease;
    const clean = !dirty && !discarded;
    this.events.emit('lease.released', { type: this.type, entryId: entry.id, leaseId: id, owner, heldMs, clean });
  }
}

function failureName(error: unknown): string {
  if (SophiaError.isInstance(error)) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
