/** What a fingerprint finds, what it calls alike, what its paths say, and that nothing makes it throw or hold on. */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';

import fc from 'fast-check';

import { Fingerprint } from '../src/safety/fingerprint.ts';
import type { FingerprintLimits } from '../src/safety/fingerprint.ts';

const SEED = Number(process.env['SOPHIA_FINGERPRINT_SEED'] ?? Date.now() & 0x7fff_ffff);
const RUNS = Number(process.env['SOPHIA_FINGERPRINT_RUNS'] ?? 300);

/** That `change` leaves a difference at `path`, and that without it all is alike. */
function leaks<Value>(path: string, make: () => Value, change: (value: Value) => void): void {
  const value = make();
  const fingerprint = Fingerprint.of(value);
  assert.equal(fingerprint.difference(value), undefined, 'unchanged');
  assert.equal(fingerprint.difference(make()), undefined, 'made again');
  change(value);
  assert.equal(fingerprint.difference(value), path);
}

test('an added, a changed and a removed property are named', () => {
  const make = (): Record<string, unknown> => ({ notes: ['a', 'b', 'c'], login: { user: 'none', 'last seen': 0 } });
  leaks('extra', make, (it) => (it['extra'] = 1));
  const login = (it: Record<string, unknown>) => it['login'] as Record<string, unknown>;
  const notes = (it: Record<string, unknown>) => it['notes'] as string[];
  leaks('login.user', make, (it) => (login(it)['user'] = 'Ada'));
  leaks('login["last seen"]', make, (it) => (login(it)['last seen'] = 5));
  leaks('login.user', make, (it) => delete login(it)['user']);
  leaks('login', make, (it) => delete it['login']);
  leaks('notes[3]', make, (it) => notes(it).push('d'));
  leaks('notes[2]', make, (it) => notes(it).pop());
  leaks('notes[1]', make, (it) => (notes(it)[1] = 'B'));
  leaks('notes.length', make, (it) => (notes(it).length = 9));
});

test('a property that is set to undefined differs from one that is absent', () => {
  assert.equal(Fingerprint.of({}).difference({ user: undefined }), 'user');
  assert.equal(Fingerprint.of({ user: undefined }).difference({}), 'user');
  assert.equal(Fingerprint.of({ user: undefined }).difference({ user: null }), 'user');
});

test('the difference nearest to the root is the one that is named', () => {
  const before = { deep: { deeper: { value: 1 } }, flat: 1 };
  assert.equal(Fingerprint.of(before).difference({ deep: { deeper: { value: 2 } }, flat: 2 }), 'flat');
});

test('primitives are told apart as Object.is tells them', () => {
  const values = [0, -0, 1, Number.NaN, '', '0', 'NaN', 0n, 1n, true, false, null, undefined, Symbol.iterator];
  for (const [i, one] of values.entries()) {
    for (const [j, other] of values.entries()) {
      assert.equal(Fingerprint.of({ x: one }).difference({ x: other }), i === j ? undefined : 'x');
    }
    assert.equal(Fingerprint.of({ x: one }).difference({ x: {} }), 'x');
    assert.equal(Fingerprint.of({ x: {} }).difference({ x: one }), 'x');
  }
  assert.equal(Fingerprint.of(1).difference(2), '(root)');
  assert.equal(Fingerprint.of({}).difference(2), '(root)');
  assert.equal(Fingerprint.of(2).difference(2), undefined);
  assert.equal(Fingerprint.of({ x: Symbol('a') }).difference({ x: Symbol('a') }), 'x');
});

test('texts are compared by value, however long', () => {
  for (const length of [1, 11, 12, 13, 14, 100, 16_384]) {
    const text = 'x'.repeat(length);
    const fingerprint = Fingerprint.of({ text });
    assert.equal(fingerprint.difference({ text: 'x'.repeat(length) }), undefined);
    assert.equal(fingerprint.difference({ text: `${text}x` }), 'text');
    for (const at of new Set([0, length >> 1, length - 1])) {
      assert.equal(fingerprint.difference({ text: `${text.slice(0, at)}y${text.slice(at + 1)}` }), 'text');
    }
  }
});

