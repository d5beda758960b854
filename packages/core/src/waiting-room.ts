/**
 * What happens when an acquire has to wait: the policy may refuse it, else it joins the queue of its shelf and leaves
 * with a lease, or with an error that says why, by its deadline at the latest.
 */

import type { PoolExhaustedError } from './errors.ts';
import type { ExhaustionCode } from './errors.ts';
import type { Clock } from './base/clock.ts';
import type { Entry } from './entry.ts';
import type { Lease } from './lease.ts';
import type { LinkedList } from './base/linked-list.ts';
import type { Refused } from './measure/pool-view.ts';
import { abortedError, createFailedError, notRunningError } from './refusals.ts';
import type { PoolFacts } from './errors.ts';
import { here } from './safety/call-site.ts';
import { deadlockChain } from './safety/wait-graph.ts';
import type { GraphPool } from './safety/wait-graph.ts';
import type { AcquireOptions, ResolvedPoolOptions } from './settings/options.ts';
import { Shedding } from './shedding.ts';
import type { Shelf } from './shelf.ts';
import type { PoolState, Stock } from './stock.ts';
import type { TenantLimits } from './tenant-limits.ts';
import { Waiter } from './waiter-queue.ts';
import type { Grant, WaitingBorrower } from './waiter-queue.ts';

/** What the room needs of the pool in front of which it stands. */
export interface RoomHome extends GraphPool {
  readonly options: ResolvedPoolOptions;
  readonly clock: Clock;
  readonly state: PoolState;
  readonly stock: Stock;
  readonly tenants: TenantLimits;
  readonly leases: LinkedList<Lease>;
  readonly medianHoldMs: number;
  grant(entry: Entry, borrower: WaitingBorrower, nowMs: number): Lease;
  facts(refused: Refused): PoolFacts;
  exhausted(code: ExhaustionCode, refused: Refused, chain?: readonly string[]): PoolExhaustedError;
  changed(): void;
}

/** One acquire that was not served at once. */
export interface Acquire {
  readonly shelf: Shelf;
  readonly options: AcquireOptions;
  readonly startMs: number;
  /** The lease in whose run it is asked for. */
  readonly within: Lease | undefined;
}

/** Which pool each nested waiter stands at, for the graph of who waits for whom. */
const poolOf = new WeakMap<Waiter, GraphPool>();

export class WaitingRoom {
  readonly #home: RoomHome;
  readonly shedding: Shedding;

  constructor(home: RoomHome) {
    this.#home = home;
    this.shedding = new Shedding(home.options.queueTargetMs, () => home.medianHoldMs);
  }

