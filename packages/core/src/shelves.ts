/**
 * The shelves of one pool, by key. Keys share the places of their pool: a key that was asked for longest ago gives
 * way first, and one that waits too long is not outrun for ever by the keys that have entries.
 */

import { SophiaError } from './errors.ts';
import type { Shelf } from './shelf.ts';

/** Reads the key of a config: its canonical text, which names the shelf, and a copy of the object for `create`. */
export interface KeyReader {
  read(config: unknown): { readonly text: string; readonly key: object };
}

/** A place is worth moving to another key only if that key has waited for so many creations … */
const PATIENCE_IN_CREATIONS = 8;
/** … and at least so long. */
const LEAST_PATIENCE_MS = 100;

export class Shelves {
  readonly isKeyed: boolean;
  readonly #reader: KeyReader | undefined;
  readonly #new: (name: string, key: unknown) => Shelf;
  /** By canonical text, least recently used first. The text may hold credentials and never leaves this map. */
  readonly #byKey = new Map<string, Shelf>();
  readonly #texts = new WeakMap<Shelf, string>();
  /** The one shelf of a type without keys. */
  readonly #only: Shelf | undefined;
  /** Keys with waiters; left lazily. */
  readonly #hungry = new Set<Shelf>();
  #lastName = 0;

  constructor(reader: KeyReader | undefined, newShelf: (name: string, key: unknown) => Shelf) {
    this.isKeyed = reader !== undefined;
    this.#reader = reader;
    this.#new = newShelf;
    this.#only = reader === undefined ? newShelf('', undefined) : undefined;
  }

  get size(): number {
    return this.#only === undefined ? this.#byKey.size : 1;
  }

  *[Symbol.iterator](): IterableIterator<Shelf> {
    if (this.#only !== undefined) yield this.#only;
    else yield* this.#byKey.values();
  }

  /** A copy: whoever walks it may wait, lend or end entries in between. */
  all(): Shelf[] {
    return [...this];
  }

  /** Where this config's entries stand. @throws SophiaError KEY_INVALID */
  of(config: unknown): Shelf {
    if (this.#only !== undefined) return this.#only;
    const { text, key } = (this.#reader as KeyReader).read(config);
    const known = this.#byKey.get(text);
    if (known !== undefined) return known;
    this.#lastName += 1;
    const shelf = this.#new(`key-${this.#lastName}`, key);
    this.#byKey.set(text, shelf);
    this.#texts.set(shelf, text);
    return shelf;
  }

  /** The shelf of a type without keys. @throws SophiaError ARGUMENT_INVALID for a keyed type. */
  only(type: string): Shelf {
    if (this.#only !== undefined) return this.#only;
    throw new SophiaError(
      'ARGUMENT_INVALID',
      `'${type}' keeps its entries by key, so prewarming it needs a config from which the key is read. Pass { config } among the options of prewarm.`,
    );
  }

  /** The key was asked for now. */
  touch(shelf: Shelf): void {
    const text = this.#texts.get(shelf);
    if (text === undefined) return;
    this.#byKey.delete(text);
    this.#byKey.set(text, shelf);
  }

  /** The shelf itself, or the one that has taken its key's place since it was pruned. */
  keep(shelf: Shelf): Shelf {
    const text = this.#texts.get(shelf);
    if (text === undefined) return shelf;
    const known = this.#byKey.get(text);
    if (known === undefined) this.#byKey.set(text, shelf);
    return known ?? shelf;
  }

  /** A key that nobody uses any more is forgotten. */
  prune(shelf: Shelf): void {
    const text = this.#texts.get(shelf);
    if (text !== undefined && shelf.isBare && this.#byKey.get(text) === shelf) this.#byKey.delete(text);
  }

  /** Keys that nobody uses any more, and whose failures are long past, are forgotten. */
  forgetBare(): void {
    for (const shelf of this.all()) this.prune(shelf);
  }

  /** Whether someone may be waiting somewhere. */
  get isHungry(): boolean {
    return this.#hungry.size > 0;
  }

  /** Someone waits here. */
  addHungry(shelf: Shelf): void {
    this.#hungry.add(shelf);
  }

  /** Where someone waits; a copy, the key first whose first waiter has waited longest. */
  hungry(): Shelf[] {
    for (const shelf of this.#hungry) if (shelf.waiters.size === 0) this.#hungry.delete(shelf);
    const hungry = [...this.#hungry];
    const sinceMs = ({ waiters }: Shelf): number => waiters.oldest?.startMs ?? 0;
    return hungry.length < 2 ? hungry : hungry.toSorted((a, b) => sinceMs(a) - sinceMs(b));
  }

  /** Where entries may be wanted. */
  wanting(): Iterable<Shelf> {
    return this.#only === undefined ? this.hungry() : [this.#only];
  }

  /**
   * Whether waiters of other keys have a better claim to a place of this shelf: nobody waits here, or they have waited
   * longer, and longer than moving the place costs.
   * @param freed places that are being freed already. @param servable how many of a shelf's waiters may be served.
   */
  isOutbid(
    shelf: Shelf,
    freed: number,
    servable: (shelf: Shelf) => number,
    { nowMs, meanCreateMs }: { readonly nowMs: number; readonly meanCreateMs: number },
  ): boolean {
    let lacking = 0;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const other of this.hungry()) {
      const { waiters, creator } = other;
      const lacks = other === shelf ? 0 : Math.min(servable(other) - creator.inFlight, creator.startable);
      if (lacks <= 0) continue;
      lacking += lacks;
      oldestMs = Math.min(oldestMs, waiters.oldest?.startMs ?? oldestMs);
    }
    if (lacking <= freed) return false;
    const own = servable(shelf) > 0 ? shelf.waiters.oldest : undefined;
    if (own === undefined) return true;
    const patienceMs = Math.max(LEAST_PATIENCE_MS, PATIENCE_IN_CREATIONS * meanCreateMs);
    return oldestMs < own.startMs && nowMs - oldestMs > patienceMs;
  }
}
