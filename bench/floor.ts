/**
 * The floor under a pooled cycle: the least that a leased, timed, deadline-watched hand-out can do. It has no
 * creation, no abort and no queue; whatever the pool costs above this is the price of those.
 */

import { Histogram } from '@sophia-ai/core';

class Lease {
  previous: Lease | undefined = undefined;
  next: Lease | undefined = undefined;
  released = false;
  readonly resources: object;
  readonly config: object;
  readonly acquiredMs: number;

  constructor(resources: object, config: object, acquiredMs: number) {
    this.resources = resources;
    this.config = config;
    this.acquiredMs = acquiredMs;
  }
}

export class Floor {
  readonly #idle: object[];
  readonly #acquire = new Histogram();
  readonly #use = new Histogram();
  /** The lease that is held longest; one shared timer watches only this one. */
  #oldest: Lease | undefined = undefined;

  constructor(size: number) {
    this.#idle = Array.from({ length: size }, () => ({}));
    setInterval(() => this.#warnIfLate(), 30_000).unref();
  }

  async acquire(config: object): Promise<Lease> {
    const startMs = performance.now();
    const lease = new Lease(this.#idle.pop() as object, config, startMs);
    lease.next = this.#oldest;
    this.#oldest = lease;
    this.#acquire.record((performance.now() - startMs) * 1_000);
    return lease;
  }

  release(lease: Lease): void {
    if (lease.released) return;
    lease.released = true;
    this.#oldest = lease.next;
    this.#idle.push(lease.resources);
    this.#use.record((performance.now() - lease.acquiredMs) * 1_000);
  }

  #warnIfLate(): void {
    const heldMs = this.#oldest === undefined ? 0 : performance.now() - this.#oldest.acquiredMs;
    if (heldMs > 30_000) console.warn(`A lease has been held for ${heldMs} ms.`);
  }
}