  /** How many wait, for all keys. */
  get size(): number {
    let waiting = 0;
    for (const { waiters } of this.#home.stock.shelves) waiting += waiters.size;
    return waiting;
  }

  get #servable(): number {
    let servable = 0;
    for (const { waiters } of this.#home.stock.shelves) servable += this.#home.tenants.servable(waiters);
    return servable;
  }

  /** Waits for a lease. @throws SophiaError CREATE_FAILED, ACQUIRE_ABORTED. @throws PoolExhaustedError */
  wait(acquire: Acquire): Promise<Grant> {
    const { shelf, options, startMs, within } = acquire;
    const { signal, owner, tenant, leaseMs, waitMs = this.#home.options.waitMs } = options;
    try {
      this.#refuseIfExhausted(acquire);
    } catch (error) {
      this.#home.stock.shelves.prune(shelf);
      throw error;
    }
    const borrower = { owner, tenant, leaseMs, origin: here() };
    const waiter = new Waiter(startMs, borrower, within, (late) => {
      this.#leave(shelf, late, (refused) => this.#home.exhausted('ACQUIRE_TIMEOUT', refused));
    });
    if (within !== undefined) {
      poolOf.set(waiter, this.#home);
      (within.extra.asking ??= new Set()).add(waiter);
    }
    // No longer than the runs on whose behalf it asks may last.
    const limits = [...(within?.openCalls ?? [])].map((call) => call.remainingMs());
    shelf.waiters.push(waiter, Math.min(waitMs, ...limits), signal, (aborted) => {
      const given = aborted.signal as AbortSignal;
      this.#leave(shelf, aborted, (refused) => abortedError(this.#home.type, given, this.#home.facts(refused)));
    });
    const { stock, tenants } = this.#home;
    stock.shelves.addHungry(shelf);
    // Others before it may be kept waiting by their own limits, so a free entry may be for this one.
    if (tenants.areSet) stock.serveWaiting();
    else stock.replenish();
    return waiter.settled.promise;
  }

  /** Applies breaker, policy and the graph of nested borrowers: who would wait in vain is told so at once. */
  #refuseIfExhausted({ shelf, options: { owner, tenant }, startMs, within }: Acquire): void {
    const home = this.#home;
    const { outage } = shelf;
    const refused: Refused = { waitedMs: home.clock.now() - startMs, owner, tenant, shelf };
    if (outage !== undefined) {
      throw createFailedError(home.type, outage.cause, outage.failuresInARow, home.facts(refused));
    }
    // As many as there is room for wait for a creation or a reset, not behind other borrowers.
    const isKept = home.state === 'suspended' || !home.tenants.mayHave(tenant);
    // Who is kept waiting by the limit of their own tenant is in nobody else's way.
    const before = isKept ? this.size : this.#servable;
    const behind = before - Math.max(0, home.stock.capacity - home.leases.size);
    if (home.options.exhaustion !== 'wait' && (behind >= 0 || isKept)) throw home.exhausted('POOL_EXHAUSTED', refused);
    const chain = deadlockChain(within, home, (waiter) => poolOf.get(waiter) as GraphPool);
    if (chain !== undefined) throw home.exhausted('NESTED_DEADLOCK', { ...refused, isNested: true }, chain);
    if (behind >= home.options.maxWaiting) throw home.exhausted('QUEUE_FULL', refused);
  }

  #leave(shelf: Shelf, waiter: Waiter, why: (refused: Refused) => Error): void {
    shelf.waiters.remove(waiter);
    waiter.settled.reject(why({ ...this.#refusedOf(waiter), shelf }));
    this.#home.stock.shelves.prune(shelf);
    if (this.shedding.isOn && this.size === 0) this.shedding.noteEmpty(this.#home.clock.now());
    this.#home.changed();
  }

  #refusedOf({ startMs, borrower: { owner, tenant } }: Waiter): Refused {
    return { waitedMs: this.#home.clock.now() - startMs, owner, tenant };
  }

  /** Gives a clean entry to the borrower whose turn it is. @returns whether one may have it now. */
  serve(entry: Entry, isNew: boolean): boolean {
    const { waiters } = entry.shelf;
    const { tenants, clock } = this.#home;
    const nowMs = clock.now();
    if (this.shedding.isSlow) this.#shed(nowMs);
    const waiter = waiters.shift(tenants.isBelowMax) ?? (tenants.areSet ? waiters.shift(tenants.mayHave) : undefined);
    if (waiter === undefined) return false;
    if (this.shedding.isOn) {
      if (this.size > 0) this.shedding.note(nowMs - waiter.startMs, nowMs);
      else this.shedding.noteEmpty(nowMs);
    }
    // Waiting for a creation is instantiation; waiting for another borrower is the queue.
    const queuedMs = isNew ? Math.max(0, entry.startedMs - waiter.startMs) : nowMs - waiter.startMs;
    const lease = this.#home.grant(entry, waiter.borrower, nowMs);
    lease.extra.origin = waiter.borrower.origin;
    waiter.settled.resolve({ lease, how: isNew ? 'miss' : 'wait', queuedMs });
    return true;
  }

  #shed(nowMs: number): void {
    for (const shelf of this.#home.stock.shelves.hungry()) {
      // Who is kept waiting by the limit of their own tenant stands in nobody's way.
      for (const waiter of shelf.waiters.takeOlder(this.shedding.limitMs(nowMs), this.#home.tenants.mayHave)) {
        waiter.settled.reject(this.#home.exhausted('ACQUIRE_SHED', { ...this.#refusedOf(waiter), shelf }));
      }
    }
  }

  /** An interval of the shedding is over, perhaps without anyone being served. Nobody is served while suspended. */
  shedStanding(): void {
    const { clock, stock, state, tenants } = this.#home;
    if (state === 'suspended') return;
    const nowMs = clock.now();
    let oldestMs = Infinity;
    for (const { waiters } of stock.shelves.hungry()) {
      oldestMs = Math.min(oldestMs, waiters.oldestOf(tenants.mayHave)?.startMs ?? Infinity);
    }
    if (oldestMs === Infinity) this.shedding.noteEmpty(nowMs);
    else this.shedding.note(nowMs - oldestMs, nowMs);
    this.#shed(nowMs);
    stock.shelves.forgetBare();
    this.#home.changed();
  }

  /** Tells everyone on a shelf that creation fails and nothing else can serve them. */
  refuse(shelf: Shelf, cause: unknown, failuresInARow: number): void {
    shelf.waiters.refuseAll((waiter) => {
      const facts = this.#home.facts({ ...this.#refusedOf(waiter), shelf });
      return createFailedError(this.#home.type, cause, failuresInARow, facts);
    });
    this.#home.changed();
  }

  /** Tells everyone that the pool has closed. */
  close(): void {
    const { stock, type } = this.#home;
    for (const shelf of stock.shelves.all()) {
      shelf.waiters.refuseAll((waiter) => {
        return notRunningError(type, 'closed', this.#home.facts({ ...this.#refusedOf(waiter), shelf }));
      });
      stock.shelves.prune(shelf);
    }
    this.#home.changed();
  }
}
