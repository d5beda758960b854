/** Borrowers that wait, first come first served. Joining and leaving cost O(1); every waiter leaves by its deadline. */

import { Deadline } from './deadlines.ts';
import type { Deadlines } from './deadlines.ts';
import type { Lease } from './lease.ts';
import { LinkedList } from './linked-list.ts';
import type { Linked } from './linked-list.ts';

/** How a waiter came to its lease: a returned entry, or one created while it waited. */
export interface Grant {
  readonly lease: Lease;
  readonly how: 'miss' | 'wait';
  /** Milliseconds spent behind other borrowers; time inside a creation is not among them. */
  readonly queuedMs: number;
}

export class Waiter extends Deadline implements Linked<Waiter> {
  previous: Waiter | undefined = undefined;
  next: Waiter | undefined = undefined;
  readonly startMs: number;
  readonly owner: string | undefined;
  readonly settled: PromiseWithResolvers<Grant> = Promise.withResolvers();
  signal: AbortSignal | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;

  constructor(startMs: number, owner: string | undefined, onLate: (waiter: Waiter) => void) {
    super(() => onLate(this));
    this.startMs = startMs;
    this.owner = owner;
  }
}

export class WaiterQueue {
  readonly #list = new LinkedList<Waiter>();
  readonly #deadlines: Deadlines;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  get size(): number {
    return this.#list.size;
  }

  get oldest(): Waiter | undefined {
    return this.#list.first;
  }

  /** @param onAbort what to do when `signal` is aborted first; it must remove the waiter. */
  push(waiter: Waiter, waitMs: number, signal: AbortSignal | undefined, onAbort: (waiter: Waiter) => void): void {
    this.#list.push(waiter);
    this.#deadlines.add(waiter, waitMs);
    if (signal === undefined) return;
    waiter.signal = signal;
    waiter.onAbort = () => onAbort(waiter);
    signal.addEventListener('abort', waiter.onAbort, { once: true });
  }

  /** The waiter that came first, taken out. */
  shift(): Waiter | undefined {
    const waiter = this.#list.first;
    if (waiter !== undefined) this.remove(waiter);
    return waiter;
  }

  /** Takes a waiter out; only for one that stands in this queue. */
  remove(waiter: Waiter): void {
    this.#list.remove(waiter);
    this.#deadlines.remove(waiter);
    if (waiter.onAbort !== undefined) waiter.signal?.removeEventListener('abort', waiter.onAbort);
    waiter.onAbort = undefined;
  }

  /** Empties the queue, refusing everyone in it. */
  refuseAll(reason: (waiter: Waiter) => Error): void {
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift()) {
      waiter.settled.reject(reason(waiter));
    }
  }
}
