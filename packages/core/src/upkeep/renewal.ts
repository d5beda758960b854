/**
 * Replaces every entry of a pool, a few at a time, while it serves: after a change of credentials, say. A new entry
 * that cannot be made stops the renewal, and what is left of the old ones goes on serving.
 */

import type { Deadlines } from '../base/deadlines.ts';
import type { Entry } from '../entry.ts';
import { SophiaError, messageOf } from '../errors.ts';
import type { Emitter } from '../events.ts';
import { ARGUMENT_CODES, checkOptions, milliseconds } from '../settings/options.ts';
import type { Rule } from '../settings/options.ts';
import type { Shelf } from '../shelf.ts';
import type { Stock } from '../stock.ts';

export interface RenewOptions {
  /** Pause between two replacements, so that they do not all age alike. Default 0. */
  readonly pauseMs?: number;
  /** When to stop waiting, in milliseconds; leased entries that are left are still replaced on return. Default 60,000. */
  readonly timeoutMs?: number;
}

export interface RenewReport {
  readonly type: string;
  readonly renewed: number;
  /** Old entries that still serve. */
  readonly remaining: number;
  /** Why the renewal stopped before its end. */
  readonly error: string | null;
}

const RULES: Record<keyof RenewOptions, Rule> = { pauseMs: milliseconds(0), timeoutMs: milliseconds(1) };

interface RenewHome {
  readonly type: string;
  readonly stock: Stock;
  readonly deadlines: Deadlines;
  readonly events: Emitter;
  /** Waits until `holds`, at most so long. */
  readonly until: (timeoutMs: number, holds: () => boolean) => Promise<boolean>;
  /** Whether the pool has closed meanwhile. */
  readonly isClosed: () => boolean;
}

/** @throws SophiaError ARGUMENT_INVALID */
export async function renewPool(home: RenewHome, options: RenewOptions = {}): Promise<RenewReport> {
  checkOptions('The options of renew', options, RULES, ARGUMENT_CODES);
  const { pauseMs = 0, timeoutMs = 60_000 } = options;
  const { type, stock, events, deadlines, isClosed } = home;
  const old = new Set(stock.entries().filter(isAlive));
  const total = old.size;
  for (const { shelf } of old) shelf.replacement = undefined;
  let error: string | null = null;
  const work = async (): Promise<void> => {
    for (let next = nextOf(old); next !== undefined && error === null && !isClosed(); next = nextOf(old)) {
      error = await replace(home, next, timeoutMs);
      await home.until(pauseMs, isClosed);
    }
    if (error !== null || isClosed()) return;
    // Those in use are replaced when they come back.
    for (const entry of old) if (isAlive(entry)) stock.retire(entry, 'renewed');
    await home.until(timeoutMs, () => [...old].every(({ state, isBeside }) => state === 'destroyed' || isBeside));
    for (const { shelf } of old) error ??= await replaced(shelf);
  };
  const late = (): SophiaError => new SophiaError('CREATE_TIMEOUT', `Renewing '${type}' took over ${timeoutMs} ms.`);
  await deadlines.within(timeoutMs, work, late).catch((cause: unknown) => {
    error ??= messageOf(cause);
  });
  const remaining = [...old].filter(isAlive).length;
  const report: RenewReport = { type, renewed: total - remaining, remaining, error };
  events.emit('pool.renewed', report);
  return report;
}

function isAlive({ state, isBeside }: Entry): boolean {
  return state !== 'destroying' && state !== 'destroyed' && !isBeside;
}

/** One that can be replaced now: it rests, or it is shared. */
function nextOf(old: ReadonlySet<Entry>): Entry | undefined {
  for (const entry of old) {
    const isReady = entry.state === 'idle' || entry.shelf.shared === entry;
    if (isReady && entry.retiredFor === undefined) return entry;
  }
  return undefined;
}

/** Replaces one entry. @returns why no other could be made, or `null`. */
async function replace({ stock, until }: RenewHome, entry: Entry, timeoutMs: number): Promise<string | null> {
  const { shelf } = entry;
  if (shelf.shared === entry) {
    // The old one serves until the new one can.
    const { error } = await stock.prewarmOne(shelf, () => stock.retire(entry, 'renewed'));
    return error === undefined ? null : messageOf(error);
  }
  shelf.idle.remove(entry);
  entry.retiredFor = 'renewed';
  stock.destroy(entry, 'renewed');
  // The stock makes another as soon as the place is free.
  await until(timeoutMs, () => entry.state === 'destroyed');
  return replaced(shelf);
}

/** Why the last entry that was to replace another could not be made, or `null`. */
async function replaced({ replacement }: Shelf): Promise<string | null> {
  const made = await replacement;
  return made?.error === undefined ? null : messageOf(made.error);
}

/**
 * Another entry takes the place of one that was renewed, even if nobody waits for it now: one after the other, whatever
 * comes back at once, and the first before anyone else asks for the place.
 */
export function replaceRenewed(stock: Stock, shelf: Shelf): void {
  if (stock.isShared) return;
  const kept = stock.shelves.keep(shelf);
  const make = async (before?: unknown): Promise<{ readonly error: unknown }> => {
    const made = stock.hasRoom ? await stock.prewarmOne(kept) : undefined;
    kept.replacing -= 1;
    return { error: before ?? made?.error };
  };
  kept.replacing += 1;
  kept.replacement = kept.replacing === 1 ? make() : kept.replacement?.then(({ error }) => make(error));
}