test('of a very long text the edges and samples between are compared', () => {
  const text = 'x'.repeat(1_000_000);
  const fingerprint = Fingerprint.of({ text });
  const changed = (from: number, count: number) => text.slice(0, from) + 'y'.repeat(count) + text.slice(from + count);
  assert.equal(fingerprint.difference({ text: changed(0, 1) }), 'text');
  assert.equal(fingerprint.difference({ text: changed(4095, 1) }), 'text');
  assert.equal(fingerprint.difference({ text: changed(999_999, 1) }), 'text');
  assert.equal(fingerprint.difference({ text: changed(1_000_000 - 4096, 1) }), 'text');
  assert.equal(fingerprint.difference({ text: changed(500_000, 300) }), 'text');
  assert.equal(fingerprint.difference({ text }), undefined);
});

test('symbol keys and hidden properties are seen', () => {
  const secret = Symbol('state');
  leaks(
    'inner[Symbol(state)]',
    () => ({ inner: { [secret]: 1 } }),
    (it) => (it.inner[secret] = 2),
  );
  leaks(
    'hidden',
    () => Object.defineProperty({}, 'hidden', { value: 1, writable: true }) as { hidden: number },
    (it) => (it.hidden = 2),
  );
  leaks(
    'user',
    () => [1, 2],
    (it) => Object.assign(it, { user: 'x' }),
  );
});

test('an accessor is never called, and only its presence counts', () => {
  let calls = 0;
  const make = () => ({
    get state(): number {
      calls += 1;
      return calls;
    },
  });
  const fingerprint = Fingerprint.of(make());
  assert.equal(fingerprint.difference(make()), undefined);
  assert.equal(fingerprint.difference({ state: 1 }), 'state');
  assert.equal(fingerprint.difference({}), 'state');
  assert.equal(calls, 0);
});

test('an equal-looking object is alike, a different prototype is not', () => {
  class Login {
    user = 'none';
  }
  assert.equal(Fingerprint.of({ s: new Login() }).difference({ s: new Login() }), undefined);
  assert.equal(Fingerprint.of({ s: new Login() }).difference({ s: { user: 'none' } }), 's<prototype>');
  assert.equal(Fingerprint.of(Object.create(null)).difference({}), '<prototype>');
  assert.equal(Fingerprint.of({ b: Buffer.from('a') }).difference({ b: new Uint8Array([97]) }), 'b<prototype>');
  assert.equal(Fingerprint.of({ s: [] }).difference({ s: {} }), 's');
});

test('entries of a Map are named by their ordinal, so that no key and no value gets into a path', () => {
  const make = () => ({ logins: new Map<unknown, unknown>([['ada@example.com', { count: 1 }]]) });
  leaks('logins<Map>[1]', make, (it) => it.logins.set('bob@example.com', 1));
  leaks('logins<Map>[0].count', make, (it) => ((it.logins.get('ada@example.com') as { count: number }).count = 2));
  leaks('logins<Map>[0]', make, (it) => it.logins.set('ada@example.com', 3));
  leaks('logins<Map>[0]', make, (it) => it.logins.clear());
  assert.equal(Fingerprint.of(new Map([[1, 2]])).difference(new Map([[1, 3]])), '<Map>[0]');
});

test('entries under primitives and functions are found again in any order, entries under objects in theirs', () => {
  const run = () => 1;
  const stop = () => 2;
  const map = (...entries: [unknown, unknown][]) => new Map(entries);
  const fingerprint = Fingerprint.of(map(['a', 1], [run, 2], [{ id: 1 }, 3], [Number.NaN, 4], [{ id: 2 }, 5]));
  const same = map([Number.NaN, 4], [{ id: 1 }, 3], [{ id: 2 }, 5], [run, 2], ['a', 1]);
  assert.equal(fingerprint.difference(same), undefined);
  const swapped = map(['a', 1], [run, 2], [{ id: 2 }, 5], [Number.NaN, 4], [{ id: 1 }, 3]);
  assert.equal(fingerprint.difference(swapped), '<Map>[2][1]');
  const otherKey = map(['a', 1], [run, 2], [{ id: 1 }, 3], [Number.NaN, 4], [{ id: 9 }, 5]);
  assert.equal(fingerprint.difference(otherKey), '<Map>[4][0].id');
  const otherFunction = map(['a', 1], [stop, 2], [{ id: 1 }, 3], [Number.NaN, 4], [{ id: 2 }, 5]);
  assert.equal(fingerprint.difference(otherFunction), '<Map>[1]');
});

