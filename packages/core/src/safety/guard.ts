/**
 * Stands between a borrower and the resources: every object read from them comes as a proxy, and all of these stop
 * working at once when the lease ends. It stops a reference that was kept by mistake, not an attacker.
 *
 * Guarded is what the resources hold: their properties, elements of arrays, entries of a Map or Set, methods (also
 * extracted or bound ones), classes. Methods run with the real object as `this`, so private fields and built-in classes
 * work, and get real objects for guarded arguments. What a method returns is the borrower's to keep and comes as it is,
 * unless it is an object that was handed out guarded before (`return this`); so does what a promise brings.
 *
 * Passed by: buffers and other binary data, which no proxy can stand for; what callbacks are given; what hides in fresh
 * arguments (`f({ client })`); work in flight. Guarded objects never look frozen, cannot be frozen, and are refused by
 * functions outside that test for a built-in class from within (`structuredClone`, `Map.prototype.get.call`).
 */

export interface Guarded {
  readonly value: unknown;
  /** From now on everything that was reached through `value` throws. */
  revoke(): void;
}

type Callable = (...args: unknown[]) => unknown;

/** The gate of every proxy, of all guards. */
const GATES = new WeakMap<object, Gate>();
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Built-in methods that hand out what an object holds, as reading a property does. */
const HANDING_OUT: ReadonlySet<unknown> = new Set([
  Reflect.get(Function.prototype, 'bind'),
  ...[Map.prototype, Set.prototype, Object.getPrototypeOf(new Map().keys()), Object.getPrototypeOf(new Set().keys())]
    .flatMap((prototype: object) => Object.values(Object.getOwnPropertyDescriptors(prototype)))
    .map((property) => property.value as unknown),
]);

/**
 * What a proxy is told to stand for: of the target's nature, but not the target, as what that holds frozen could not be
 * covered. A bound class can be called and constructed, and has no fixed property. Binary data has no shadow, as built-in
 * functions take no proxy for it; nor has a revoked proxy, which throws anyway.
 */
function shadowOf(target: object): object | undefined {
  try {
    if (typeof target === 'function') return Object.bind(undefined);
    if (Array.isArray(target)) return [];
    if (ArrayBuffer.isView(target) || target instanceof ArrayBuffer) return undefined;
    return typeof SharedArrayBuffer !== 'undefined' && target instanceof SharedArrayBuffer ? undefined : {};
  } catch {
    return undefined;
  }
}

/** One borrower's guard: what it has handed out, and whether it still does. */
class Membrane {
  readonly #refuse: (attempt: string) => Error;
  readonly #proxies = new WeakMap<object, object>();
  isRevoked = false;

  constructor(refuse: (attempt: string) => Error) {
    this.#refuse = refuse;
  }

  revoke(): void {
    this.isRevoked = true;
  }

  /** Before every access. Does as good as nothing while the lease lives. */
  check(verb: string, name?: PropertyKey): void {
    if (this.isRevoked) throw this.#refuse(`${verb} ${name === undefined ? '' : `'${String(name)}' of `}its resources`);
  }

  /** The proxy for `value`, always the same; `value` itself if it needs none, or has none yet and none is to be made. */
  cover(value: unknown, name: PropertyKey, makes: boolean = true): unknown {
    if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return value;
    return this.#proxies.get(value) ?? (makes ? this.#enclose(value, name) : value);
  }

  /** The object behind one of this guard's own proxies. Another lease's stays shut. */
  uncover(value: unknown): unknown {
    const gate = GATES.get(value as object);
    return gate?.membrane === this ? gate.target : value;
  }

  #enclose(target: object, name: PropertyKey): object {
    const shadow = shadowOf(target);
    if (shadow === undefined || this.uncover(target) !== target) return target;
    const gate = new Gate(this, target, name);
    Object.assign(shadow, { [INSPECT]: () => (this.isRevoked ? '[lease ended]' : target) });
    const proxy = new Proxy(shadow, gate);
    GATES.set(proxy, gate);
    this.#proxies.set(target, proxy);
    return proxy;
  }
}

/** The traps of one object's proxy. */
class Gate implements ProxyHandler<object> {
  readonly membrane: Membrane;
  readonly target: object;
  readonly #name: PropertyKey;

