/**
 * One borrower's hold on an entry. Its identity is the object itself: a lease ends once, and whatever its
 * agent does later (a second release, a late run) meets an ended lease and cannot touch the next borrower's.
 */

import type { FrontDesk } from './agent-class.ts';
import type { Call, CallHome, LiveCall } from './run/call.ts';
import type { Deadline } from './base/deadlines.ts';
import type { Entry } from './entry.ts';
import { SophiaError } from './errors.ts';
import type { Linked } from './base/linked-list.ts';
import { guard } from './safety/guard.ts';
import type { Guarded } from './safety/guard.ts';
import type { Waiter } from './waiter-queue.ts';

/** Who ended a lease by force. */
export type RevokedBy = 'close' | 'deadline' | 'leak' | 'operator';

const REVOKED_BY: Readonly<Record<RevokedBy, string>> = {
  close: 'when the pool closed',
  deadline: 'because it was held longer than leaseMs',
  leak: 'because it was taken for a leak (reclaimLeaks)',
  operator: 'by an operator',
};

/** What a lease keeps of the options with which it was asked for. */
export interface Borrower {
  readonly owner?: string | undefined;
  readonly tenant?: string | undefined;
  readonly leaseMs?: number | undefined;
}

/** What a lease and its agent need of the pool that granted it. */
export interface LeaseHome extends CallHome {
  readonly desk: FrontDesk;
  /** Whether borrowers get the resources behind a proxy that ends with the lease. */
  readonly guards: boolean;
  /** Runs `work` so that what it borrows is known to be asked for within this lease. */
  within<Result>(lease: Lease, work: () => Result): Result;
  /** Follows a call: how long it took, how it ended, whether it left the resources clean. */
  follow<Output>(lease: Lease, call: LiveCall<never>, work: () => Promise<Output>): Promise<Output>;
  /** The borrower's work failed; its resources may be dirty now. */
  noteFailure(lease: Lease, error: unknown): void;
  /** The lease has ended: the entry is to be cleaned, kept or destroyed. */
  giveBack(lease: Lease): void;
  noteReleasedAgain(lease: Lease): void;
}

/** What most leases never need; made when one does, so that the others stay light. */
export interface LeaseExtras {
  /** What its run waits for at other pools, or at this one. */
  asking?: Set<Waiter>;
  /** What its run has borrowed and holds, and the lease in whose run it was borrowed itself. */
  lent?: Set<Lease>;
  borrowedIn?: Lease;
  /** Where it was asked for; known of a few. */
  origin?: Error;
  /** Has been held for so long that it is taken for a leak. */
  isSuspect?: boolean;
  /** Revokes it, where its length is limited. */
  deadline?: Deadline;
  revokedBy?: RevokedBy;
}

export class Lease implements Linked<Lease> {
  /** Links of the list of live leases, oldest first. */
  previous: Lease | undefined = undefined;
  next: Lease | undefined = undefined;
  readonly id: number;
  readonly home: LeaseHome;
  readonly entry: Entry;
  readonly owner: string | undefined;
  readonly tenant: string | undefined;
  /** When the agent was handed out, on the clock of the pool. */
  readonly acquiredMs: number;
  /** How it ended; `undefined` while it lives. */
  ended: 'released' | 'revoked' | undefined = undefined;
  /** The borrower has seen the resources; before that nothing of theirs can be left in them. */
  touched = false;
  dirty = false;
  discarded = false;
  /** Calls that have not settled. Absent until the first: most leases hold one call, some none. */
  openCalls: Set<Call> | undefined = undefined;
  #extras: LeaseExtras | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #guarded: Guarded | undefined = undefined;

  constructor(id: number, home: LeaseHome, entry: Entry, borrower: Borrower, acquiredMs: number) {
    this.id = id;
    this.home = home;
    this.entry = entry;
    this.owner = borrower.owner;
    this.tenant = borrower.tenant;
    this.acquiredMs = acquiredMs;
  }

  /** `undefined` while nothing is out of the ordinary. */
  get extras(): LeaseExtras | undefined {
    return this.#extras;
  }

  /** To be written on. */
  get extra(): LeaseExtras {
    return (this.#extras ??= {});
  }

  get resources(): unknown {
    this.check('read its resources');
    this.touched = true;
    if (!this.home.guards) return this.entry.resources;
    this.#guarded ??= guard(this.entry.resources, (attempt) => this.endedError(attempt));
    return this.#guarded.value;
  }

  /** Aborted when the lease ends. Made on first use, as most borrowers never ask. */
  get signal(): AbortSignal {
    this.check('read its signal');
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** @throws SophiaError LEASE_RELEASED */
  check(attempt: string): void {
    if (this.ended !== undefined) throw this.endedError(attempt);
  }

  /** Remembers that its run has borrowed: it waits for what that agent does. */
  lend(lease: Lease): void {
    lease.extra.borrowedIn = this;
    (this.extra.lent ??= new Set()).add(lease);
  }

  /** Idempotent: a second release is counted and changes nothing. */
  release(): void {
    if (this.ended !== undefined) return this.home.noteReleasedAgain(this);
    this.#end('released');
  }

  /** Ends the lease and has its entry destroyed (a shared one: after its last lease). */
  discard(): void {
    if (this.ended === undefined) this.discarded = true;
    this.release();
  }

  /** Ends the lease by force; what the borrower still does with the resources is not trusted. */
  revoke(by: RevokedBy): void {
    if (this.ended !== undefined) return;
    this.dirty = true;
    this.extra.revokedBy = by;
    this.#end('revoked');
  }

  #end(how: 'released' | 'revoked'): void {
    this.ended = how;
    if (this.openCalls !== undefined && this.openCalls.size > 0) {
      if (this.touched) this.dirty = true;
      for (const call of this.openCalls) call.abort(this.endedError('finish a run', how));
    }
    this.#guarded?.revoke();
    this.home.giveBack(this);
    this.#controller?.abort(this.endedError('go on', how));
  }

  endedError(attempt: string, how: 'released' | 'revoked' | undefined = this.ended): SophiaError {
    const why =
      how === 'revoked'
        ? `its lease was ended by force ${REVOKED_BY[this.#extras?.revokedBy ?? 'close']}`
        : 'it was released (by release(), discard(), or the end of its `using` or `use` block)';
    return new SophiaError(
      'LEASE_RELEASED',
      `A '${this.home.type}' agent tried to ${attempt} after ${why}. Take a new one with pooled(), and finish the work before releasing it: a block with \`using\` must end in \`return await agent.run(…)\`, not in \`return agent.run(…)\`.`,
    );
  }
}