test('Sets are compared likewise', () => {
  const listener = () => undefined;
  const make = () => ({ listeners: new Set<unknown>([listener, 'a', { id: 1 }]) });
  leaks('listeners<Set>[3]', make, (it) => it.listeners.add(() => undefined));
  leaks('listeners<Set>[1]', make, (it) => it.listeners.delete('a'));
  leaks('listeners<Set>[2].id', make, (it) => ([...it.listeners][2] as { id: number }).id++);
  const moved = new Set<unknown>([{ id: 1 }, 'a', listener]);
  assert.equal(Fingerprint.of(make()).difference({ listeners: moved }), undefined);
});

test('a Map with properties of its own is seen in both respects', () => {
  class Cache extends Map<string, number> {
    hits = 0;
  }
  leaks(
    'hits',
    () => new Cache([['a', 1]]),
    (it) => it.hits++,
  );
  leaks(
    '<Map>[1]',
    () => new Cache([['a', 1]]),
    (it) => it.set('b', 1),
  );
});

test('what a Map overrides is not called', () => {
  class Loud extends Map<string, number> {
    override entries(): never {
      throw new Error('called');
    }
    override [Symbol.iterator](): never {
      throw new Error('called');
    }
    override get size(): number {
      throw new Error('called');
    }
  }
  const loud = new Loud();
  const fingerprint = Fingerprint.of({ loud });
  assert.equal(fingerprint.difference({ loud }), undefined);
  loud.set('a', 1);
  assert.equal(fingerprint.difference({ loud }), 'loud<Map>[0]');
});

test('dates, patterns and bytes are compared by what they hold', () => {
  leaks(
    'at',
    () => ({ at: new Date(5) }),
    (it) => it.at.setTime(6),
  );
  assert.equal(Fingerprint.of(new Date(Number.NaN)).difference(new Date(Number.NaN)), undefined);
  leaks(
    'pattern.lastIndex',
    () => ({ pattern: /a/g }),
    (it) => it.pattern.exec('aa'),
  );
  assert.equal(Fingerprint.of({ p: /a/g }).difference({ p: /a/i }), 'p');
  for (const make of [
    () => new Uint8Array(100_000),
    () => Buffer.alloc(100),
    () => new Float64Array(10),
    () => new ArrayBuffer(64),
    () => new SharedArrayBuffer(64),
    () => new DataView(new ArrayBuffer(32), 8, 16),
  ]) {
    const change = (it: ArrayBuffer | SharedArrayBuffer | ArrayBufferView) => {
      const bytes = ArrayBuffer.isView(it)
        ? new Uint8Array(it.buffer, it.byteOffset, it.byteLength)
        : new Uint8Array(it);
      bytes[bytes.length - 1] = 1;
    };
    leaks(
      'bytes',
      () => ({ bytes: make() }),
      (it) => change(it.bytes),
    );
  }
  const buffer = new ArrayBuffer(8);
  leaks(
    'buffer',
    () => ({ buffer }),
    (it) => structuredClone(it.buffer, { transfer: [it.buffer] }),
  );
});

test('functions are compared by identity and by the properties they carry', () => {
  const client = Object.assign(() => undefined, { defaults: { headers: {} as Record<string, string> } });
  const fingerprint = Fingerprint.of({ client });
  assert.equal(fingerprint.difference({ client }), undefined);
  client.defaults.headers['authorization'] = 'Bearer x';
  assert.equal(fingerprint.difference({ client }), 'client.defaults.headers.authorization');
  assert.equal(Fingerprint.of({ run: () => 1 }).difference({ run: () => 1 }), 'run');
});

test('a class is compared by identity alone, as its static members belong to the type', () => {
  class Counted {
    static count = 0;
  }
  const fingerprint = Fingerprint.of({ Counted });
  Counted.count = 1;
  assert.equal(fingerprint.difference({ Counted }), undefined);
  assert.equal(fingerprint.difference({ Counted: class {} }), 'Counted');
});