  constructor(membrane: Membrane, target: object, name: PropertyKey) {
    this.membrane = membrane;
    this.target = target;
    this.#name = name;
  }

  get(_shadow: object, key: string | symbol, receiver: unknown): unknown {
    this.membrane.check('read', key);
    const value: unknown = Reflect.get(this.target, key, this.membrane.uncover(receiver));
    // Nobody's resource: an object's class, and the methods of arrays, which work on the proxy element by element.
    if (key === 'constructor' && !Object.hasOwn(this.target, key)) return value;
    if (Array.isArray(this.target) && value === Reflect.get(Array.prototype, key)) return value;
    return this.membrane.cover(value, key);
  }

  set(_shadow: object, key: string | symbol, value: unknown, receiver: unknown): boolean {
    this.membrane.check('write', key);
    return Reflect.set(this.target, key, this.membrane.uncover(value), this.membrane.uncover(receiver));
  }

  apply(_shadow: object, self: unknown, args: unknown[]): unknown {
    const { membrane, target } = this;
    membrane.check('call', this.#name);
    const real = args.map((arg) => membrane.uncover(arg));
    const result: unknown = Reflect.apply(target as Callable, membrane.uncover(self), real);
    return membrane.cover(result, this.#name, HANDING_OUT.has(target));
  }

  construct(_shadow: object, args: unknown[], newTarget: object): object {
    this.membrane.check('construct', this.#name);
    const real = args.map((arg) => this.membrane.uncover(arg));
    return Reflect.construct(this.target as Callable, real, this.membrane.uncover(newTarget) as Callable);
  }

  has(_shadow: object, key: string | symbol): boolean {
    this.membrane.check('look up', key);
    return Reflect.has(this.target, key);
  }

  deleteProperty(_shadow: object, key: string | symbol): boolean {
    this.membrane.check('delete', key);
    return Reflect.deleteProperty(this.target, key);
  }

  ownKeys(): (string | symbol)[] {
    this.membrane.check('list');
    return Reflect.ownKeys(this.target);
  }

  getOwnPropertyDescriptor(_shadow: object, key: string | symbol): PropertyDescriptor | undefined {
    this.membrane.check('read', key);
    const property = Reflect.getOwnPropertyDescriptor(this.target, key);
    if (property === undefined) return undefined;
    for (const part of ['value', 'get', 'set'] as const) {
      if (part in property) property[part] = this.membrane.cover(property[part], key) as () => unknown;
    }
    // A proxy must not call a property fixed that its shadow lacks, nor change what its shadow has fixed.
    if (Array.isArray(this.target) && key === 'length') property.writable = true;
    else property.configurable = true;
    return property;
  }

  /** A fixed property is refused, as the proxy could not show it. */
  defineProperty(_shadow: object, key: string | symbol, property: PropertyDescriptor): boolean {
    this.membrane.check('define', key);
    if ('value' in property) property.value = this.membrane.uncover(property.value);
    return property.configurable !== false && Reflect.defineProperty(this.target, key, property);
  }

  /** The real one, so that `instanceof` works. */
  getPrototypeOf(): object | null {
    this.membrane.check('read the prototype of');
    return Reflect.getPrototypeOf(this.target);
  }

  setPrototypeOf(_shadow: object, prototype: object | null): boolean {
    this.membrane.check('change the prototype of');
    return Reflect.setPrototypeOf(this.target, this.membrane.uncover(prototype) as object | null);
  }

  isExtensible(): boolean {
    this.membrane.check('look at');
    return true;
  }

  /** Refused: it could not be undone for the next borrower. */
  preventExtensions(): boolean {
    this.membrane.check('freeze');
    return false;
  }
}

/**
 * @param refuse makes the error that is thrown after `revoke()`; `attempt` completes "tried to …".
 * Primitives are returned as they are.
 */
export function guard(resources: unknown, refuse: (attempt: string) => Error): Guarded {
  const membrane = new Membrane(refuse);
  return { value: membrane.cover(resources, 'resources'), revoke: () => membrane.revoke() };
}

/** The object behind a guard's proxy, or the value itself. */
export function unguarded(value: unknown): unknown {
  return GATES.get(value as object)?.target ?? value;
}
