/**
 * Borrowers that wait, first come first served within a tenant; tenants take turns by weight (deficit round robin,
 * Shreedhar and Varghese 1995, where every lease costs one). Joining and leaving cost O(1) among the waiters of a
 * tenant; every waiter leaves by its deadline.
 */

import { Deadline } from './base/deadlines.ts';
import type { Deadlines } from './base/deadlines.ts';
import type { Borrower, Lease } from './lease.ts';
import { LinkedList } from './base/linked-list.ts';
import type { Linked } from './base/linked-list.ts';

/** How a waiter came to its lease: a returned entry, or one created while it waited. */
export interface Grant {
  readonly lease: Lease;
  readonly how: 'miss' | 'wait';
  /** Milliseconds spent behind other borrowers; time inside a creation is not among them. */
  readonly queuedMs: number;
}

/** Who waits, copied from the options: the queue must not depend on an object that the borrower may change. */
export interface WaitingBorrower extends Borrower {
  /** Where the call of `pooled()` stands in the borrower's code. */
  readonly origin: Error;
}

export class Waiter extends Deadline implements Linked<Waiter> {
  previous: Waiter | undefined = undefined;
  next: Waiter | undefined = undefined;
  readonly startMs: number;
  readonly borrower: WaitingBorrower;
  /** The lease in whose run this borrower asks, if it does. */
  readonly within: Lease | undefined;
  readonly settled: PromiseWithResolvers<Grant> = Promise.withResolvers();
  signal: AbortSignal | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;

  constructor(startMs: number, borrower: WaitingBorrower, within: Lease | undefined, onLate: (waiter: Waiter) => void) {
    super(() => onLate(this));
    this.within = within;
    this.startMs = startMs;
    this.borrower = borrower;
  }
}

const ANY = (): boolean => true;

/** The waiters of one tenant, and how many of them may go before the next tenant's turn. */
class Flow implements Linked<Flow> {
  previous: Flow | undefined = undefined;
  next: Flow | undefined = undefined;
  readonly waiters = new LinkedList<Waiter>();
  readonly tenant: string | undefined;
  readonly weight: number;
  credit: number;

  constructor(tenant: string | undefined, weight: number) {
    this.tenant = tenant;
    this.weight = weight;
    this.credit = weight;
  }
}

export class WaiterQueue {
  readonly #deadlines: Deadlines;
  readonly #weights: Readonly<Record<string, number>>;
  readonly #flows = new Map<string | undefined, Flow>();
  readonly #turns = new LinkedList<Flow>();
  #size = 0;

  constructor(deadlines: Deadlines, weights: Readonly<Record<string, number>>) {
    this.#deadlines = deadlines;
    this.#weights = weights;
  }

  get size(): number {
    return this.#size;
  }

  /** The waiter that came first, of any tenant. */
  get oldest(): Waiter | undefined {
    return this.oldestOf(ANY);
  }

  /** The waiter that came first among tenants that may have one more lease. */
  oldestOf(mayServe: (tenant: string | undefined) => boolean): Waiter | undefined {
    let oldest: Waiter | undefined = undefined;
    for (const { tenant, waiters } of this.#turns) {
      const first = waiters.first as Waiter;
      if (mayServe(tenant) && (oldest === undefined || first.startMs < oldest.startMs)) oldest = first;
    }
    return oldest;
  }

  /** How many wait for each tenant. */
  *counts(): IterableIterator<[tenant: string | undefined, waiting: number]> {
    for (const { tenant, waiters } of this.#turns) yield [tenant, waiters.size];
  }

  /** @param onAbort what to do when `signal` is aborted first; it must remove the waiter. */
  push(waiter: Waiter, waitMs: number, signal: AbortSignal | undefined, onAbort: (waiter: Waiter) => void): void {
    this.#flowOf(waiter.borrower.tenant).waiters.push(waiter);
    this.#size += 1;
    this.#deadlines.add(waiter, waitMs);
    if (signal === undefined) return;
    waiter.signal = signal;
    waiter.onAbort = () => onAbort(waiter);
    signal.addEventListener('abort', waiter.onAbort, { once: true });
  }

  #flowOf(tenant: string | undefined): Flow {
    let flow = this.#flows.get(tenant);
    if (flow === undefined) {
      const weight = tenant !== undefined && Object.hasOwn(this.#weights, tenant) ? this.#weights[tenant] : undefined;
      flow = new Flow(tenant, weight ?? 1);
      this.#flows.set(tenant, flow);
      this.#turns.push(flow);
    }
    return flow;
  }

  /** The waiter whose turn it is, taken out. @param mayServe whether a tenant may have one more lease now. */
  shift(mayServe: (tenant: string | undefined) => boolean = ANY): Waiter | undefined {
    for (let refused = 0; refused < this.#turns.size;) {
      const flow = this.#turns.first as Flow;
      const isAllowed = mayServe(flow.tenant);
      if (isAllowed && flow.credit >= 1) {
        flow.credit -= 1;
        const waiter = flow.waiters.first as Waiter;
        this.remove(waiter);
        return waiter;
      }
      refused = isAllowed ? 0 : refused + 1;
      if (isAllowed) flow.credit += flow.weight;
      this.#turns.remove(flow);
      this.#turns.push(flow);
    }
    return undefined;
  }

  /** Takes a waiter out; only for one that stands in this queue. */
  remove(waiter: Waiter): void {
    const flow = this.#flows.get(waiter.borrower.tenant) as Flow;
    flow.waiters.remove(waiter);
    if (flow.waiters.size === 0) {
      this.#flows.delete(flow.tenant);
      this.#turns.remove(flow);
    }
    this.#size -= 1;
    waiter.within?.extras?.asking?.delete(waiter);
    this.#deadlines.remove(waiter);
    if (waiter.onAbort !== undefined) waiter.signal?.removeEventListener('abort', waiter.onAbort);
    waiter.onAbort = undefined;
  }

  /** Takes out those who came before `beforeMs`, of every tenant that may have one more lease. */
  takeOlder(beforeMs: number, mayServe: (tenant: string | undefined) => boolean = ANY): Waiter[] {
    const taken: Waiter[] = [];
    for (const { tenant, waiters } of this.#turns) {
      if (!mayServe(tenant)) continue;
      for (const waiter of waiters) {
        if (waiter.startMs >= beforeMs) break;
        this.remove(waiter);
        taken.push(waiter);
      }
    }
    return taken;
  }

  /** Empties the queue, refusing everyone in it. */
  refuseAll(reason: (waiter: Waiter) => Error): void {
    for (const waiter of this.takeOlder(Number.POSITIVE_INFINITY)) waiter.settled.reject(reason(waiter));
  }
}
