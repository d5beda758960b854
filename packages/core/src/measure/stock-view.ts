/** What the entries of a pool look like from outside. */

import type { Shelf } from '../shelf.ts';
import type { Stock } from '../stock.ts';

export type Census = Record<'idle' | 'creating' | 'resetting' | 'validating' | 'quarantined' | 'destroying', number>;

/** How many entries are in each state that is not `leased`; those are counted by their leases. */
export function censusOf(stock: Stock): Census {
  const found: Census = { idle: 0, creating: 0, resetting: 0, validating: 0, quarantined: 0, destroying: 0 };
  for (const { state } of stock.entries()) if (state in found) found[state as keyof Census] += 1;
  return found;
}

/** Borrowers that could be served right now. */
export function freeOf({ shelves, isShared, max }: Stock, leased: number): number {
  let idle = 0;
  let hasShared = false;
  for (const shelf of shelves) {
    idle += shelf.idle.size;
    hasShared ||= shelf.shared !== undefined;
  }
  if (!isShared) return idle;
  return hasShared ? Math.max(0, max - leased) : 0;
}

/** The error of the last creation that failed, while none has succeeded since; of one key, or else of any. */
export function lastCreateCauseOf({ shelves }: Stock, shelf?: Shelf): unknown {
  if (shelf !== undefined) return shelf.creator.lastError;
  for (const { creator } of shelves) if (creator.lastError !== undefined) return creator.lastError;
  return undefined;
}
