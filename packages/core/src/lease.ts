/**
 * One borrower's hold on an entry. Its identity is the object itself: a lease ends once, and whatever its
 * agent does later (a second release, a late run) meets an ended lease and cannot touch the next borrower's.
 */

import type { FrontDesk } from './agent-class.ts';
import type { Call, CallHome, LiveCall } from './call.ts';
import type { Entry } from './entry.ts';
import { SophiaError } from './errors.ts';
import type { Linked } from './linked-list.ts';

/** What a lease and its agent need of the pool that granted it. */
export interface LeaseHome extends CallHome {
  readonly desk: FrontDesk;
  /** Follows a call: how long it took, how it ended, whether it left the resources clean. */
  follow<Output>(lease: Lease, call: LiveCall<never>, work: () => Promise<Output>): Promise<Output>;
  /** The borrower's work failed; its resources may be dirty now. */
  noteFailure(lease: Lease, error: unknown): void;
  /** The lease has ended: the entry is to be cleaned, kept or destroyed. */
  giveBack(lease: Lease): void;
  noteReleasedAgain(lease: Lease): void;
}

export class Lease implements Linked<Lease> {
  /** Links of the list of live leases, oldest first. */
  previous: Lease | undefined = undefined;
  next: Lease | undefined = undefined;
  readonly id: number;
  readonly home: LeaseHome;
  readonly entry: Entry;
  readonly owner: string | undefined;
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
  #controller: AbortController | undefined = undefined;

  constructor(id: number, home: LeaseHome, entry: Entry, owner: string | undefined, acquiredMs: number) {
    this.id = id;
    this.home = home;
    this.entry = entry;
    this.owner = owner;
    this.acquiredMs = acquiredMs;
  }

  get resources(): unknown {
    this.check('read its resources');
    this.touched = true;
    return this.entry.resources;
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
  revoke(): void {
    if (this.ended !== undefined) return;
    this.dirty = true;
    this.#end('revoked');
  }

  #end(how: 'released' | 'revoked'): void {
    this.ended = how;
    if (this.openCalls !== undefined && this.openCalls.size > 0) {
      if (this.touched) this.dirty = true;
      for (const call of this.openCalls) call.abort(this.endedError('finish a run', how));
    }
    this.home.giveBack(this);
    this.#controller?.abort(this.endedError('go on', how));
  }

  endedError(attempt: string, how: 'released' | 'revoked' | undefined = this.ended): SophiaError {
    const why =
      how === 'revoked'
        ? 'its lease was ended by force when the pool closed'
        : 'it was released (by release(), discard(), or the end of its `using` or `use` block)';
    return new SophiaError(
      'LEASE_RELEASED',
      `A '${this.home.type}' agent tried to ${attempt} after ${why}. Take a new one with pooled(), and finish the work before releasing it: a block with \`using\` must end in \`return await agent.run(…)\`, not in \`return agent.run(…)\`.`,
    );
  }
}
