/**
 * The world of the model tests: a pool whose every hook waits for the test, and a ledger of what happened that is kept
 * from the outside (hooks, events, promises), so that it can contradict what the pool says of itself.
 */

import assert from 'node:assert/strict';

import { AgnoPerformanceOptimizer, InputError, PoolExhaustedError } from '@sophia-ai/core';
import type { PoolOptions, PoolSnapshot } from '@sophia-ai/core';
import { ManualClock } from '@sophia-ai/core/testing';

import { agentClass, countedSignal, watch } from './agents.ts';
import type { MadeClass, TestAgent, Thing, Watched } from './agents.ts';

export interface Plan {
  readonly pool: PoolOptions & { readonly max: number };
  readonly resets: boolean;
  readonly validates: boolean;
  readonly slowDestroy: boolean;
  /** Entries stand by key, of which there are three. */
  readonly keyed: boolean;
}

/** On whose behalf, and for which key, an agent is asked for. */
export interface Who {
  readonly tenant: string | undefined;
  readonly key: string;
}

interface Made extends Thing {
  /** Whose data is in it; only a finished reset takes it out. */
  usedBy?: TestAgent | undefined;
  /** Who left it in a state that nobody may meet. */
  spoiltBy?: TestAgent | undefined;
  destroyed?: boolean;
  key?: string | undefined;
}

type Gate = PromiseWithResolvers<void> & { readonly thing: Made };

export interface Acquire {
  readonly owner: string;
  readonly who: Who;
  readonly seq: number;
  readonly dueMs: number;
  readonly watched: Watched<TestAgent>;
  readonly abort: () => void;
  readonly listeners: () => number;
  aborted: boolean;
  /** As told by events: the promise follows a few microtasks later. */
  fate: 'waiting' | 'granted' | 'failed';
}

export type RunMode = 'ok' | 'fail' | 'fail before touching' | 'bad input' | 'hang';

export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const NOBODY: Who = { tenant: undefined, key: 'a' };

/** No history of these tests has use for more. */
const MOST_CREATIONS = 1_000;
const DEFAULT_WAIT_MS = 2_000;
/** Deadlines from 256 ms on are rounded up to this grain. */
const GRAIN_MS = 16;