test('cycles and shared objects end, and sharing itself does not count', () => {
  interface Node {
    name: string;
    next?: Node;
  }
  const ring = (name: string): Node => {
    const first: Node = { name: 'first' };
    first.next = { name, next: first };
    return first;
  };
  assert.equal(Fingerprint.of(ring('second')).difference(ring('second')), undefined);
  assert.equal(Fingerprint.of(ring('second')).difference(ring('other')), 'next.name');
  const alone: Node = { name: 'first' };
  alone.next = alone;
  const pair: Node = { name: 'first', next: { name: 'first' } };
  pair.next!.next = pair;
  assert.equal(Fingerprint.of(alone).difference(pair), undefined, 'unrolled once');
  assert.equal(Fingerprint.of(pair).difference(alone), undefined, 'rolled up');
  const shared = { n: 1 };
  const fingerprint = Fingerprint.of({ a: shared, b: shared });
  assert.equal(fingerprint.difference({ a: { n: 1 }, b: { n: 1 } }), undefined);
  assert.equal(fingerprint.difference({ a: { n: 1 }, b: { n: 2 } }), 'b.n');
  assert.equal(Fingerprint.of({ a: { n: 1 }, b: { n: 1 } }).difference({ a: shared, b: shared }), undefined);
});

test('beyond the depth limit objects are compared by kind alone', () => {
  const nest = (value: unknown) => ({ a: { b: { c: value } } });
  const fingerprint = Fingerprint.of(nest({ d: 1 }), { depth: 3 });
  assert.equal(fingerprint.difference(nest({ d: 2, e: 3 })), undefined);
  assert.equal(fingerprint.difference(nest([])), 'a.b.c');
  assert.equal(Fingerprint.of(nest({ d: 1 }), { depth: 4 }).difference(nest({ d: 2 })), 'a.b.c.d');
  assert.equal(Fingerprint.of({ a: 1 }, { depth: 0 }).difference({ a: 2 }), undefined);
  let six: unknown = { end: 1 };
  let otherSix: unknown = { end: 2 };
  for (let i = 0; i < 5; i += 1) [six, otherSix] = [{ x: six }, { x: otherSix }];
  assert.equal(Fingerprint.of(six).difference(otherSix), 'x.x.x.x.x.end');
  assert.equal(Fingerprint.of({ x: six }).difference({ x: otherSix }), undefined, 'six levels unless told');
});

test('an object that is both near and far is looked at as the near one', () => {
  const state = { user: { name: 'none' } };
  const fingerprint = Fingerprint.of({ far: { further: state }, near: state }, { depth: 3 });
  state.user.name = 'Ada';
  assert.equal(fingerprint.difference({ far: { further: state }, near: state }), 'near.user.name');
});

test('beyond the node limit nothing is compared, the nearest values come first, and it says so', () => {
  const make = () => ({ big: Array.from({ length: 50 }, (_, i) => ({ i })), user: 'none' });
  const whole = Fingerprint.of(make());
  assert.equal(whole.isComplete, true);
  const partial = Fingerprint.of(make(), { nodes: 20 });
  assert.equal(partial.isComplete, false);
  assert.equal(partial.difference(make()), undefined);
  assert.equal(partial.difference({ ...make(), user: 'Ada' }), 'user');
  const changed = make();
  changed.big[49]!.i = 0;
  assert.equal(partial.difference(changed), undefined);
  assert.equal(whole.difference(changed), 'big[49].i');
  changed.big.length = 5;
  assert.equal(partial.difference(changed), 'big[5]');
  const exact = Fingerprint.of({ a: 1, b: 2 }, { nodes: 3 });
  assert.equal(exact.isComplete, true);
  assert.equal(Fingerprint.of({ a: 1, b: 2 }, { nodes: 2 }).isComplete, false);
});

test('the number of entries counts even where the entries are beyond the limit', () => {
  const map = (size: number) => new Map(Array.from({ length: size }, (_, i) => [i, i]));
  const fingerprint = Fingerprint.of({ map: map(50), list: Array.from({ length: 5000 }, () => 0) }, { nodes: 20 });
  assert.equal(fingerprint.difference({ map: map(50), list: Array.from({ length: 5000 }, () => 0) }), undefined);
  assert.equal(fingerprint.difference({ map: map(51), list: Array.from({ length: 5000 }, () => 0) }), 'map.size');
  assert.equal(fingerprint.difference({ map: map(50), list: Array.from({ length: 5001 }, () => 0) }), 'list.length');
});

