/**
 * How resources looked right after their creation, to prove after a reset that they look so again, or to name the path
 * that leaked. It keeps names, numbers, short texts and hashes, never the objects, so it keeps nobody's data alive.
 *
 * Compared are own properties (symbols and hidden ones too), the entries of a `Map` or `Set`, times, patterns, bytes,
 * prototypes, and functions by identity, with the properties they carry; a class only by identity, as its static
 * members belong to the type. Structure counts, not identity: an equal-looking object is alike.
 *
 * What it cannot see: private fields (`#x`), the variables of closures, the contents of a WeakMap, WeakSet or Promise,
 * state behind accessors (never called, their presence counts), other processes, worker threads and native handles. It
 * finds what was forgotten, not what was hidden on purpose: its hash is not cryptographic, and long contents are sampled.
 */

export interface FingerprintLimits {
  /** Properties of properties of …: 6 unless told; objects further down are compared by kind alone. */
  readonly depth?: number;
  /** 10 000 values unless told, those near the root first; beyond them nothing is compared. */
  readonly nodes?: number;
  /** Dotted paths that are not looked at; `*` stands for any one name. A Map entry is named by its text key or ordinal. */
  readonly ignore?: readonly string[];
}

type Kind = 'object' | 'function' | 'Array' | 'Map' | 'Set' | 'Date' | 'RegExp' | 'bytes' | 'opaque';
type Primitive = string | number | bigint | boolean | symbol | null | undefined;
type Stored = Primitive | Shape;
type Group = 'own' | 'entries';
/** The rests of the ignored paths that have matched so far; `undefined` if there are none. */
type Ignore = readonly (readonly string[])[] | undefined;
/** Is shown each part of an object; answers whether it wants more. */
type Visit = (group: Group, key: Primitive, value: unknown, name: string | symbol) => boolean;

/** Longer texts are kept as a hash. Engines let a text of 13 characters or more be a slice that holds a longer one. */
const SHORT_TEXT = 12;
/** Contents up to this length are hashed in full; of longer ones both edges and about as many samples between. */
const HASHED_IN_FULL = 16_384;
const EDGE = 4096;
/** Of longer arrays the named properties are not looked for: listing them would make a text of every index. */
const LISTED_ARRAY = 1000;
const NAME_IN_PATH = 40;
const ACCESSOR = Symbol('accessor');
const NO_PARTS: ReadonlyMap<Primitive, Stored> = new Map();
/** Those every function has, or that lead back to it. */
const OF_EVERY_FUNCTION: ReadonlySet<unknown> = new Set(['length', 'name', 'prototype', 'arguments', 'caller']);

/** A built-in method or getter, taken once: what an object defines under that name itself is never run. */
function builtIn(prototype: object, name: string): (of: object) => unknown {
  const property = Reflect.getOwnPropertyDescriptor(prototype, name);
  const run = property?.get ?? property?.value;
  return (of) => Reflect.apply(run, of, []);
}

const sizeOfMap = builtIn(Map.prototype, 'size');
const sizeOfSet = builtIn(Set.prototype, 'size');
const entriesOfMap = builtIn(Map.prototype, 'entries');
const entriesOfSet = builtIn(Set.prototype, 'entries');
const timeOf = builtIn(Date.prototype, 'getTime');
const sourceOf = builtIn(RegExp.prototype, 'source');
const flagsOf = builtIn(RegExp.prototype, 'flags');

/** Numbers for objects whose identity counts, so that nothing has to hold them. */
const NUMBERS = new WeakMap<object, number>();
let lastNumber = 0;

