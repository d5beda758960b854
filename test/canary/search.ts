/**
 * Looks for secrets in everything that can be reached from given roots, as a borrower's code could: own properties of
 * any kind, prototypes, entries of collections, bytes. With an eye for the hidden (`hidden.ts`) also what no code
 * reaches but a method may hand out: #private fields, closures, entries of WeakMaps, results of promises.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { types } from 'node:util';
import { PREFIX, TAIL, secretsIn } from './secrets.ts';

export interface Found {
  readonly secret: string;
  /** The way from the root, for example `resources.notes.[entry].0`. */
  readonly path: string;
}

export interface Findings {
  /** Secrets of others. */
  readonly foreign: readonly Found[];
  /** Secrets of others in bytes around a view that does not show them: freed, but not overwritten. */
  readonly stale: readonly Found[];
  /** Where the searcher's own secret was met. */
  readonly own: readonly Found[];
  /** Objects that were opened. */
  readonly objects: number;
  /** Whether something was left out because it was too much. */
  readonly limited: boolean;
}

/** What is inside an object but not a property of it. */
export type HiddenEye = (value: object) => readonly (readonly [name: string, value: unknown])[];

export interface SearchOptions {
  readonly own?: string;
  readonly hidden?: HiddenEye;
  /** Also what the language and the runtime bring along; left out otherwise, as it is no borrower's. */
  readonly builtins?: boolean;
  readonly maxObjects?: number;
}

/** What is to be opened, and the way to it. */
interface Step {
  readonly value: object;
  readonly name: PropertyKey;
  readonly from: Step | undefined;
}

/** More keys than this on one view of bytes are its indices, and take too long to list. */
const MOST_VIEW_KEYS = 4_096;
const PREFIX_BYTES = Buffer.from(PREFIX, 'latin1');
const PREFIX_WIDE = Buffer.from(PREFIX, 'utf16le');

export function search(roots: Readonly<Record<string, unknown>>, options: SearchOptions = {}): Findings {
  const walk = new Walk(options);
  for (const [name, root] of Object.entries(roots)) walk.meet(root, name, undefined);
  return walk.go();
}

/** The secrets in bytes, whether a sign takes one byte or two. */
export function secretsInBytes(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = bytes.indexOf(PREFIX_BYTES); at !== -1; at = bytes.indexOf(PREFIX_BYTES, at + 1)) {
    found.push(...secretsIn(bytes.toString('latin1', at, at + PREFIX_BYTES.length + TAIL)));
  }
  for (let at = bytes.indexOf(PREFIX_WIDE); at !== -1; at = bytes.indexOf(PREFIX_WIDE, at + 1)) {
    found.push(...secretsIn(bytes.toString('utf16le', at, at + PREFIX_WIDE.length + 2 * TAIL)));
  }
  return found;
}

class Walk {
  readonly #own: string | undefined;
  readonly #hidden: HiddenEye | undefined;
  readonly #maxObjects: number;
  readonly #builtins: boolean;
  readonly #seen = new Set<object>();
  readonly #ahead: Step[] = [];
  readonly #foreignFound: Found[] = [];
  readonly #ownFound: Found[] = [];
  readonly #staleFound: Found[] = [];
  #limited = false;

  constructor({ own, hidden, builtins = false, maxObjects = 20_000 }: SearchOptions) {
    this.#own = own;
    this.#hidden = hidden;
    this.#builtins = builtins;
    this.#maxObjects = maxObjects;
  }

  get seen(): ReadonlySet<object> {
    return this.#seen;
  }

