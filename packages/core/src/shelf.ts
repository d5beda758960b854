/** The entries of one key: which are free, who waits for them, how more are made. A type without keys has one shelf. */

import { Creator } from './creator.ts';
import type { CreatorHome } from './creator.ts';
import type { Entry } from './entry.ts';
import { LinkedList } from './base/linked-list.ts';
import type { WaiterQueue } from './waiter-queue.ts';

/** How far down the idle list an entry of the same tenant is looked for: the search must not grow with the pool. */
const TENANT_SEARCH = 32;

export class Shelf {
  /** What people and metrics see of the key: an ordinal, never the key itself. */
  readonly name: string;
  readonly key: unknown;
  readonly waiters: WaiterQueue;
  readonly creator: Creator;
  readonly idle: LinkedList<Entry> = new LinkedList();
  /** The entry that serves new leases, where one serves all. */
  shared: Entry | undefined = undefined;
  /** Entries that are not destroyed, those being created or destroyed among them. */
  live = 0;
  destroying = 0;
  /** Creations that replace renewed entries and are not done. */
  replacing = 0;
  /** The creations that replace renewed entries, since the last renewal began. */
  replacement: Promise<{ readonly error: unknown }> | undefined = undefined;

  constructor(name: string, key: unknown, waiters: WaiterQueue, home: CreatorHome) {
    this.name = name;
    this.key = key;
    this.waiters = waiters;
    this.creator = new Creator(home, this);
  }

  /** Whether nothing stands here, nobody waits and no failure has to be remembered. */
  get isBare(): boolean {
    return this.live === 0 && this.waiters.size === 0 && !this.creator.remembersFailures;
  }

  /**
   * Creation has failed again and again, the next try is not due, and no other entry lives that might come back and
   * serve. After the pause the next borrower, or the floor of idle entries, is the probe.
   */
  get outage(): { readonly cause: unknown; readonly failuresInARow: number } | undefined {
    const { isBroken, inFlight, lastError: cause, failuresInARow } = this.creator;
    return isBroken && this.live - this.destroying - inFlight === 0 ? { cause, failuresInARow } : undefined;
  }

  /** The idle entry used last, as its caches are warm; one that served the same tenant comes before. */
  pop(tenant: string | undefined): Entry | undefined {
    if (tenant === undefined) return this.idle.pop();
    let looked = 0;
    for (let entry = this.idle.last; entry !== undefined && looked < TENANT_SEARCH; entry = entry.previous) {
      if (entry.tenant === tenant) {
        this.idle.remove(entry);
        return entry;
      }
      looked += 1;
    }
    return this.idle.pop();
  }

  /** An entry that nobody holds, so that it may give way to another key. */
  get evictable(): Entry | undefined {
    return this.shared?.state === 'idle' ? this.shared : this.idle.first;
  }
}
