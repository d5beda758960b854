/** The states of a pool: running ⇄ suspended → draining → closed. Every way to the end settles, and can be gone twice. */

import { ChangeWatch } from './base/change-watch.ts';
import type { Deadlines } from './base/deadlines.ts';
import type { SophiaError } from './errors.ts';
import type { Emitter } from './events.ts';
import type { Lease } from './lease.ts';
import type { Holder } from './measure/stats.ts';
import { notRunningError } from './refusals.ts';
import { renewPool } from './upkeep/renewal.ts';
import type { RenewOptions, RenewReport } from './upkeep/renewal.ts';
import type { ResolvedPoolOptions } from './settings/options.ts';
import type { PoolState, Stock } from './stock.ts';
import type { WaitingRoom } from './waiting-room.ts';
import type { PoolFacts } from './errors.ts';

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

/** The pool whose life this is. */
export interface LifeHome {
  readonly type: string;
  readonly options: ResolvedPoolOptions;
  readonly deadlines: Deadlines;
  readonly events: Emitter;
  readonly stock: Stock;
  readonly room: WaitingRoom;
  readonly leases: Iterable<Lease> & { readonly size: number };
  holders(): Holder[];
  facts(refused: { readonly waitedMs: number }): PoolFacts;
  /** Housekeeping ends when the pool closes. */
  stopChores(): void;
}

export class PoolLife {
  readonly #home: LifeHome;
  readonly #watch: ChangeWatch;
  #closing: Promise<CloseReport> | undefined = undefined;
  state: PoolState = 'running';

  constructor(home: LifeHome) {
    this.#home = home;
    this.#watch = new ChangeWatch(home.deadlines);
  }

  /** Something changed that a drain, a close or a renewal may wait for. */
  changed(): void {
    this.#watch.changed();
  }

  error(): SophiaError {
    const state = this.state === 'closed' ? 'closed' : 'draining';
    return notRunningError(this.#home.type, state, this.#home.facts({ waitedMs: 0 }));
  }

  /** Hands out nothing until `resume()`: borrowers wait, up to their deadlines; leases go on. */
  suspend(): void {
    if (this.state === 'suspended') return;
    if (this.state !== 'running') throw this.error();
    this.state = 'suspended';
    this.#home.events.emit('pool.suspended', { type: this.#home.type });
  }

  resume(): void {
    if (this.state !== 'suspended') return;
    this.state = 'running';
    this.#home.events.emit('pool.resumed', { type: this.#home.type });
    this.#home.stock.serveWaiting();
  }

  /** Replaces every entry while the pool serves. @throws SophiaError ARGUMENT_INVALID, POOL_DRAINING, POOL_CLOSED */
  async renew(options: RenewOptions): Promise<RenewReport> {
    if (this.state === 'draining' || this.state === 'closed') throw this.error();
    const until = (timeoutMs: number, holds: () => boolean): Promise<boolean> => this.#watch.until(timeoutMs, holds);
    const isClosed = (): boolean => this.state === 'closed';
    const { type, stock, deadlines, events } = this.#home;
    return renewPool({ type, stock, deadlines, events, until, isClosed }, options);
  }

  /** Takes no new borrowers; serves those who wait and waits for those who hold, until `timeoutMs`. */
  async drain(timeoutMs: number): Promise<DrainReport> {
    const { type, leases, room, events } = this.#home;
    this.resume();
    if (this.state === 'running') this.state = 'draining';
    const drained = await this.#watch.until(timeoutMs, () => leases.size === 0 && room.size === 0);
    const holders = this.#home.holders();
    events.emit('pool.drained', { type, holders: holders.length });
    return { type, drained, waiting: room.size, holders };
  }

  /** Refuses waiters at once, waits for holders until `timeoutMs`, revokes the rest, destroys everything. */
  close(timeoutMs: number): Promise<CloseReport> {
    return (this.#closing ??= this.#close(timeoutMs));
  }

  async #close(timeoutMs: number): Promise<CloseReport> {
    const { type, leases, room, stock, events, options } = this.#home;
    this.state = 'closed';
    this.#home.stopChores();
    const error = this.error();
    room.close();
    stock.close(error);
    await this.#watch.until(timeoutMs, () => leases.size === 0);
    const revoked = this.#home.holders();
    // A copy: ending one lease may make its borrower end others.
    for (const lease of Array.from(leases)) lease.revoke('close');
    await this.#watch.until(options.destroyTimeoutMs + options.resetTimeoutMs, () => stock.size === 0);
    stock.abandon(error);
    // What was given up only now has the same time as everything else to end.
    await this.#watch.until(options.destroyTimeoutMs, () => stock.size === 0);
    events.emit('pool.closed', { type, revoked: revoked.length });
    return { type, revoked };
  }
}
