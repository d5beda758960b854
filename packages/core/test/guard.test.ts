/** Through a guard everything works as without it, until it is revoked; then nothing works that was reached through it. */

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { inspect } from 'node:util';

import fc from 'fast-check';

import { guard, unguarded } from '../src/safety/guard.ts';

const SEED = Number(process.env['SOPHIA_GUARD_SEED'] ?? Date.now() & 0x7fff_ffff);

class Refused extends Error {}
const refuse = (attempt: string): Error => new Refused(`tried to ${attempt}`);

function guarded<Value>(value: Value): { it: Value; revoke: () => void } {
  const guarding = guard(value, refuse);
  return { it: guarding.value as Value, revoke: () => guarding.revoke() };
}

/** That `work` is refused, and how. */
function refuses(work: () => unknown, attempt: string | RegExp): void {
  const message = typeof attempt === 'string' ? `tried to ${attempt}` : attempt;
  assert.throws(work, (error) => {
    assert.ok(error instanceof Refused, String(error));
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

class Account {
  static readonly kind = 'account';
  #balance = 0;
  readonly history: { amount: number }[] = [];
  get balance(): number {
    return this.#balance;
  }
  set balance(value: number) {
    this.#balance = value;
  }
  deposit(amount: number): this {
    this.#balance += amount;
    this.history.push({ amount });
    return this;
  }
  isSame(other: unknown): boolean {
    return other === this;
  }
  report(): { balance: number } {
    return { balance: this.#balance };
  }
  static open(): Account {
    return new Account();
  }
}

test('primitives are returned as they are, and nothing is to be revoked', () => {
  for (const value of [1, 'a', undefined, null, true, 1n, Symbol.iterator]) {
    const { it, revoke } = guarded(value);
    assert.equal(it, value);
    revoke();
  }
});

test('private fields, getters, setters and fluent methods work', () => {
  const account = new Account();
  const { it } = guarded({ account });
  assert.equal(it.account.deposit(5), it.account);
  assert.equal(it.account.deposit(5).deposit(1).balance, 11);
  it.account.balance = 3;
  assert.equal(account.balance, 3);
  assert.equal(it.account.isSame(it.account), true, 'arguments are unwrapped');
  assert.deepEqual(it.account.report(), { balance: 3 });
  assert.equal(it.account.history[2]?.amount, 1);
  assert.ok(it.account instanceof Account);
  assert.equal(it.account.constructor, Account);
});

test('the same object is always the same proxy, also where it is part of a cycle', () => {
  const node: { self?: unknown; list?: unknown[] } = {};
  node.self = node;
  node.list = [node];
  const { it } = guarded(node);
  assert.equal(it.self, it);
  assert.equal(it.list?.[0], it);
  assert.equal(it.list, it.list);
  assert.notEqual(it, node);
});

test('writes reach the resources, and bring no proxy into them', () => {
  const resources: { inner: { n: number }; copy?: unknown; list: unknown[] } = { inner: { n: 1 }, list: [] };
  const { it } = guarded(resources);
  it.copy = it.inner;
  it.list.push(it.inner);
  it.list[1] = it.inner;
  Object.defineProperty(it, 'defined', { value: it.inner, configurable: true });
  assert.equal(resources.copy, resources.inner);
  assert.deepEqual(
    resources.list.map((one) => one === resources.inner),
    [true, true],
  );
  assert.equal(Reflect.get(resources, 'defined'), resources.inner);
  assert.equal(it.copy, it.inner);
  delete it.copy;
  assert.equal('copy' in resources, false);
});

test('an object that inherits from a guarded one gets its own properties', () => {
  const resources = { n: 1 };
  const { it } = guarded(resources);
  const child = Object.create(it) as typeof resources;
  child.n = 2;
  assert.equal(resources.n, 1);
  assert.equal(Object.hasOwn(child, 'n'), true);
});

test('frozen objects and fixed properties can be read in every way', () => {
  const config = Object.freeze({ url: 'x', nested: Object.freeze({ deep: 1 }), list: Object.freeze([{ a: 1 }, 2]) });
  const { it } = guarded({ config });
  assert.equal(it.config.nested.deep, 1);
  assert.deepEqual(Object.keys(it.config), ['url', 'nested', 'list']);
  assert.equal(JSON.stringify(it), JSON.stringify({ config }));
  assert.deepEqual({ ...it.config.nested }, { deep: 1 });
  assert.deepEqual(Object.entries(it.config.nested), [['deep', 1]]);
  assert.equal('url' in it.config, true);
  assert.equal(Object.hasOwn(it.config, 'url'), true);
  assert.equal(Object.getOwnPropertyDescriptor(it.config, 'url')?.value, 'x');
  assert.equal(Object.getOwnPropertyDescriptor(it.config, 'none'), undefined);
  assert.equal(Object.getOwnPropertyDescriptor(it.config.list, 'length')?.value, 2);
  assert.equal(it.config.list.length, 2);
  assert.deepEqual([...it.config.list].length, 2);
  assert.throws(() => Object.assign(it.config, { url: 'y' }), TypeError);
  assert.throws(() => (it.config.list as unknown[]).push(3), TypeError);
  assert.throws(() => Reflect.deleteProperty(it.config, 'url') || assert.fail(new TypeError('kept')), TypeError);
  assert.equal(config.url, 'x');
});

test('a borrower cannot freeze the resources or fix a property in them', () => {
  const resources = { list: [1] };
  const { it } = guarded(resources);
  assert.throws(() => Object.freeze(it), TypeError);
  assert.throws(() => Object.seal(it.list), TypeError);
  assert.throws(() => Object.defineProperty(it, 'x', { value: 1, configurable: false }), TypeError);
  assert.equal(Object.isExtensible(it), true);
  assert.equal(Object.isFrozen(resources), false);
  assert.equal('x' in resources, false);
});

test('arrays are arrays, and whatever comes out of them is guarded', () => {
  const list = [{ n: 3 }, { n: 1 }, { n: 2 }];
  const { it, revoke } = guarded({ list });
  assert.equal(Array.isArray(it.list), true);
  assert.equal(Object.getPrototypeOf(it.list), Array.prototype);
  const [first] = it.list;
  assert.equal(first, it.list[0]);
  assert.equal(it.list.includes(first!), true);
  assert.equal(it.list.indexOf(it.list[2]!), 2);
  assert.deepEqual(
    it.list.map(({ n }) => n),
    [3, 1, 2],
  );
  let sum = 0;
  for (const { n } of it.list) sum += n;
  assert.equal(sum, 6);
  it.list.sort((a, b) => a.n - b.n);
  assert.deepEqual(list, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  it.list.push({ n: 4 });
  it.list.shift();
  it.list.splice(0, 1);
  assert.deepEqual(list, [{ n: 3 }, { n: 4 }]);
  assert.equal(it.list.concat([{ n: 5 }]).length, 3);
  assert.equal([...it.list, 1].length, 3);
  assert.equal(Math.max(...it.list.map(({ n }) => n)), 4);
  it.list.length = 1;
  assert.equal(list.length, 1);
  const found = it.list.find(({ n }) => n === 3);
  const map = Reflect.get(it.list, 'map') as typeof it.list.map;
  revoke();
  refuses(() => found?.n, "read 'n' of its resources");
  refuses(() => map.call(it, String), /^tried to /);
});

test('Maps and Sets work, and what they hold is guarded', () => {
  const key = { id: 1 };
  const { it, revoke } = guarded({
    logins: new Map<unknown, { user: string }>([
      ['a', { user: 'none' }],
      [key, { user: 'key' }],
    ]),
    tags: new Set([key]),
  });
  const { logins, tags } = it;
  assert.equal(logins.size, 2);
  assert.equal(logins.get('a')?.user, 'none');
  assert.equal(logins.set('b', { user: 'b' }), logins);
  assert.equal(logins.has('b'), true);
  assert.equal(logins.delete('b'), true);
  assert.deepEqual(
    [...logins].map(([, { user }]) => user),
    ['none', 'key'],
  );
  assert.deepEqual([...new Map(logins).keys()].length, 2);
  const [tag] = tags;
  assert.equal(tags.has(tag!), true, 'a guarded key is found');
  assert.equal(logins.get(tag)?.user, 'key');
  const users: string[] = [];
  // oxlint-disable-next-line unicorn/no-array-for-each
  logins.forEach(({ user }) => users.push(user));
  assert.deepEqual(users, ['none', 'key']);
  const held = logins.get('a')!;
  const [looped] = logins.values();
  assert.equal(looped, held);
  const iterator = logins.entries();
  revoke();
  refuses(() => held.user, "read 'user' of its resources");
  refuses(() => tag?.id, "read 'id' of its resources");
  refuses(() => iterator.next(), /^tried to /);
  refuses(() => logins.size, "read 'size' of its resources");
});

test('built-in classes with inner state work', async () => {
  const at = new Date(5);
  const url = new URL('https://a.example/x');
  const controller = new AbortController();
  const pattern = /a(b)/g;
  const weak = new WeakMap<object, number>([[at, 1]]);
  const { it } = guarded({ at, url, controller, pattern, weak, text: new TextDecoder(), ready: Promise.resolve(7) });
  assert.equal(it.at.getTime(), 5);
  assert.equal(Number(it.at), 5);
  assert.equal(`${it.at.toISOString()}`, '1970-01-01T00:00:00.005Z');
  assert.equal(JSON.stringify({ at: it.at }), JSON.stringify({ at }));
  assert.equal(it.url.hostname, 'a.example');
  assert.equal(String(it.url), 'https://a.example/x');
  it.url.searchParams.set('q', '1');
  assert.equal(url.search, '?q=1');
  assert.equal(it.controller.signal.aborted, false);
  it.controller.abort();
  assert.equal(controller.signal.aborted, true);
  assert.equal('xab'.replace(it.pattern, '$1'), 'xb');
  assert.equal(it.pattern.exec('ab')?.[1], 'b');
  assert.equal(it.weak.get(it.at), 1);
  assert.equal(it.text.decode(new Uint8Array([97])), 'a');
  assert.equal(await it.ready, 7);
  assert.deepEqual(await Promise.all([it.ready, it.ready]), [7, 7]);
  assert.equal(await it.ready.then((n) => n + 1), 8);
});

test('binary data comes as it is, since built-in functions take no proxy for it', () => {
  const buffer = Buffer.from('abc');
  const { it } = guarded({
    buffer,
    raw: new ArrayBuffer(2),
    shared: new SharedArrayBuffer(3),
    view: new DataView(new ArrayBuffer(4)),
  });
  assert.equal(it.buffer, buffer);
  assert.equal(Buffer.concat([it.buffer, it.buffer]).toString(), 'abcabc');
  assert.equal(new Uint8Array(it.raw).length, 2);
  assert.equal(new Uint8Array(it.shared).length, 3);
  assert.equal(it.view.getInt8(0), 0);
  assert.equal(guarded(buffer).it, buffer);
});

test('an EventEmitter works', async () => {
  class Client extends EventEmitter {
    #calls = 0;
    call(): number {
      this.#calls += 1;
      this.emit('called', this.#calls);
      return this.#calls;
    }
  }
  const client = new Client();
  const { it, revoke } = guarded({ client });
  const heard: number[] = [];
  const listener = (n: number) => heard.push(n);
  assert.equal(it.client.on('called', listener), it.client);
  it.client.call();
  assert.deepEqual(heard, [1]);
  it.client.off('called', listener);
  assert.equal(client.listenerCount('called'), 0);
  const next = once(it.client, 'called');
  it.client.call();
  assert.deepEqual(await next, [2]);
  revoke();
  refuses(() => it.client.call(), "read 'client' of its resources");
});

test('asynchronous methods, generators and a thenable work', async () => {
  class Model {
    #answer = 'yes';
    async ask(): Promise<string> {
      await Promise.resolve();
      return this.#answer;
    }
    async *tokens(): AsyncGenerator<string> {
      yield* this.#answer;
    }
    static answer(model: Model): string {
      return model.#answer;
    }
  }
  Reflect.set(Model.prototype, 'then', function (this: Model, resolve: (answer: string) => void): void {
    resolve(Model.answer(this));
  });
  const { it } = guarded({ model: new Model() });
  assert.equal(await it.model.ask(), 'yes');
  const tokens: string[] = [];
  for await (const token of it.model.tokens()) tokens.push(token);
  assert.deepEqual(tokens, ['y', 'e', 's']);
  assert.equal(await Promise.resolve(it.model as unknown), 'yes');
});

test('a guarded class can be constructed, extended, asked for instances and read', () => {
  const { it, revoke } = guarded({ Account });
  const account = new it.Account();
  assert.equal(account.deposit(2).balance, 2);
  assert.ok(account instanceof it.Account);
  assert.ok(account instanceof Account);
  assert.equal(it.Account.kind, 'account');
  assert.equal(it.Account.open().balance, 0);
  assert.equal(it.Account.name, 'Account');
  class Savings extends it.Account {
    rate = 2;
  }
  const savings = new Savings();
  assert.equal(savings.deposit(3).balance, 3);
  assert.ok(savings instanceof Savings);
  assert.throws(() => Reflect.apply(it.Account, undefined, []), /Class constructor/);
  const Extracted = it.Account;
  revoke();
  refuses(() => new Extracted(), "construct 'Account' of its resources");
  assert.equal(account.balance, 2, 'what a borrower constructed is theirs');
});

test('functions keep their nature and the properties they carry', () => {
  const run = Object.assign((a: number, b: number) => a + b, { defaults: { timeout: 5 } });
  const { it } = guarded({ run });
  assert.equal(typeof it.run, 'function');
  assert.equal(it.run(1, 2), 3);
  assert.equal(it.run.defaults.timeout, 5);
  assert.equal(it.run.length, 2);
  assert.equal(it.run.call(undefined, 1, 2), 3);
  assert.equal(it.run.apply(undefined, [1, 2]), 3);
  assert.deepEqual(Object.keys(it.run), ['defaults']);
  assert.throws(() => Reflect.construct(it.run, []), TypeError);
  assert.equal(guarded(run).it(3, 4), 7);
});

test('what a method returns stays usable after the lease, unless it is a part that was handed out before', () => {
  const login = { id: 1 };
  const { it, revoke } = guarded({ login, query: () => ({ rows: [1] }), current: () => login });
  const result = it.query();
  const unknown = it.current();
  assert.equal(unknown, login);
  const known = it.login;
  assert.equal(it.current(), known);
  revoke();
  assert.deepEqual(result.rows, [1]);
  assert.equal(unknown.id, 1);
  refuses(() => known.id, "read 'id' of its resources");
});

test('methods that were extracted or bound before do not work after', () => {
  const { it, revoke } = guarded({ account: new Account(), query: (sql: string) => sql });
  const { query } = it;
  const deposit = Reflect.get(it.account, 'deposit') as Account['deposit'];
  const bound = it.account.deposit.bind(it.account);
  const call = Reflect.get(query, 'call') as () => void;
  assert.equal(query('a'), 'a');
  assert.equal(bound(1), it.account);
  assert.equal(deposit.call(it.account, 2).balance, 3);
  const account = it.account;
  revoke();
  refuses(() => query('a'), "call 'query' of its resources");
  refuses(() => bound(1), "call 'bind' of its resources");
  refuses(() => Reflect.apply(deposit, account, [1]), "call 'deposit' of its resources");
  refuses(() => Reflect.apply(deposit, new Account(), [1]), "call 'deposit' of its resources");
  refuses(() => Reflect.apply(call, query, []), /^tried to /);
});

test('after the lease every way to reach the resources is refused, with a fitting attempt', () => {
  const key = Symbol('key');
  const { it, revoke } = guarded<Record<PropertyKey, unknown>>({ a: { b: 1 }, [key]: 1 });
  const inner = it['a'];
  revoke();
  revoke();
  for (const one of [it, inner as Record<PropertyKey, unknown>]) {
    refuses(() => one['query'], "read 'query' of its resources");
    refuses(() => one[key], "read 'Symbol(key)' of its resources");
    refuses(() => (one['x'] = 1), "write 'x' of its resources");
    refuses(() => 'x' in one, "look up 'x' of its resources");
    refuses(() => delete one['x'], "delete 'x' of its resources");
    refuses(() => Object.keys(one), 'list its resources');
    refuses(() => ({ ...one }), 'list its resources');
    refuses(() => JSON.stringify(one), "read 'toJSON' of its resources");
    refuses(() => Object.getOwnPropertyDescriptor(one, 'a'), "read 'a' of its resources");
    refuses(() => Object.defineProperty(one, 'a', { value: 1 }), "define 'a' of its resources");
    refuses(() => Object.getPrototypeOf(one) as unknown, 'read the prototype of its resources');
    refuses(() => one instanceof Account, 'read the prototype of its resources');
    refuses(() => Object.setPrototypeOf(one, null) as unknown, 'change the prototype of its resources');
    refuses(() => Object.isExtensible(one), 'look at its resources');
    refuses(() => Object.preventExtensions(one), 'freeze its resources');
    refuses(() => `${one as unknown as string}`, "read 'Symbol(Symbol.toPrimitive)' of its resources");
  }
});

test('one guard does not open or shut another, not even for the same resources', () => {
  const resources = { account: new Account() };
  const first = guarded(resources);
  const second = guarded(resources);
  assert.notEqual(first.it, second.it);
  const kept = first.it.account;
  first.revoke();
  assert.equal(second.it.account.deposit(1).balance, 1);
  assert.equal(second.it.account.isSame(kept), false, 'an ended lease is not opened by passing its proxy on');
  refuses(() => kept.balance, "read 'balance' of its resources");
});

test('a proxy that got into the resources inside of something is handed out once, not twice', () => {
  const resources: { inner: { n: number }; box?: { inner: { n: number } } } = { inner: { n: 1 } };
  const { it } = guarded(resources);
  it.box = { inner: it.inner };
  assert.equal(it.box.inner, it.inner);
});

test('unguarded gives the object behind a proxy, also a revoked one, and anything else as it is', () => {
  const resources = { inner: {}, run: () => 1 };
  const { it, revoke } = guarded(resources);
  const { inner, run } = it;
  revoke();
  assert.equal(unguarded(it), resources);
  assert.equal(unguarded(inner), resources.inner);
  assert.equal(unguarded(run), resources.run);
  assert.equal(unguarded(resources), resources);
  for (const value of [1, 'a', undefined, null, Symbol.iterator]) assert.equal(unguarded(value), value);
});

test('a revoked proxy among the resources is handed through', () => {
  const { proxy, revoke } = Proxy.revocable<unknown[]>([], {});
  revoke();
  const { it } = guarded({ proxy, n: 1 });
  assert.equal(it.proxy, proxy);
  assert.equal(it.n, 1);
});

test('an error of the resources passes unchanged', () => {
  const error = new Error('down');
  const { it } = guarded({
    fail: () => {
      throw error;
    },
    get broken(): number {
      throw error;
    },
  });
  assert.throws(() => it.fail(), error);
  assert.throws(() => it.broken, error);
});

test('the console shows what is behind, until the lease ends', () => {
  const { it, revoke } = guarded({ list: [{ n: 1 }], account: new Account() });
  assert.equal(inspect(it), inspect({ list: [{ n: 1 }], account: new Account() }));
  assert.equal(inspect(it.list), '[ { n: 1 } ]');
  const { list } = it;
  revoke();
  assert.equal(inspect(list), '[lease ended]');
});

test('a getter that is read through its descriptor runs on the real object', () => {
  const own = guarded(Object.defineProperty(new Account(), 'twice', { get: (): number => 2, configurable: true }));
  const twice = Reflect.get(Object.getOwnPropertyDescriptor(own.it, 'twice')!, 'get') as () => number;
  assert.equal(twice(), 2);
  own.revoke();
  refuses(twice, "call 'twice' of its resources");
});

test('whatever the resources are made of, they read the same through a guard', (t) => {
  t.diagnostic(`seed ${SEED}, repeat with SOPHIA_GUARD_SEED`);
  const freeze = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    for (const part of Object.values(value)) freeze(part);
    return Object.freeze(value);
  };
  const value = fc.object({ withNullPrototype: true, withSparseArray: true, withDate: true, withBigInt: false });
  fc.assert(
    fc.property(value, fc.boolean(), (resources, frozen) => {
      if (frozen) freeze(resources);
      const { it } = guarded(resources);
      const copy = (part: unknown): unknown => {
        if (typeof part !== 'object' || part === null) return part;
        if (part instanceof Date) return new Date(part.getTime());
        const made: object = Array.isArray(part)
          ? Array.from({ length: part.length })
          : (Object.create(Object.getPrototypeOf(part) as object | null) as object);
        if (Array.isArray(made)) made.length = 0;
        for (const key of Reflect.ownKeys(part)) {
          const { value } = Object.getOwnPropertyDescriptor(part, key)!;
          if (key === 'length' && Array.isArray(made)) made.length = value as number;
          else
            Object.defineProperty(made, key, {
              value: copy(value),
              enumerable: true,
              writable: true,
              configurable: true,
            });
        }
        return made;
      };
      assert.deepStrictEqual(copy(it), copy(resources));
      assert.deepStrictEqual(copy({ ...it }), copy({ ...resources }));
    }),
    { seed: SEED, numRuns: 200 },
  );
});
