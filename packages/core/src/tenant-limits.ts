/** How many agents each tenant holds, and how many it may: one number while others wait, a larger one while none do. */

import type { WaiterQueue } from './waiter-queue.ts';

export class TenantLimits {
  readonly #max: number;
  readonly #burst: number;
  readonly #held = new Map<string, number>();

  constructor({ tenantMax, tenantBurst }: { readonly tenantMax: number; readonly tenantBurst: number }) {
    this.#max = tenantMax;
    this.#burst = tenantBurst;
  }

  /** Whether any tenant can be kept waiting by its own limit. */
  get areSet(): boolean {
    return this.#max < Infinity;
  }

  /** Whether a tenant may hold one more while others wait. */
  readonly isBelowMax = (tenant: string | undefined): boolean => this.#isBelow(tenant, this.#max);

  /** Whether a tenant may hold one more while nobody else could. */
  readonly mayHave = (tenant: string | undefined): boolean => this.#isBelow(tenant, this.#burst);

  #isBelow(tenant: string | undefined, limit: number): boolean {
    return tenant === undefined || (this.#held.get(tenant) ?? 0) < limit;
  }

  /** How many of these waiters may have an agent, were there enough of them. */
  servable(waiters: WaiterQueue): number {
    if (!this.areSet) return waiters.size;
    let servable = 0;
    for (const [tenant, waiting] of waiters.counts()) {
      const held = tenant === undefined ? 0 : (this.#held.get(tenant) ?? 0);
      servable += tenant === undefined ? waiting : Math.max(0, Math.min(waiting, this.#burst - held));
    }
    return servable;
  }

  add(tenant: string): void {
    this.#held.set(tenant, (this.#held.get(tenant) ?? 0) + 1);
  }

  remove(tenant: string): void {
    const left = (this.#held.get(tenant) ?? 0) - 1;
    if (left > 0) this.#held.set(tenant, left);
    else this.#held.delete(tenant);
  }

  counts(): Iterable<[tenant: string, held: number]> {
    return this.#held;
  }
}