function numberOf(value: object | null): number {
  if (value === null) return 0;
  let number = NUMBERS.get(value);
  if (number === undefined) {
    lastNumber += 1;
    number = lastNumber;
    NUMBERS.set(value, number);
  }
  return number;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function hash(content: string | Uint8Array): string {
  const { length } = content;
  const stride = length <= HASHED_IN_FULL ? 1 : Math.ceil((length - 2 * EDGE) / EDGE);
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let i = 0; i < length; i += i >= EDGE && i + stride < length - EDGE ? stride : 1) {
    const unit = typeof content === 'string' ? content.charCodeAt(i) : content[i]!;
    low = Math.imul(low ^ unit, 2654435761);
    high = Math.imul(high ^ unit, 1597334677);
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  return `${length} units, ${(high >>> 0).toString(36)}.${(low >>> 0).toString(36)}`;
}

/** What stands for a primitive. The words for a long text are longer than any short text, so the two never meet. */
function leaf(value: unknown): Primitive {
  return typeof value === 'string' && value.length > SHORT_TEXT ? `a text of ${hash(value)}` : (value as Primitive);
}

function kindOf(value: object): Kind {
  try {
    const prototype = Reflect.getPrototypeOf(value);
    if (typeof value === 'function') return 'function';
    if (prototype === Object.prototype || prototype === null) return 'object';
    if (Array.isArray(value)) return 'Array';
    if (value instanceof Map) return 'Map';
    if (value instanceof Set) return 'Set';
    if (value instanceof Date) return 'Date';
    if (value instanceof RegExp) return 'RegExp';
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'bytes';
    return typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer ? 'bytes' : 'object';
  } catch {
    return 'opaque';
  }
}

/** What tells two objects of a kind apart besides their parts. */
function markOf(value: object, kind: Kind): unknown {
  if (kind === 'function') return numberOf(value);
  if (kind === 'Array') return (value as unknown[]).length;
  if (kind === 'Map') return sizeOfMap(value);
  if (kind === 'Set') return sizeOfSet(value);
  if (kind === 'Date') return timeOf(value);
  if (kind === 'RegExp') return leaf(`/${String(sourceOf(value))}/${String(flagsOf(value))}`);
  if (kind !== 'bytes') return undefined;
  if (!ArrayBuffer.isView(value)) return hash(new Uint8Array(value as ArrayBuffer));
  return hash(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function eachPart(value: object, kind: Kind, most: number, visit: Visit): void {
  if (kind === 'bytes' || !eachProperty(value, kind, most, visit)) return;
  if (kind === 'Map') eachEntry(entriesOfMap(value), false, visit);
  else if (kind === 'Set') eachEntry(entriesOfSet(value), true, visit);
}

function eachProperty(value: object, kind: Kind, most: number, visit: Visit): boolean {
  const show = (key: string | symbol): boolean => {
    const property = Reflect.getOwnPropertyDescriptor(value, key);
    return property === undefined || visit('own', key, 'value' in property ? property.value : ACCESSOR, key);
  };
  if (kind === 'Array' && (value as unknown[]).length > LISTED_ARRAY) {
    const end = Math.min((value as unknown[]).length, most);
    for (let i = 0; i < end; i += 1) if (!show(String(i))) return false;
    return true;
  }
  const isFunction = kind === 'function';
  if (isFunction && Reflect.getOwnPropertyDescriptor(value, 'prototype')?.writable === false) return true; // a class
  for (const key of Reflect.ownKeys(value)) {
    const isPlain = isFunction ? OF_EVERY_FUNCTION.has(key) : kind === 'Array' && key === 'length';
    if (!isPlain && !show(key)) return false;
  }
  return true;
}

/** Entries are found again by their key, or by their order if that is an object; then key and value form a pair. */
function eachEntry(entries: unknown, isSet: boolean, visit: Visit): void {
  let ordinal = 0;
  let objects = 0;
  for (const [key, value] of entries as Iterable<[unknown, unknown]>) {
    const name = typeof key === 'string' ? key : String(ordinal);
    let found = leaf(key);
    let part = isSet ? key : value;
    if (typeof key === 'function') found = `under the function ${numberOf(key)}`;
    else if (isObject(key)) {
      found = `under an object, ${objects}`;
      if (!isSet) part = [key, value];
      objects += 1;
    }
    if (!visit('entries', found, part, name)) return;
    ordinal += 1;
  }
}

/** @returns what is still to be matched below `name`, or `true` if that is ignored itself. */
function narrow(ignore: Ignore, name: string | symbol): Ignore | true {
  if (ignore === undefined) return undefined;
  const rests: (readonly string[])[] = [];
  for (const [first, ...rest] of ignore) {
    if (first !== '*' && first !== String(name)) continue;
    if (rest.length === 0) return true;
    rests.push(rest);
  }
  return rests.length === 0 ? undefined : rests;
}

/** What is stored of one object. */
class Shape {
  readonly kind: Kind;
  readonly ignore: Ignore;
  mark: unknown = undefined;
  prototype = 0;
  own = NO_PARTS;
  entries = NO_PARTS;
  /** Within the depth limit, so its parts are stored. */
  isOpen = false;
  /** The node limit was met among its parts: there may have been more. */
  isPartial = false;
  /** It threw when it was looked at, and is expected to throw again. */
  isOpaque = false;

  constructor(kind: Kind, ignore: Ignore) {
    this.kind = kind;
    this.ignore = ignore;
  }
}

/** Stores an object graph, level by level, so that a big branch cannot use up the limit of its neighbours. */
class Survey {
  readonly #depth: number;
  readonly #nodes: number;
  #left: number;
  readonly #known = new Map<object, Shape>();
  readonly #queue: { readonly value: object; readonly shape: Shape; readonly depth: number }[] = [];
  isComplete = true;

  constructor(depth: number, nodes: number) {
    this.#depth = depth;
    this.#nodes = nodes;
    this.#left = nodes;
  }

  run(value: unknown, ignore: Ignore): Stored {
    const root = this.#store(value, 0, ignore);
    for (const { value, shape, depth } of this.#queue) {
      try {
        this.#open(value, shape, depth);
      } catch {
        shape.isOpaque = true;
      }
    }
    return root;
  }

  #store(value: unknown, depth: number, ignore: Ignore): Stored {
    this.#left -= 1;
    if (!isObject(value)) return leaf(value);
    // Where a path may yet be ignored, the same object elsewhere is another matter and gets a shape of its own.
    const known = ignore === undefined ? this.#known.get(value) : undefined;
    if (known !== undefined) return known;
    const shape = new Shape(kindOf(value), ignore);
    if (ignore === undefined) this.#known.set(value, shape);
    if (shape.kind === 'function') shape.mark = numberOf(value);
    shape.isOpen = depth < this.#depth && shape.kind !== 'opaque';
    if (shape.isOpen) this.#queue.push({ value, shape, depth });
    return shape;
  }

  #open(value: object, shape: Shape, depth: number): void {
    const parts = { own: new Map<Primitive, Stored>(), entries: new Map<Primitive, Stored>() };
    shape.prototype = numberOf(Reflect.getPrototypeOf(value));
    shape.mark = markOf(value, shape.kind);
    shape.isPartial = shape.kind === 'Array' && (shape.mark as number) > this.#nodes;
    eachPart(value, shape.kind, this.#nodes, (group, key, part, name) => {
      const rest = narrow(shape.ignore, name);
      if (rest === true) return true;
      shape.isPartial ||= this.#left <= 0;
      if (this.#left <= 0) return false;
      parts[group].set(key, this.#store(part, depth + 1, rest));
      return true;
    });
    if (parts.own.size > 0) shape.own = parts.own;
    if (parts.entries.size > 0) shape.entries = parts.entries;
    if (shape.isPartial) this.isComplete = false;
  }
}

/** One live object that is to be held against what is stored of it. A label is a property, or the ordinal of an entry. */
interface Step {
  readonly stored: Shape;
  readonly live: object;
  readonly from: Step | undefined;
  readonly label: Label;
}
type Label = string | symbol | number | undefined;

function textOf(from: Step | undefined, label: Label): string {
  if (label === undefined || from === undefined) return '';
  if (typeof label === 'number') return `<${from.stored.kind}>[${label}]`;
  const name = typeof label === 'string' ? label : (label.description ?? '');
  const cut = name.length > NAME_IN_PATH ? `${name.slice(0, NAME_IN_PATH)}…` : name;
  if (typeof label === 'symbol') return `[Symbol(${cut})]`;
  if (/^\d+$/.test(cut)) return `[${cut}]`;
  return /^[\p{L}_$][\p{L}\d_$]*…?$/u.test(cut) ? `.${cut}` : `[${JSON.stringify(cut)}]`;
}

function pathOf(from: Step | undefined, label: Label, end = ''): string {
  let path = textOf(from, label) + end;
  for (let step = from; step !== undefined; step = step.from) path = textOf(step.from, step.label) + path;
  return path === '' ? '(root)' : path.replace(/^\./, '');
}

/** Holds a live value against what is stored, level by level, so that the difference nearest to the root is found first. */
class Comparison {
  readonly #most: number;
  readonly #queue: Step[] = [];
  readonly #pairs = new Map<object, Set<Shape>>();

  constructor(most: number) {
    this.#most = most;
  }

  run(root: Stored, value: unknown): string | undefined {
    if (!this.#resembles(root, value, undefined, undefined)) return pathOf(undefined, undefined);
    for (const step of this.#queue) {
      const found = this.#look(step);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whether they are alike as far as can be told from outside; the inside is looked at later. */
  #resembles(stored: Stored, live: unknown, from: Step | undefined, label: Label): boolean {
    if (!isObject(stored)) return !isObject(live) && Object.is(stored, leaf(live));
    if (!isObject(live) || kindOf(live) !== stored.kind) return false;
    if (stored.kind === 'function' && numberOf(live) !== stored.mark) return false;
    if (!stored.isOpen || this.#isKnown(stored, live)) return true;
    // More objects than were ever stored: what used to be shared no longer is, and there may be no end to it.
    if (this.#queue.length > this.#most) return false;
    this.#queue.push({ stored, live, from, label });
    return true;
  }

  #isKnown(stored: Shape, live: object): boolean {
    const shapes = this.#pairs.get(live);
    if (shapes === undefined) this.#pairs.set(live, new Set([stored]));
    else if (shapes.has(stored)) return true;
    else shapes.add(stored);
    return false;
  }

  #look(step: Step): string | undefined {
    const { stored, live } = step;
    try {
      if (!stored.isOpaque) return this.#inside(step);
      markOf(live, stored.kind);
      eachPart(live, stored.kind, this.#most, () => true);
    } catch {
      if (stored.isOpaque) return undefined;
    }
    return pathOf(step.from, step.label);
  }

  #inside(step: Step): string | undefined {
    const { stored, live } = step;
    if (numberOf(Reflect.getPrototypeOf(live)) !== stored.prototype) return pathOf(step, undefined, '<prototype>');
    let found: string | undefined;
    let ordinal = 0;
    const met = { own: 0, entries: 0 };
    eachPart(live, stored.kind, this.#most, (group, key, value, name) => {
      const label = group === 'own' ? name : ordinal;
      ordinal += group === 'own' ? 0 : 1;
      if (narrow(stored.ignore, name) === true) return true;
      const before = stored[group].get(key);
      const isNew = before === undefined && !stored[group].has(key);
      if (isNew && stored.isPartial) return true;
      met[group] += 1;
      if (isNew || !this.#resembles(before, value, step, label)) found = pathOf(step, label);
      return found === undefined;
    });
    if (found !== undefined) return found;
    if (met.own < stored.own.size || met.entries < stored.entries.size) return this.#missing(step);
    return this.#unlikeMark(step);
  }

  #missing(step: Step): string {
    const { stored, live } = step;
    const present: Record<Group, Set<Primitive>> = { own: new Set(), entries: new Set() };
    eachPart(live, stored.kind, this.#most, (group, key) => present[group].add(key).size > 0);
    for (const key of stored.own.keys()) if (!present.own.has(key)) return pathOf(step, key as Label);
    return pathOf(
      step,
      [...stored.entries.keys()].findIndex((key) => !present.entries.has(key)),
    );
  }

  #unlikeMark(step: Step): string | undefined {
    const { kind, mark, ignore } = step.stored;
    const isCount = kind === 'Array' || kind === 'Map' || kind === 'Set';
    // Entries that are ignored may come and go, and the count with them.
    if ((isCount && ignore !== undefined) || Object.is(mark, markOf(step.live, kind))) return undefined;
    if (!isCount) return pathOf(step, undefined);
    return pathOf(step, undefined, kind === 'Array' ? '.length' : '.size');
  }
}

export class Fingerprint {
  readonly #root: Stored;
  readonly #nodes: number;
  /** `false` if the node limit was met: beyond it nothing is compared. */
  readonly isComplete: boolean;

  private constructor(root: Stored, nodes: number, isComplete: boolean) {
    this.#root = root;
    this.#nodes = nodes;
    this.isComplete = isComplete;
  }

  /** Never throws: what throws when it is looked at counts as opaque. */
  static of(value: unknown, { depth = 6, nodes = 10_000, ignore = [] }: FingerprintLimits = {}): Fingerprint {
    const survey = new Survey(depth, nodes);
    const paths = ignore.length === 0 ? undefined : ignore.map((path) => path.split('.'));
    const root = survey.run(value, paths);
    return new Fingerprint(root, nodes, survey.isComplete);
  }

  /**
   * The path of the difference nearest to the root, `undefined` if they are alike. It shows names of properties, never
   * values or keys of a Map: `notes[2]`, `login.user`, `cache<Map>[3]` (its fourth entry; if the key is an object,
   * `cache<Map>[3][0]` is the key and `[3][1]` the value), `login<prototype>`, or `(root)`.
   */
  difference(value: unknown): string | undefined {
    return new Comparison(this.#nodes).run(this.#root, value);
  }
}