export class World {
  readonly clock = new ManualClock();
  readonly optimizer: AgnoPerformanceOptimizer;
  readonly Class: MadeClass;
  readonly plan: Plan;
  readonly acquires: Acquire[] = [];
  readonly live: TestAgent[] = [];
  readonly released: TestAgent[] = [];
  readonly creations: (PromiseWithResolvers<Thing> & { readonly key: string | undefined })[] = [];
  readonly resets: Gate[] = [];
  readonly destroys: Gate[] = [];
  readonly retires: ((reason: string) => void)[] = [];
  readonly ends: Watched<unknown>[] = [];
  readonly runs: Watched<unknown>[] = [];
  readonly runListeners: (() => number)[] = [];
  readonly #owners = new WeakMap<TestAgent, string>();
  readonly #holding = new Map<string, number>();
  readonly #revoked = new Set<string>();
  readonly #retired = new Set<number>();
  readonly #spent = new Set<number>();
  readonly #destroyedEntries = new Set<number>();
  /** From now on every hook succeeds at once. */
  auto = false;
  healthy = true;
  throwNext = false;
  lateReleases = 0;
  handedOut = 0;
  failed = 0;
  made = 0;
  destroyed = 0;
  max: number;
  prewarming = 0;
  state: 'running' | 'draining' | 'closed' = 'running';
  isSuspended = false;
  #pausedUntilMs = 0;
  #failuresInARow = 0;
  /** Entries beyond `max` that were there when it was lowered; they may only become fewer. */
  #surplus = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    this.max = plan.pool.max;
    this.optimizer = new AgnoPerformanceOptimizer({ clock: this.clock, random: () => 0.5 });
    const pool: PoolOptions = {
      waitMs: DEFAULT_WAIT_MS,
      createTimeoutMs: 1_000,
      resetTimeoutMs: 300,
      destroyTimeoutMs: 300,
      validateTimeoutMs: 100,
      validateEveryMs: 400,
      ...plan.pool,
    };
    this.Class = agentClass({
      pool,
      create: ({ retire, key }) => this.#create(retire, (key as Who | undefined)?.key),
      ...(plan.keyed ? { key: ({ key }: Who) => ({ key }) } : {}),
      destroy: (thing) => this.#destroy(thing),
      reset: plan.resets ? (thing) => this.#reset(thing) : 'stateless',
      ...(plan.validates ? { validate: async () => this.healthy } : {}),
      execute: (agent, mode) => this.#execute(agent, mode as RunMode),
    });
    this.#listen();
    this.optimizer.register(this.Class);
  }

  get isShared(): boolean {
    return this.plan.pool.reuse === 'shared';
  }

  get capacity(): number {
    const { exhaustion, maxOverflow, max } = this.plan.pool;
    return this.max + (exhaustion === 'grow' ? (maxOverflow ?? max) : 0);
  }

  get snapshot(): PoolSnapshot {
    const [snapshot] = this.optimizer.snapshot();
    assert.ok(snapshot);
    return snapshot;
  }

  // ---- hooks

  #create(retire: (reason: string) => void, key: string | undefined): Thing | Promise<Thing> {
    this.retires.push(retire);
    if (this.retires.length > MOST_CREATIONS) {
      // A loop of creations in microtasks would never let a check run; a failure breaks it.
      if (this.retires.length === MOST_CREATIONS + 1) this.#faults.push('entries are made and thrown away in a circle');
      throw new Error('made and thrown away');
    }
    if (this.throwNext) {
      this.throwNext = false;
      throw new Error('thrown by create');
    }
    if (this.auto) return this.#make(key);
    const gate = { ...Promise.withResolvers<Thing>(), key };
    this.creations.push(gate);
    return gate.promise;
  }

  #make(key: string | undefined): Made {
    this.made += 1;
    return { id: this.made, key };
  }

  #reset(thing: Made): undefined | Promise<void> {
    assert.ok(!thing.destroyed, 'a destroyed thing is not reset');
    assert.equal(thing.spoiltBy, undefined, 'what a failed call left behind is destroyed, not reset');
    if (this.auto) return void (thing.usedBy = undefined);
    const gate = { ...Promise.withResolvers<void>(), thing };
    this.resets.push(gate);
    return gate.promise;
  }

  #destroy(thing: Made): undefined | Promise<void> {
    assert.ok(!thing.destroyed, 'a thing is destroyed once');
    thing.destroyed = true;
    this.destroyed += 1;
    if (this.auto || !this.plan.slowDestroy) return undefined;
    const gate = { ...Promise.withResolvers<void>(), thing };
    this.destroys.push(gate);
    return gate.promise;
  }

  /** What a borrower does with the resources, and the look whether anyone else's hands are on them. */
  touch(agent: TestAgent): Made {
    const thing = agent.resources as Made;
    assert.ok(!thing.destroyed, 'a leased thing is not destroyed');
    if (this.plan.keyed)
      assert.equal(thing.key, (agent.config as Who).key, 'a borrower gets what was made for its key');
    if (this.isShared) return thing;
    if (this.plan.resets || this.plan.pool.reuse === 'single-use') {
      assert.ok(thing.usedBy === undefined || thing.usedBy === agent, 'a reset ran between two borrowers');
    }
    assert.ok(thing.spoiltBy === undefined || thing.spoiltBy === agent, 'nobody meets what a failed call left');
    for (const other of this.live) {
      assert.ok(other === agent || (other.resources as Made) !== thing, 'one live lease per entry');
    }
    thing.usedBy = agent;
    return thing;
  }

  #execute(agent: TestAgent, mode: RunMode): unknown {
    if (mode === 'fail before touching') throw new Error('before');
    const thing = this.touch(agent);
    if (mode === 'bad input') throw new InputError('no');
    if (mode === 'ok') return thing.id;
    if (!this.isShared) thing.spoiltBy = agent;
    if (mode === 'fail') throw new Error('half-way');
    return new Promise(() => undefined);
  }

  #listen(): void {
    this.optimizer.on('listener.failed', ({ event, error }) => {
      // A failed check in a listener must fail the test, not be swallowed as a watcher's fault.
      this.#faults.push(`${event}: ${String(error)}`);
    });
    this.optimizer.on('lease.acquired', ({ owner, entryId, how }) => {
      const acquire = this.#byOwner(owner);
      acquire.fate = 'granted';
      this.handedOut += 1;
      // One who was handed an entry in this tick is out of the queue, though its own turn comes a microtask later.
      if (how === 'hit') assert.ok(!this.isSuspended, 'nothing is handed out while suspended');
      const earlier = this.acquires.find((other) => this.#comesBefore(other, acquire));
      // A hit is told in the tick of its hand-over, before those who were handed theirs in that tick: the queue knows.
      if (how === 'hit' && !this.plan.keyed) assert.equal(this.#queued(acquire.who.tenant), 0, `${owner} overtook`);
      if (how !== 'hit') assert.equal(earlier?.owner, undefined, `${owner} overtook ${earlier?.owner}`);
      // A shared entry may have been discarded between a hand-over and the borrower's own turn.
      if (how === 'hit') assert.ok(!this.#retired.has(entryId), 'a retired entry is not handed out');
      if (how === 'hit' || !this.isShared) assert.ok(!this.#spent.has(entryId), 'a spent entry is not handed out');
      assert.ok(!this.#destroyedEntries.has(entryId), 'a destroyed entry is not handed out');
      if (!this.isShared) assert.ok(!new Set(this.#holding.values()).has(entryId), 'one live lease per entry');
      this.#holding.set(acquire.owner, entryId);
    });
    this.optimizer.on('lease.released', ({ owner = '', entryId, clean, how }) => {
      if (how === 'revoked') {
        this.#revoked.add(owner);
        const index = this.live.findIndex((agent) => this.#owners.get(agent) === owner);
        if (index !== -1) this.released.push(...this.live.splice(index, 1));
      }
      this.#holding.delete(owner);
      if (!this.isShared && (!clean || this.plan.pool.reuse === 'single-use')) this.#spent.add(entryId);
    });
    this.optimizer.on('acquire.failed', ({ owner, code }) => {
      this.failed += 1;
      const acquire = this.acquires.find((each) => each.owner === owner);
      if (acquire !== undefined) acquire.fate = 'failed';
      if (code !== 'QUEUE_FULL' && code !== 'POOL_EXHAUSTED') return;
      const { leased, waiting } = this.snapshot;
      const { tenantBurst = Infinity } = this.plan.pool;
      const tenant = acquire?.who.tenant;
      const isKept = this.isSuspended || (tenant !== undefined && this.#leasedBy(tenant) >= tenantBurst);
      if (code === 'POOL_EXHAUSTED' && isKept) return;
      assert.ok(leased + waiting >= this.capacity, `${code} while there is room: ${leased} leased, ${waiting} waiting`);
    });
    this.optimizer.on('agent.create-failed', ({ retryInMs }) => {
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.clock.now() + retryInMs + GRAIN_MS);
      this.#failuresInARow += 1;
    });
    this.optimizer.on('agent.created', () => {
      this.#failuresInARow = 0;
    });
    this.optimizer.on('agent.log', ({ entryId }) => void this.#retired.add(entryId));
    this.optimizer.on('agent.destroyed', ({ entryId }) => {
      assert.ok(!this.#destroyedEntries.has(entryId), 'an entry is destroyed once');
      this.#destroyedEntries.add(entryId);
    });
  }

  readonly #faults: string[] = [];

  /** First come, first served holds within a tenant and a key. */
  #comesBefore(other: Acquire, acquire: Acquire): boolean {
    if (other.seq >= acquire.seq || other.fate !== 'waiting' || other.aborted) return false;
    if (this.plan.keyed && other.who.key !== acquire.who.key) return false;
    return other.who.tenant === acquire.who.tenant;
  }

  /** How many of a tenant stand in the queue. */
  #queued(tenant: string | undefined): number {
    const { tenants, waiting } = this.snapshot;
    if (tenant !== undefined) return tenants.find((each) => each.tenant === tenant)?.waiting ?? 0;
    return waiting - tenants.reduce((sum, each) => sum + each.waiting, 0);
  }

  #leasedBy(tenant: string | undefined): number {
    return this.snapshot.holders.filter((holder) => holder.tenant === tenant).length;
  }

  #byOwner(owner: string | undefined): Acquire {
    const acquire = this.acquires.find((each) => each.owner === owner);
    assert.ok(acquire, `${owner} asked for an agent`);
    return acquire;
  }

  // ---- steps; each is synchronous, so that several may fall into one tick

  acquire(waitMs: number | undefined, withSignal: boolean, who: Who = NOBODY): void {
    const seq = this.acquires.length;
    const owner = `a${seq}`;
    const { controller, signal, listeners } = countedSignal();
    const gate = Promise.withResolvers<TestAgent>();
    const acquire: Acquire = {
      owner,
      who,
      seq,
      dueMs: this.clock.now() + (waitMs ?? DEFAULT_WAIT_MS),
      watched: watch(gate.promise),
      abort: () => {
        acquire.aborted = true;
        controller.abort();
      },
      listeners,
      aborted: false,
      fate: 'waiting',
    };
    this.acquires.push(acquire);
    const options = { waitMs, owner, tenant: who.tenant, ...(withSignal ? { signal } : {}) };
    const promise = this.optimizer.pooled(this.Class, who, options);
    promise.then(
      (agent) => this.#received(agent, owner),
      () => undefined,
    );
    gate.resolve(promise);
  }

  #received(agent: TestAgent, owner: string): void {
    this.#owners.set(agent, owner);
    (this.#revoked.has(owner) ? this.released : this.live).push(agent);
  }

  tryAcquire(who: Who = NOBODY): void {
    const owner = `t${this.acquires.length}`;
    const seq = this.acquires.length;
    const watched = watch(Promise.resolve() as never) as Watched<TestAgent>;
    const acquire: Acquire = {
      owner,
      who,
      seq,
      dueMs: Number.POSITIVE_INFINITY,
      watched,
      abort: () => undefined,
      listeners: () => 0,
      aborted: false,
      fate: 'waiting',
    };
    this.acquires.push(acquire);
    try {
      const agent = this.optimizer.tryPooled(this.Class, who, { owner, tenant: who.tenant });
      if (agent === undefined) acquire.fate = 'failed';
      else this.#received(agent, owner);
    } catch {
      assert.notEqual(this.state, 'running');
      acquire.fate = 'failed';
    }
  }

  release(agent: TestAgent, how: 'release' | 'discard'): void {
    this.live.splice(this.live.indexOf(agent), 1);
    this.released.push(agent);
    const entryId = this.#holding.get(this.#owners.get(agent) ?? '');
    if (how === 'discard' && entryId !== undefined) this.#spent.add(entryId);
    // Runs in the test's own hands: the pool may only hand the entry on after this.
    agent[how]();
  }

  releaseLate(agent: TestAgent, how: 'release' | 'discard'): void {
    const before = JSON.stringify({ ...this.snapshot, counters: null });
    agent[how]();
    this.lateReleases += 1;
    assert.equal(JSON.stringify({ ...this.snapshot, counters: null }), before, 'a late release changes nothing');
  }

  run(agent: TestAgent, mode: RunMode, timeoutMs: number | undefined): void {
    const { signal, listeners } = countedSignal();
    this.runs.push(watch(agent.run(mode, timeoutMs === undefined ? { signal } : { signal, timeoutMs })));
    this.runListeners.push(listeners);
  }

  openCreation(index: number, outcome: 'ok' | 'fail'): void {
    const [gate] = this.creations.splice(index % Math.max(1, this.creations.length), 1);
    if (outcome === 'fail') gate?.reject(new Error('creation failed'));
    else if (gate !== undefined) gate.resolve(this.#make(gate.key));
  }

  openReset(index: number, outcome: 'ok' | 'fail'): void {
    const [gate] = this.resets.splice(index % Math.max(1, this.resets.length), 1);
    if (outcome === 'fail') return gate?.reject(new Error('reset failed'));
    if (gate !== undefined) gate.thing.usedBy = undefined;
    gate?.resolve();
  }

  openDestroy(index: number, outcome: 'ok' | 'fail'): void {
    const [gate] = this.destroys.splice(index % Math.max(1, this.destroys.length), 1);
    if (outcome === 'fail') gate?.reject(new Error('destroy failed'));
    else gate?.resolve();
  }

  retire(index: number): void {
    this.retires[index % Math.max(1, this.retires.length)]?.('the test says so');
  }

  resize(max: number): void {
    if (this.state === 'closed') return;
    this.#surplus = Math.max(0, this.#placed - max);
    this.max = max;
    this.optimizer.resize('test', max);
  }

  prewarm(count: number, parallel: number): void {
    this.prewarming += parallel;
    const config = this.plan.keyed ? { config: NOBODY } : {};
    const report = this.optimizer.prewarm(this.Class, { count, parallel, timeoutMs: 1_500, ...config });
    const done = ({ timedOut }: { timedOut: boolean }): void => {
      // What a prewarming that took too long has under way goes on beside the pool's own creations.
      if (!timedOut) this.prewarming -= parallel;
    };
    report.then(done, () => undefined);
    this.ends.push(watch(report));
  }

  suspend(): void {
    if (this.state !== 'running') return;
    this.isSuspended = true;
    this.optimizer.suspend('test');
  }

  resume(): void {
    this.isSuspended = false;
    this.optimizer.resume('test');
  }

  revoke(index: number): void {
    const { holders } = this.snapshot;
    const holder = holders[index % Math.max(1, holders.length)];
    if (holder !== undefined) assert.ok(this.optimizer.revoke('test', holder.leaseId));
  }

  renew(): void {
    if (this.state !== 'running' || this.isSuspended) return;
    // Like a prewarming, it makes one entry at a time beside the pool's own creations.
    this.prewarming += 1;
    const report = this.optimizer.renew('test', { timeoutMs: 1_500 });
    const done = ({ error }: { error: string | null }): void => {
      if (error === null) this.prewarming -= 1;
    };
    report.then(done, () => undefined);
    this.ends.push(watch(report));
  }

  drain(timeoutMs: number): void {
    if (this.state === 'running') this.state = 'draining';
    this.isSuspended = false;
    this.ends.push(watch(this.optimizer.drain({ timeoutMs })));
  }

  close(timeoutMs: number): void {
    this.state = 'closed';
    this.ends.push(watch(this.optimizer.close({ timeoutMs })));
  }

  // ---- what must hold

  /** Holds at any moment, also in the middle of a tick. */
  checkAlways(): void {
    assert.deepEqual(this.#faults, []);
    const { idle, leased, creating, resetting, validating, quarantined, waiting, size } = this.snapshot;
    for (const count of [idle, leased, creating, resetting, validating, waiting]) assert.ok(count >= 0);
    const { createConcurrency = 2, keepSuspects = 0, tenantBurst = Infinity } = this.plan.pool;
    if (!this.plan.keyed && !this.isSuspended && (this.isShared ? size : idle) > 0) this.#checkServed();
    const limit = createConcurrency * (this.plan.keyed ? 4 : 1) + this.prewarming;
    assert.ok(creating <= limit, `${creating} creations in flight, ${limit} allowed`);
    const suspects = this.optimizer.suspects('test').length;
    assert.ok(suspects <= keepSuspects && suspects <= quarantined, `${suspects} suspects, ${keepSuspects} kept`);
    for (const { tenant, leased: held } of this.snapshot.tenants) assert.ok(held <= tenantBurst, `${tenant}: ${held}`);
    if (this.isShared) return;
    const taken = this.#placed;
    this.#surplus = Math.min(this.#surplus, Math.max(0, taken - this.max));
    const allowed = Math.max(this.capacity, this.max + this.#surplus);
    assert.ok(taken <= allowed, `${taken} entries, ${allowed} allowed`);
  }

  /** Entries that hold a place of the pool. */
  get #placed(): number {
    const { idle, leased, creating, resetting, validating, quarantined } = this.snapshot;
    return idle + leased + creating + resetting + validating + quarantined - this.optimizer.suspects('test').length;
  }

  /** An entry is free, so whoever waits is kept waiting by the limit of its tenant. */
  #checkServed(): void {
    const { tenantBurst = Infinity } = this.plan.pool;
    // The queue learns of an aborted or late one before its promise does.
    if (this.snapshot.waiting === 0) return;
    const waiting = this.snapshot.tenants.filter((each) => each.waiting > 0);
    const named = waiting.reduce((sum, each) => sum + each.waiting, 0);
    assert.equal(named, this.snapshot.waiting, 'no waiter without a tenant while an entry could serve it');
    for (const { tenant } of waiting) {
      assert.ok(this.#leasedBy(tenant) >= tenantBurst, `${tenant} waits while an entry could serve it`);
    }
  }

  /** Waiters that are not kept waiting by the limit of their own tenant. */
  get #servable(): number {
    const { tenantBurst = Infinity } = this.plan.pool;
    const { tenants, waiting } = this.snapshot;
    const kept = tenants.map((each) => Math.max(0, each.waiting - Math.max(0, tenantBurst - each.leased)));
    return waiting - kept.reduce((sum, count) => sum + count, 0);
  }

  /** Holds when no promise is left to run. */
  checkSettled(): void {
    this.checkAlways();
    const { snapshot } = this;
    const { counters, idle, leased, creating, resetting, validating, destroying, quarantined, waiting } = snapshot;
    const gone = Object.values(counters.destroyed).reduce((sum, count) => sum + count, 0);
    assert.equal(counters.created, this.made, 'every creation that succeeded is counted');
    assert.equal(gone, this.destroyed, 'every destruction is counted');
    if (!this.isShared) {
      const live = idle + leased + resetting + validating + quarantined;
      assert.equal(this.made - this.destroyed, live, 'created = destroyed + live');
    }
    assert.equal(counters.handOuts, this.handedOut, 'every hand-out is counted');
    assert.equal(counters.releasedAgain, this.lateReleases, 'every late release is counted');
    const now = this.clock.now();
    let stillWaiting = 0;
    for (const { owner, watched, fate, dueMs, listeners } of this.acquires) {
      if (owner.startsWith('t')) continue;
      assert.equal(
        watched.state,
        { waiting: 'pending', granted: 'resolved', failed: 'rejected' }[fate],
        `${owner}: event and promise tell the same`,
      );
      if (fate === 'waiting') {
        stillWaiting += 1;
        assert.ok(now < dueMs + GRAIN_MS + 1, `${owner} settles by its deadline`);
      } else assert.equal(listeners(), 0, `${owner} leaves no listener on its signal`);
      if (watched.state === 'rejected') this.#checkRefusal(watched.error);
    }
    assert.equal(waiting, stillWaiting, 'the queue holds who has not been answered');
    assert.equal(leased, this.live.length, 'leases are those of live agents');
    // After a failure one creation at a time is the probe for all.
    // Of several keys each has its own failures.
    const isProbe = this.#failuresInARow > 0 || this.plan.keyed;
    const createConcurrency = isProbe ? 1 : (this.plan.pool.createConcurrency ?? 2);
    const taken = this.#placed + destroying;
    const couldCreate = this.isShared ? taken === 0 : taken < this.max;
    const isHelped = this.state === 'closed' || this.isSuspended;
    if (this.#servable > creating && couldCreate && creating < createConcurrency && !isHelped) {
      assert.ok(now <= this.#pausedUntilMs, 'a waiter with room to create for it is helped, or a pause is on');
    }
  }

  #checkRefusal(error: unknown): void {
    if (!(error instanceof PoolExhaustedError)) return;
    const { facts } = error;
    assert.ok(facts.leased >= 0 && facts.waiting >= 0 && facts.idle >= 0);
    assert.ok(facts.advice.length > 20);
    if (facts.retryAfterMs !== null) assert.ok(facts.retryAfterMs >= 1 && Number.isFinite(facts.retryAfterMs));
  }

  get #isQuiet(): boolean {
    const { leased, creating, resetting, validating, destroying, quarantined, waiting } = this.snapshot;
    const open = this.creations.length + this.resets.length + this.destroys.length;
    const isPausing = this.clock.now() <= this.#pausedUntilMs;
    return !isPausing && leased + creating + resetting + validating + destroying + quarantined + waiting + open === 0;
  }

  /** Lets everything succeed from here on and ends what is under way. */
  async rescue(): Promise<void> {
    this.auto = true;
    this.healthy = true;
    this.throwNext = false;
    if (this.isSuspended) this.resume();
    for (const agent of [...this.live]) this.release(agent, 'release');
    for (let round = 0; round < 60 && !this.#isQuiet; round += 1) {
      while (this.creations.length > 0) this.openCreation(0, 'ok');
      while (this.resets.length > 0) this.openReset(0, 'ok');
      while (this.destroys.length > 0) this.openDestroy(0, 'ok');
      await this.clock.advance(1_000);
      for (const agent of [...this.live]) this.release(agent, 'release');
    }
    await turn();
    for (const agent of [...this.live]) this.release(agent, 'release');
    await turn();
    this.checkSettled();
    assert.ok(
      this.acquires.every(({ fate }) => fate !== 'waiting'),
      'every acquire has settled',
    );
  }

  /** Nothing was lost: as many as `max` agents can be had again. */
  async checkCapacity(): Promise<void> {
    if (this.state !== 'running') return;
    const { max } = this;
    for (let index = 0; index < max; index += 1) this.acquire(undefined, false);
    // Idle entries of other keys give way first.
    await this.clock.advance(this.plan.keyed ? 400 : 0);
    await turn();
    this.checkSettled();
    assert.equal(this.live.length, max, 'max agents can be had again');
    for (const agent of [...this.live]) {
      this.touch(agent);
      this.release(agent, 'release');
    }
    await turn();
    this.checkSettled();
  }

  async checkClosed(): Promise<void> {
    this.close(10);
    await this.clock.advance(60_000);
    await turn();
    while (this.creations.length > 0) this.openCreation(0, 'ok');
    while (this.resets.length > 0) this.openReset(0, 'ok');
    while (this.destroys.length > 0) this.openDestroy(0, 'ok');
    await this.clock.advance(60_000);
    await turn();
    const { idle, leased, creating, resetting, validating, quarantined, destroying, waiting } = this.snapshot;
    assert.equal(
      idle + leased + creating + resetting + validating + quarantined + destroying + waiting,
      0,
      'nothing lives after close',
    );
    assert.equal(this.destroyed, this.made, 'created = destroyed after close');
    assert.equal(this.clock.pending, 0, 'no timer after close');
    for (const { owner, listeners, fate } of this.acquires) {
      assert.notEqual(fate, 'waiting', `${owner} settles by close`);
      assert.equal(listeners(), 0);
    }
    for (const listeners of this.runListeners) assert.equal(listeners(), 0, 'no listener of a run after close');
    for (const end of this.ends) assert.notEqual(end.state, 'pending', 'drain, prewarm and close settle');
    for (const run of this.runs) assert.notEqual(run.state, 'pending', 'every run settles');
    assert.deepEqual(this.#faults, []);
  }
}
