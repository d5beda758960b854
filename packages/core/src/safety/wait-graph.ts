/**
 * Finds deadlocks among nested borrowers: a lease whose run waits for an agent, at a pool all of whose leases wait in
 * the same way. Only leases whose own run waits count as blocked, so borrowers that fan out and queue for a small
 * pool are left alone.
 */

import type { Lease } from '../lease.ts';
import type { Waiter } from '../waiter-queue.ts';

/** What the graph must know of a pool: its leases, and whether only the end of one of them can serve a waiter. */
export interface GraphPool {
  readonly type: string;
  readonly isFull: boolean;
  readonly leases: Iterable<Lease>;
}

/** The pool at which a waiter stands. */
export type PoolOf = (waiter: Waiter) => GraphPool;

/** @returns the links of the deadlock that a new waiter at `pool` would close, outermost first; `undefined` if none. */
export function deadlockChain(within: Lease | undefined, pool: GraphPool, poolOf: PoolOf): string[] | undefined {
  if (within === undefined || !pool.isFull) return undefined;
  // A run waits for what it asks for, and for the runs of those it has borrowed.
  const waitsOf = (lease: Lease): GraphPool[] => {
    const pools = [...(lease.extras?.asking ?? [])].map(poolOf);
    if (lease === within) pools.push(pool);
    for (const lent of lease.extras?.lent ?? []) pools.push(...waitsOf(lent));
    return pools;
  };
  const stuck = stuckLeases(pool, waitsOf);
  const leases = [...pool.leases];
  return leases.length > 0 && leases.every((lease) => stuck.has(lease)) ? chainOf(within, waitsOf, stuck) : undefined;
}

/** All leases that can be reached, less those that can go on, until no more can. */
function stuckLeases(from: GraphPool, waitsOf: (lease: Lease) => GraphPool[]): Set<Lease> {
  const stuck = new Set<Lease>(from.leases);
  for (const lease of stuck) for (const pool of waitsOf(lease)) for (const next of pool.leases) stuck.add(next);
  for (let isStable = false; !isStable;) {
    isStable = true;
    for (const lease of stuck) {
      const isBlocked = waitsOf(lease).some((pool) => pool.isFull && [...pool.leases].every((each) => stuck.has(each)));
      if (isBlocked) continue;
      stuck.delete(lease);
      isStable = false;
    }
  }
  return stuck;
}

function chainOf(start: Lease, waitsOf: (lease: Lease) => GraphPool[], stuck: ReadonlySet<Lease>): string[] {
  const chain: string[] = [];
  const seen = new Set<Lease>();
  for (let lease: Lease | undefined = start; lease !== undefined && !seen.has(lease);) {
    seen.add(lease);
    const pool: GraphPool | undefined = waitsOf(lease).find(({ isFull }) => isFull);
    if (pool === undefined) break;
    const holders: Lease[] = [...pool.leases].filter((each) => stuck.has(each));
    chain.push(`${name(lease)} waits for '${pool.type}', held by ${holders.slice(0, 3).map(name).join(', ')}`);
    lease = holders.find((each) => !seen.has(each));
  }
  return chain;
}

function name({ id, home, owner }: Lease): string {
  return `'${home.type}' lease ${id}${owner === undefined ? '' : ` of ${owner}`}`;
}
