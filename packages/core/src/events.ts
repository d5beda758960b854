/** What the front desk tells its listeners: names are noun.verbed, the same everywhere. */

import type { ErrorCode } from './errors.ts';
import type { RevokedBy } from './lease.ts';

/** Why an entry was destroyed; a closed list, used as a label. */
export type DestroyReason =
  /** A call failed, was aborted or was left open. */
  | 'dirty'
  /** `static create`'s `retire` was called: the resources ended by themselves. */
  | 'retired'
  /** The borrower called `discard()`. */
  | 'discarded'
  | 'reset-failed'
  /** Something of a borrower was left in it after the reset. */
  | 'verify-failed'
  | 'validate-failed'
  /** Its one use is over. */
  | 'single-use'
  /** It was created beyond `max`. */
  | 'overflow'
  /** `max` was lowered. */
  | 'surplus'
  /** Its creation succeeded after its time-out, with no room left. */
  | 'late'
  /** Its dry run failed. */
  | 'warm-failed'
  /** Its lease was ended by force. */
  | 'revoked'
  /** It reached `maxAgeMs`. */
  | 'expired'
  /** It rested for `maxIdleMs`. */
  | 'idle'
  /** It reached `maxUses`. */
  | 'used-up'
  /** It holds more than `maxMemoryKib`. */
  | 'memory'
  /** A newer one took its place in a rolling renewal. */
  | 'renewed'
  /** Its place went to another key. */
  | 'gave-way'
  /** Shared, and run after run failed. */
  | 'failing'
  | 'closed';

export interface Events {
  'agent.created': { type: string; entryId: number; createMs: number };
  'agent.create-failed': { type: string; entryId: number; failuresInARow: number; retryInMs: number; error: unknown };
  'agent.reset-failed': { type: string; entryId: number; error: unknown };
  /** `path`: where a fingerprint differed; names of fields, never values. */
  'agent.verify-failed': { type: string; entryId: number; path: string | undefined; error: unknown };
  'agent.quarantined': { type: string; entryId: number; reason: DestroyReason; path: string | undefined };
  /** The class was constructed with `new`; `site` is where, of those that were looked at. */
  'agent.unpooled': { type: string; count: number; site: string | undefined };
  'agent.validate-failed': { type: string; entryId: number; error: unknown };
  'agent.destroy-failed': { type: string; entryId: number; error: unknown };
  'agent.destroyed': { type: string; entryId: number; reason: DestroyReason; uses: number };
  'agent.log': { type: string; entryId: number; message: string; fields: object | undefined };
  'lease.acquired': {
    type: string;
    entryId: number;
    leaseId: number;
    owner: string | undefined;
    how: 'hit' | 'miss' | 'wait';
  };
  'lease.released': {
    type: string;
    entryId: number;
    leaseId: number;
    owner: string | undefined;
    heldMs: number;
    how: 'released' | 'revoked';
    revokedBy: RevokedBy | undefined;
    clean: boolean;
  };
  'lease.released-again': { type: string; leaseId: number; owner: string | undefined };
  /** `held`: for longer than is usual; `dropped`: its agent was garbage-collected without release, which is proof. */
  'lease.leaked': {
    type: string;
    leaseId: number;
    owner: string | undefined;
    heldMs: number;
    proof: 'held' | 'dropped';
    stack: string | undefined;
  };
  /** A lease that was taken for a leak was given back after all. */
  'lease.returned-late': { type: string; leaseId: number; owner: string | undefined; heldMs: number };
  'acquire.failed': { type: string; code: ErrorCode; owner: string | undefined };
  'pool.registered': { type: string };
  'pool.prewarmed': { type: string; created: number; failed: number; durationMs: number };
  'pool.resized': { type: string; before: number; after: number };
  'pool.suspended': { type: string };
  'pool.resumed': { type: string };
  'pool.renewed': { type: string; renewed: number; remaining: number; error: string | null };
  'pool.drained': { type: string; holders: number };
  'pool.closed': { type: string; revoked: number };
  'listener.failed': { event: string; error: unknown };
}

export type EventName = keyof Events;

/** Every name, for whoever wants them all. */
export const EVENT_NAMES: readonly EventName[] = Object.keys({
  'agent.created': 0,
  'agent.create-failed': 0,
  'agent.reset-failed': 0,
  'agent.verify-failed': 0,
  'agent.quarantined': 0,
  'agent.unpooled': 0,
  'agent.validate-failed': 0,
  'agent.destroy-failed': 0,
  'agent.destroyed': 0,
  'agent.log': 0,
  'lease.acquired': 0,
  'lease.released': 0,
  'lease.released-again': 0,
  'lease.leaked': 0,
  'lease.returned-late': 0,
  'acquire.failed': 0,
  'pool.registered': 0,
  'pool.prewarmed': 0,
  'pool.resized': 0,
  'pool.suspended': 0,
  'pool.resumed': 0,
  'pool.renewed': 0,
  'pool.drained': 0,
  'pool.closed': 0,
  'listener.failed': 0,
} satisfies Record<EventName, 0>) as EventName[];

type Listener = (payload: never) => void;

export class Emitter {
  readonly #listeners = new Map<EventName, Set<Listener>>();

  /** @returns a function that ends the subscription. */
  on<Name extends EventName>(name: Name, listener: (payload: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) this.#listeners.delete(name);
    };
  }

  /** For the hot path: whether building the payload is worth it. */
  has(name: EventName): boolean {
    return this.#listeners.has(name);
  }

  emit<Name extends EventName>(name: Name, payload: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(payload as never);
      } catch (error) {
        // A watcher's fault must not break the pool it watches.
        if (name !== 'listener.failed') this.emit('listener.failed', { event: name, error });
      }
    }
  }
}
