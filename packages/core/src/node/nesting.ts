/** Lets a front desk know in which lease's run some code runs, also where it borrows without `this.pooled()`. */

import { AsyncLocalStorage } from 'node:async_hooks';

import { setNesting } from '../agno-performance-optimizer.ts';
import type { AgnoPerformanceOptimizer } from '../agno-performance-optimizer.ts';
import type { Lease } from '../lease.ts';

const within = new AsyncLocalStorage<Lease>();

/**
 * From now on, a borrower inside `execute()` or the work of `use()` that could only be served after its own lease
 * has ended is refused with `NESTED_DEADLOCK` and the chain, in place of waiting until its deadline. Without it that
 * holds for `this.pooled()` only.
 *
 * @returns a function that ends the tracking.
 */
export function trackNesting(optimizer: AgnoPerformanceOptimizer): () => void {
  setNesting(optimizer, {
    current: () => {
      const lease = within.getStore();
      return lease?.ended === undefined ? lease : undefined;
    },
    run: (lease, work) => within.run(lease, work),
  });
  return () => setNesting(optimizer, undefined);
}