test('long and sparse arrays do not take for ever', () => {
  const list = Array.from({ length: 5000 }, (_, i) => i);
  leaks(
    'list[4999]',
    () => ({ list }),
    (it) => (it.list[4999] = -1),
  );
  leaks(
    'list[4999]',
    () => ({ list: [...list] }),
    (it) => it.list.pop(),
  );
  const sparse: number[] = [];
  sparse[4_000_000_000] = 1;
  const fingerprint = Fingerprint.of({ sparse });
  assert.equal(fingerprint.isComplete, false);
  assert.equal(fingerprint.difference({ sparse }), undefined);
  assert.equal(Fingerprint.of({ sparse: [] }).difference({ sparse }), 'sparse.length');
});

test('ignored paths are not looked at, whether they change, come or go', () => {
  const make = () => ({
    stats: { calls: 0, errors: 0 },
    logins: new Map<string, { seen: number; user: string }>([['main', { seen: 0, user: 'none' }]]),
    list: [{ at: 1, x: 1 }],
  });
  const fingerprint = Fingerprint.of(make(), {
    ignore: ['stats.calls', 'logins.*.seen', 'list.0.at', 'temporary', 'logins.spare'],
  });
  const value: ReturnType<typeof make> & { temporary?: number } = make();
  value.stats.calls = 9;
  value.logins.get('main')!.seen = 9;
  value.list[0]!.at = 9;
  value.temporary = 1;
  value.logins.set('spare', { seen: 0, user: 'x' });
  assert.equal(fingerprint.difference(value), undefined);
  value.logins.get('main')!.user = 'Ada';
  assert.equal(fingerprint.difference(value), 'logins<Map>[0].user');
  value.stats.errors = 1;
  assert.equal(fingerprint.difference(value), 'stats.errors');
  delete (value as Partial<typeof value>).stats;
  assert.equal(fingerprint.difference(value), 'stats');
});

test('an object that is ignored on one path is still looked at on another', () => {
  const state = { user: 'none', count: 0 };
  const fingerprint = Fingerprint.of({ a: { state }, b: { state } }, { ignore: ['a.state.count'] });
  assert.equal(fingerprint.difference({ a: { state }, b: { state } }), undefined);
  state.count = 1;
  assert.equal(fingerprint.difference({ a: { state }, b: { state } }), 'b.state.count');
});

test('an ignored path may lead through a cycle', () => {
  const make = (n: number) => {
    const it: Record<string, unknown> = { n: 1 };
    it['self'] = it;
    it['tail'] = { n };
    return it;
  };
  assert.equal(Fingerprint.of(make(1), { ignore: ['*.*.*.n'] }).difference(make(2)), 'tail.n');
  assert.equal(Fingerprint.of(make(1), { ignore: ['*.n', '*.*.n', '*.*.*.n'] }).difference(make(1)), undefined);
});

test('names in a path are cut and written so that nobody mistakes them', () => {
  const long = 'n'.repeat(100);
  const of = (key: string | symbol) => Fingerprint.of({}).difference({ [key]: 1 });
  assert.equal(of(long), `${'n'.repeat(40)}…`);
  assert.equal(of('a b'), '["a b"]');
  assert.equal(of('new\nline'), '["new\\nline"]');
  assert.equal(of('größe'), 'größe');
  assert.equal(of(''), '[""]');
  assert.equal(of('7'), '[7]');
  assert.equal(of('__proto__'), '__proto__');
  assert.equal(of(Symbol(long)), `[Symbol(${'n'.repeat(40)}…)]`);
  assert.equal(of(Symbol()), '[Symbol()]');
});