  go(): Findings {
    for (let step = this.#ahead.pop(); step !== undefined; step = this.#ahead.pop()) this.#open(step);
    return {
      foreign: this.#foreignFound,
      stale: this.#staleFound,
      own: this.#ownFound,
      objects: this.#seen.size,
      limited: this.#limited,
    };
  }

  /** Reads a text; remembers an object to be opened once. */
  meet(value: unknown, name: PropertyKey, from: Step | undefined): void {
    if (typeof value === 'string') return this.#read(value, name, from);
    if (typeof value === 'symbol') return this.#read(value.description ?? '', name, from);
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return;
    if (this.#seen.has(value) || (!this.#builtins && BUILTINS.has(value))) return;
    if (this.#seen.size >= this.#maxObjects) {
      this.#limited = true;
      return;
    }
    this.#seen.add(value);
    this.#ahead.push({ value, name, from });
  }

  #read(text: string, name: PropertyKey, from: Step | undefined): void {
    if (!text.includes(PREFIX)) return;
    this.#note(secretsIn(text), name, from);
  }

  #note(secrets: readonly string[], name: PropertyKey, from: Step | undefined): void {
    for (const secret of secrets) {
      const found = { secret, path: pathOf(name, from) };
      if (secret === this.#own) this.#ownFound.push(found);
      else this.#foreignFound.push(found);
    }
  }

  #open(step: Step): void {
    const { value } = step;
    // A proxy may refuse any of these; what it refuses a borrower does not see either.
    try {
      this.#openProperties(step);
      this.meet(Object.getPrototypeOf(value), '[prototype]', step);
      this.#openEntries(step);
    } catch (error) {
      if (!types.isProxy(value)) throw error;
    }
    if (types.isNativeError(value)) this.meet(value.stack, 'stack', step);
    else if (types.isRegExp(value)) this.meet(value.source, 'source', step);
    else if (types.isAnyArrayBuffer(value)) this.#readBytes(Buffer.from(value), step);
    if (this.#hidden === undefined) return;
    for (const [name, inside] of this.#hidden(value)) this.meet(inside, name, step);
  }

  #openEntries(step: Step): void {
    const { value } = step;
    const meet = (entry: unknown, key: unknown): void => {
      if (key !== entry) this.meet(key, '[key]', step);
      this.meet(entry, '[entry]', step);
    };
    if (types.isMap(value)) Map.prototype.forEach.call(value, meet);
    else if (types.isSet(value)) Set.prototype.forEach.call(value, meet);
    // One that stands for a collection, such as a guard's.
    else if (types.isProxy(value) && (value instanceof Map || value instanceof Set)) value.forEach(meet);
  }

  #openProperties(step: Step): void {
    const { value } = step;
    if (ArrayBuffer.isView(value)) {
      this.#readView(value, step);
      if (value.byteLength > MOST_VIEW_KEYS) {
        for (const key of Object.getOwnPropertySymbols(value)) this.#openProperty(key, step);
        return;
      }
    }
    for (const key of Reflect.ownKeys(value)) this.#openProperty(key, step);
  }

  #openProperty(key: string | symbol, step: Step): void {
    this.meet(key, '[name]', step);
    const property = Reflect.getOwnPropertyDescriptor(step.value, key);
    if (property === undefined) return;
    if (property.get === undefined && property.set === undefined) return this.meet(property.value, key, step);
    // Not called, as that may change what it looks at; its closure is open to the eye for the hidden.
    this.meet(property.get, key, step);
    this.meet(property.set, key, step);
  }

  /** A view may be cut from a pool of the runtime's, with the bytes of many around it. */
  #readView({ buffer, byteOffset, byteLength }: ArrayBufferView, step: Step): void {
    this.#readBytes(Buffer.from(buffer, byteOffset, byteLength), step);
    if (byteLength === buffer.byteLength || this.#seen.has(buffer)) return;
    this.#seen.add(buffer);
    for (const part of [Buffer.from(buffer, 0, byteOffset), Buffer.from(buffer, byteOffset + byteLength)]) {
      for (const secret of secretsInBytes(part)) {
        if (secret !== this.#own) this.#staleFound.push({ secret, path: pathOf('[bytes around]', step) });
      }
    }
  }

  #readBytes(bytes: Buffer, step: Step): void {
    this.#note(secretsInBytes(bytes), '[bytes]', step);
  }
}

function pathOf(name: PropertyKey, from: Step | undefined): string {
  const names = [String(name)];
  for (let step = from; step !== undefined; step = step.from) names.push(String(step.name));
  return names.toReversed().join('.');
}

export function isBuiltin(value: object): boolean {
  return BUILTINS.has(value);
}

/** What can be reached from the global object before any agent is made. */
const BUILTINS: ReadonlySet<object> = (() => {
  const walk = new Walk({ builtins: true, maxObjects: 1_000_000 });
  walk.meet(globalThis, 'globalThis', undefined);
  // Behind accessors of the global object, or without a name there.
  for (const brought of [Buffer, AsyncLocalStorage, AbortController, (function* () {})(), (async function* () {})()]) {
    walk.meet(brought, 'globalThis', undefined);
  }
  walk.go();
  return walk.seen;
})();
