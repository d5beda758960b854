/** What a pool says of itself: to readers of its figures, and to borrowers that it refuses. */

import type { AnyAgentClass } from '../agent-class.ts';
import type { Deadlines } from '../base/deadlines.ts';
import { messageOf } from '../errors.ts';
import type { PoolFacts } from '../errors.ts';
import { poolFacts } from './exhaustion.ts';
import type { Lease } from '../lease.ts';
import type { LinkedList } from '../base/linked-list.ts';
import type { Holder, KeyFigures, MemoryFigures, PoolSnapshot, Recorder, TenantFigures } from './stats.ts';
import type { ResolvedPoolOptions, SettingSource } from '../settings/options.ts';
import type { LeakWatch } from '../safety/leak-watch.ts';
import { censusOf, freeOf, lastCreateCauseOf } from './stock-view.ts';
import { unpooledFigures } from '../safety/unpooled.ts';
import type { WaitingRoom } from '../waiting-room.ts';
import type { Shelf } from '../shelf.ts';
import type { PoolState, Stock } from '../stock.ts';
import type { TenantLimits } from '../tenant-limits.ts';

/** The parts of a pool that are looked at here. */
export interface Viewed {
  readonly type: string;
  readonly agentClass: AnyAgentClass;
  readonly state: PoolState;
  readonly options: ResolvedPoolOptions;
  readonly sources: Readonly<Record<string, SettingSource>>;
  readonly stock: Stock;
  readonly deadlines: Deadlines;
  readonly recorder: Recorder;
  readonly leases: LinkedList<Lease>;
  readonly leaks: LeakWatch;
  readonly room: WaitingRoom;
  readonly tenants: TenantLimits;
  readonly memory: MemoryFigures | null;
  readonly now: () => number;
}

/** What a refused borrower brings to the explanation. */
export interface Refused {
  readonly waitedMs: number;
  readonly owner?: string | undefined;
  readonly tenant?: string | undefined;
  readonly isNested?: boolean;
  /** Where it asked; of another key's failures it is told nothing. */
  readonly shelf?: Shelf;
}

function lastCreateError(stock: Stock, shelf?: Shelf): string | null {
  const cause = lastCreateCauseOf(stock, shelf);
  return cause === undefined ? null : messageOf(cause);
}

const MOST_KEYS = 20;
const MOST_TENANTS = 20;

export function holdersOf({ leases, now }: Viewed): Holder[] {
  const nowMs = now();
  return [...leases].map(({ id, owner, tenant, acquiredMs, extras }) => {
    return { leaseId: id, owner, tenant, heldMs: nowMs - acquiredMs, isSuspect: extras?.isSuspect === true };
  });
}

export function factsOf(pool: Viewed, { waitedMs, owner, tenant, shelf, isNested = false }: Refused): PoolFacts {
  const { stock, leases, recorder } = pool;
  const oldest = leases.first;
  const { creating, resetting } = censusOf(stock);
  const { use } = recorder.histograms;
  const heldMs = oldest === undefined ? 0 : pool.now() - oldest.acquiredMs;
  const holdsOther = owner !== undefined && [...leases].some((lease) => lease.owner === owner);
  return poolFacts({
    type: pool.type,
    max: stock.max,
    leased: leases.size,
    idle: freeOf(stock, leases.size),
    creating,
    resetting,
    waiting: pool.room.size,
    waitedMs,
    oldestLease: oldest === undefined ? null : { heldMs, owner: oldest.owner },
    lastCreateError: lastCreateError(stock, shelf),
    meanHoldMs: use.count === 0 ? null : use.sumUs / use.count / 1_000,
    state: pool.state,
    leaks: pool.leaks.open,
    lagMs: pool.deadlines.lagMs,
    isNested,
    holdsOther,
    isTenantFull: !pool.tenants.mayHave(tenant),
    sources: pool.sources,
  });
}

export function snapshotOf(pool: Viewed, windowMs: number): PoolSnapshot {
  const { stock, leases, recorder, state } = pool;
  const nowMs = pool.now();
  let oldestMs = Infinity;
  for (const { waiters } of stock.shelves) oldestMs = Math.min(oldestMs, waiters.oldest?.startMs ?? Infinity);
  return {
    type: pool.type,
    reuse: pool.options.reuse,
    state,
    size: state === 'running' ? freeOf(stock, leases.size) : 0,
    max: stock.max,
    options: pool.options,
    sources: pool.sources,
    leased: leases.size,
    ...censusOf(stock),
    waiting: pool.room.size,
    oldestWaiterMs: oldestMs === Infinity ? null : nowMs - oldestMs,
    holders: holdersOf(pool),
    leaks: pool.leaks.open,
    isShedding: pool.room.shedding.isSlow,
    keys: stock.shelves.isKeyed ? { count: stock.shelves.size, busiest: busiestKeys(stock) } : null,
    tenants: busiestTenants(pool),
    unpooled: unpooledFigures(pool.agentClass),
    counters: recorder.counters(),
    window: recorder.window(windowMs, nowMs),
    memory: pool.memory,
    lastCreateError: lastCreateError(stock),
  };
}

function busiestKeys({ shelves }: Stock): KeyFigures[] {
  const figures = [...shelves].map(({ name, live, idle, waiters }) => {
    return { name, entries: live, idle: idle.size, waiting: waiters.size };
  });
  return figures.toSorted((a, b) => b.waiting - a.waiting || b.entries - a.entries).slice(0, MOST_KEYS);
}

function busiestTenants({ stock, tenants }: Viewed): TenantFigures[] {
  const figures = new Map<string, TenantFigures>();
  for (const [tenant, leased] of tenants.counts()) figures.set(tenant, { tenant, leased, waiting: 0 });
  for (const { waiters } of stock.shelves) {
    for (const [tenant, waiting] of waiters.counts()) {
      if (tenant === undefined) continue;
      const { leased = 0, waiting: others = 0 } = figures.get(tenant) ?? {};
      figures.set(tenant, { tenant, leased, waiting: others + waiting });
    }
  }
  return [...figures.values()].toSorted((a, b) => b.leased + b.waiting - a.leased - a.waiting).slice(0, MOST_TENANTS);
}