test('what throws when it is looked at is opaque, and alike as long as it throws', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const callable = Proxy.revocable(() => undefined, {});
  callable.revoke();
  const refusing = (trap: keyof ProxyHandler<object>) =>
    new Proxy({ a: 1, b: 2 }, { [trap]: () => assert.fail('the trap was asked') });
  const hostile = [
    proxy,
    callable.proxy,
    refusing('ownKeys'),
    refusing('getOwnPropertyDescriptor'),
    refusing('getPrototypeOf'),
    Object.create(Map.prototype),
    Object.create(Date.prototype),
    new Proxy(new Map(), {}),
  ];
  for (const one of hostile) {
    const fingerprint = Fingerprint.of({ one });
    assert.equal(fingerprint.difference({ one }), undefined);
    assert.equal(fingerprint.difference({ one: { a: 1, b: 2 } }), 'one');
    assert.match(Fingerprint.of({ one: { a: 1, b: 2 } }).difference({ one })!, /^one/);
    assert.equal(Fingerprint.of(one).difference(one), undefined);
  }
  const login = Proxy.revocable({ user: 'none' }, {});
  const fingerprint = Fingerprint.of({ login: login.proxy });
  assert.equal(fingerprint.difference({ login: login.proxy }), undefined);
  login.revoke();
  assert.equal(fingerprint.difference({ login: login.proxy }), 'login');
});

test('a graph that has no end is given up and called different', () => {
  const endless = (): object =>
    new Proxy(
      {},
      { ownKeys: () => ['a', 'b'], getOwnPropertyDescriptor: () => ({ value: endless(), configurable: true }) },
    );
  const fingerprint = Fingerprint.of(endless());
  assert.equal(typeof fingerprint.isComplete, 'boolean');
  const knot: Record<string, unknown> = {};
  knot['a'] = knot;
  knot['b'] = knot;
  assert.match(Fingerprint.of(knot, { nodes: 500 }).difference(endless())!, /^[ab]/);
});

test('a long chain does not exhaust the stack', () => {
  interface Link {
    next?: Link;
  }
  const chain = (length: number): Link[] => {
    const links: Link[] = Array.from({ length }, () => ({}));
    for (const [i, link] of links.entries()) if (i + 1 < length) link.next = links[i + 1]!;
    return links;
  };
  const fingerprint = Fingerprint.of(chain(3000));
  assert.equal(fingerprint.difference(chain(3000)), undefined);
  assert.equal(Fingerprint.of(chain(3000)[0], { depth: 5000 }).difference(chain(3000)[0]), undefined);
});

test('an EventEmitter that kept a listener is found out', () => {
  const events = new EventEmitter();
  const listener = (): void => undefined;
  const fingerprint = Fingerprint.of({ events });
  events.on('data', listener).off('data', listener);
  assert.equal(fingerprint.difference({ events }), undefined);
  events.on('data', listener);
  assert.match(fingerprint.difference({ events }) ?? '', /^events\._events/);
});

test('what the documentation says is out of sight is out of sight', () => {
  class Private {
    #user = 'none';
    login(user: string): string {
      return (this.#user = this.#user === user ? '' : user);
    }
  }
  const weak = new WeakMap<object, unknown>();
  const value = { p: new Private(), weak };
  const fingerprint = Fingerprint.of(value);
  value.p.login('Ada');
  weak.set(value, 'Ada');
  assert.equal(fingerprint.difference(value), undefined);
});

test('neither the fingerprint nor a comparison keeps the objects alive', async () => {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  const watch = (value: object) => new WeakRef(value);
  class Login {
    data = new Map([['key', { big: [1, 2, 3] }]]);
    run = (): number => this.data.size;
  }
  let login: Login | undefined = new Login();
  let later: Login | undefined = new Login();
  const refs = [login, login.run, login.data, login.data.get('key')!, later, later.data].map(watch);
  const fingerprint = Fingerprint.of({ login });
  assert.equal(fingerprint.difference({ login: later }), 'login.run');
  login = undefined;
  later = undefined;
  for (let i = 0; i < 10 && refs.some((ref) => ref.deref() !== undefined); i += 1) {
    await turn();
    collect();
  }
  assert.deepEqual(
    refs.map((ref) => ref.deref()),
    refs.map(() => undefined),
  );
  assert.equal(fingerprint.difference({ login: 1 }), 'login');
});

type Change = (mark: symbol) => void;

/** Everything that can be changed in a structure, once each; and links between its objects, made by `pick`. */
function changesOf(value: unknown, seen = new Set<unknown>()): Change[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  const changes: Change[] = [];
  if (value instanceof Date) changes.push(() => value.setTime(Number.isNaN(value.getTime()) ? 0 : Number.NaN));
  else if (value instanceof Uint8Array) {
    if (value.length > 0) changes.push(() => void (value[value.length >> 1]! ^= 1));
  } else if (value instanceof Map) {
    changes.push((mark) => value.set(mark, 1));
    for (const [key, part] of value) {
      changes.push(
        () => value.delete(key),
        (mark) => value.set(key, mark),
        ...changesOf(key, seen),
        ...changesOf(part, seen),
      );
    }
  } else if (value instanceof Set) {
    changes.push((mark) => value.add(mark));
    for (const part of value) changes.push(() => value.delete(part), ...changesOf(part, seen));
  } else {
    changes.push(
      (mark) => Object.defineProperty(value, mark, { value: 1, enumerable: false }),
      (mark) => Object.assign(value, { [`added ${mark.description}`]: undefined }),
      () => Object.setPrototypeOf(value, Object.create(Object.getPrototypeOf(value) as object | null) as object),
    );
    for (const key of Object.keys(value)) {
      const part = (value as Record<string, unknown>)[key];
      const replace = (by: unknown) => Object.defineProperty(value, key, { value: by });
      changes.push(
        () => Reflect.deleteProperty(value, key),
        (mark) => replace(mark),
        () => replace([part]),
        ...changesOf(part, seen),
      );
    }
  }
  return changes;
}

function objectsIn(value: unknown, seen = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return seen;
  seen.add(value);
  const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  for (const part of parts) objectsIn(part, seen);
  return seen;
}

const { structure: STRUCTURE } = fc.letrec<{ structure: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.string({ minLength: 20, maxLength: 60 }),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
  ),
  structure: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('structure'), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie('structure'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie('structure'), tie('structure')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('structure'), { maxLength: 4 }).map((parts) => new Set(parts)),
  ),
}));
const DEEP: FingerprintLimits = { depth: 100 };

/** Ties some of its objects to others, so that there are cycles and shared objects. */
function tied(value: unknown, ties: readonly (readonly [number, number])[]): { it: unknown } {
  const objects = [...objectsIn(value)];
  for (const [i, [from, to]] of ties.entries()) {
    const holder = objects[from % objects.length];
    const held = objects[to % objects.length];
    if (holder === undefined || holder instanceof Date || holder instanceof Uint8Array) continue;
    if (holder instanceof Map) holder.set(`tie ${i}`, held);
    else if (holder instanceof Set) holder.add(held);
    else Object.assign(holder, { [`tie ${i}`]: held });
  }
  return { it: value };
}

const TIES = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 3 });

test('a clone of any structure is alike, and any one change to it is found', (t) => {
  t.diagnostic(`seed ${SEED}, repeat with SOPHIA_FINGERPRINT_SEED`);
  fc.assert(
    fc.property(STRUCTURE, TIES, fc.nat(), (value, ties, choice) => {
      const original = tied(structuredClone(value), ties);
      const fingerprint = Fingerprint.of(original, DEEP);
      assert.equal(fingerprint.isComplete, true);
      assert.equal(fingerprint.difference(original), undefined, 'itself');
      const clone = structuredClone(original);
      assert.equal(fingerprint.difference(clone), undefined, 'a clone');
      const changes = changesOf(clone);
      changes[choice % changes.length]!(Symbol('change'));
      assert.notEqual(fingerprint.difference(clone), undefined, 'a changed clone');
      assert.equal(fingerprint.difference(original), undefined, 'itself, still');
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

test('whatever is compared, with whatever limits, nothing throws and no value gets into a path', (t) => {
  t.diagnostic(`seed ${SEED}, repeat with SOPHIA_FINGERPRINT_SEED`);
  const secret = fc.string({ minLength: 1, maxLength: 20 }).map((text) => `§${text}`);
  const values = fc.object({
    key: fc.string({ maxLength: 5 }).map((key) => key.replaceAll('§', '')),
    values: [secret],
    withMap: true,
    withSet: true,
  });
  const limits = fc.record({ depth: fc.nat(4), nodes: fc.nat(30) });
  fc.assert(
    fc.property(values, values, fc.array(fc.tuple(secret, values)), limits, (one, other, entries, limits) => {
      const path = Fingerprint.of({ one, map: new Map(entries) }, limits).difference({ one: other, map: new Map() });
      assert.doesNotMatch(path ?? '', /§/);
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
