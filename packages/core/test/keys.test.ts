/** Keys: borrowers whose configs mean the same resources share them, all others never meet them. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';
import { EVENT_NAMES } from '../src/events.ts';
import { ConfigKeys } from '../src/settings/config-keys.ts';
import { measureMemory } from '@sophia-ai/core/node';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, desk, keyedClass, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { TestAgent } from './support/agents.ts';

/** The canonical text of a config that is its own key. */
function textOf(config: unknown): string {
  return new ConfigKeys(agentClass({ key: (given: object) => given })).read(config).text;
}

test('the order of fields does not matter; kinds, names and places of values do', () => {
  assert.equal(textOf({ a: 1, b: { c: [1, 'x'], d: null } }), textOf({ b: { d: null, c: [1, 'x'] }, a: 1 }));
  const distinct = [
    { a: 1 },
    { a: '1' },
    { a: 1n },
    { a: 'number:1' },
    { a: '"1"' },
    { a: [1] },
    { a: { 0: 1 } },
    { a: null },
    { a: 'null' },
    { a: true },
    { a: 'true' },
    { a: [] },
    { a: {} },
    { a: ['x', 'y'] },
    { a: ['y', 'x'] },
    { a: ['x,y'] },
    { a: 1, b: 2 },
    { 'a":number:1,"b': 2 },
    { A: 1 },
    {},
  ];
  assert.equal(new Set(distinct.map(textOf)).size, distinct.length);
});

test('two keys are one key exactly when they are deeply equal', (t) => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  // Negative zero is zero to JSON, and to a key.
  const plain = (given: unknown): unknown => JSON.parse(JSON.stringify(given));
  const holds = fc.property(value, value, (one, other) => {
    const isSame = isDeepStrictEqual(plain(one), plain(other));
    assert.equal(textOf({ key: one }) === textOf({ key: other }), isSame);
    assert.equal(textOf({ key: one }), textOf({ key: structuredClone(one) }));
  });
  fc.assert(holds, { seed, numRuns: 500 });
});

test('the same key meets the same entry, another key never does', async () => {
  const { optimizer } = desk();
  const { Keyed, made } = keyedClass();
  for (const [account, expected] of [
    ['ada', 1],
    ['bob', 2],
    ['ada', 1],
    [1, 3],
    ['1', 4],
    [1, 3],
  ] as const) {
    using agent = await optimizer.pooled(Keyed, { account });
    assert.deepEqual([agent.resources.id, agent.resources.notes], [expected, [String(account)]]);
  }
  assert.deepEqual(made, ['ada', 'bob', 1, '1']);
  assert.equal(snapshotOf(optimizer).keys?.count, 4);
});

test('create gets a copy: what anyone does to config or key later reaches no other creation', async () => {
  const { optimizer } = desk();
  const config = { scope: { name: 'mail', rights: ['read'] } };
  const seen: string[] = [];
  const Keyed = agentClass({
    key: ({ scope }: typeof config) => ({ scope }),
    create: ({ key }) => {
      seen.push(JSON.stringify(key));
      const { scope } = key as typeof config;
      assert.notEqual(scope, config.scope);
      // A frozen key may throw here; an open one must be a copy.
      Reflect.set(scope, 'name', 'changed by create');
      Reflect.set(scope.rights, 1, 'write');
      return { id: seen.length };
    },
  });
  const first = watch(optimizer.pooled(Keyed, config));
  config.scope.name = 'changed by its owner';
  await settle();
  valueOf(first);
  const same = { scope: { name: 'mail', rights: ['read'] } };
  await optimizer.pooled(Keyed, same);
  assert.deepEqual(seen, [JSON.stringify(same), JSON.stringify(same)]);
});

test('a config object that its owner reuses for another account meets only entries of that account', async () => {
  const { optimizer } = desk();
  const { Keyed } = keyedClass();
  const config = { account: 'ada' };
  (await optimizer.pooled(Keyed, config)).release();
  config.account = 'bob';
  const agent = await optimizer.pooled(Keyed, config);
  assert.deepEqual(agent.resources.notes, ['bob']);
});

class Account {
  readonly name = 'sk-secret';
}

const cyclic: Record<string, unknown> = {};
cyclic['inner'] = { again: cyclic };

const UNUSABLE: Record<string, () => unknown> = {
  nothing: () => undefined,
  null: () => null,
  text: () => 'sk-secret',
  'a number': () => 5,
  'a function': () => () => 'sk-secret',
  'an array': () => ['sk-secret'],
  'a promise': () => Promise.resolve({ account: 'sk-secret' }),
  'a class instance': () => new Account(),
  'a map': () => new Map([['account', 'sk-secret']]),
  'an instance inside': () => ({ a: { account: new Account() } }),
  'a date inside': () => ({ since: new Date() }),
  'a function inside': () => ({ a: { f: () => 'sk-secret' } }),
  'a symbol inside': () => ({ a: Symbol('sk-secret') }),
  'a cycle': () => cyclic,
  'a getter that throws': () => ({
    get account() {
      throw new Error('sk-secret');
    },
  }),
  'a throw': () => {
    throw new Error('no account in sk-secret');
  },
  'a throw of text': () => {
    // oxlint-disable-next-line typescript/only-throw-error, no-throw-literal -- what users do
    throw 'sk-secret';
  },
};

for (const [name, key] of Object.entries(UNUSABLE)) {
  test(`KEY_INVALID: ${name} as key is refused, without a value in the message, and nothing is taken`, async () => {
    const { optimizer } = desk();
    const { Keyed, made } = keyedClass({ key: key as () => object });
    const refused = watch(optimizer.pooled(Keyed, { account: 'sk-secret' }));
    await settle();
    assert.equal(codeOf(refused), 'KEY_INVALID');
    const { message } = refused.error as Error;
    assert.ok(!message.includes('sk-secret'), message);
    assert.match(message, /'test'.*plain object.*nothing was taken/);
    assert.throws(() => optimizer.tryPooled(Keyed, { account: 1 }), coded('KEY_INVALID'));
    await assert.rejects(optimizer.prewarm(Keyed, { config: {} }), coded('KEY_INVALID'));
    const { counters, keys } = snapshotOf(optimizer);
    assert.deepEqual([made, keys?.count, counters.failures.KEY_INVALID], [[], 0, 2]);
  });
}

test('KEY_INVALID names the path of the fault', async () => {
  const { optimizer } = desk();
  const { Keyed } = keyedClass({ key: () => ({ login: { tokens: ['x', new Account()] } }) });
  await assert.rejects(optimizer.pooled(Keyed, {}), coded('KEY_INVALID', "'login.tokens.1'"));
});

test('no error, event, snapshot or holder shows the key', async () => {
  const { optimizer, clock } = desk();
  const secret = 'sk-very-secret';
  const told = record(optimizer, ...EVENT_NAMES);
  let isDown = false;
  const { Keyed } = keyedClass({
    pool: { max: 1, maxWaiting: 1, createAttempts: 1 },
    create: ({ log }) => {
      log('opening');
      if (isDown) throw new Error('refused');
      return { id: 1 };
    },
  });
  const holder = await optimizer.pooled(Keyed, { account: secret });
  const late = watch(optimizer.pooled(Keyed, { account: secret }, { waitMs: 10 }));
  const full = watch(optimizer.pooled(Keyed, { account: `${secret}-2` }));
  const shown = [JSON.stringify(snapshotOf(optimizer))];
  await clock.advance(20);
  isDown = true;
  holder.discard();
  const failed = watch(optimizer.pooled(Keyed, { account: secret }));
  await settle();
  const again = watch(optimizer.pooled(Keyed, { account: secret }));
  await settle();
  const refused = [late, full, failed, again];
  assert.deepEqual(refused.map(codeOf), ['ACQUIRE_TIMEOUT', 'QUEUE_FULL', 'CREATE_FAILED', 'CREATE_FAILED']);
  for (const { error } of refused) {
    shown.push(String((error as Error).stack), JSON.stringify(error));
  }
  shown.push(JSON.stringify(told), JSON.stringify(snapshotOf(optimizer)));
  assert.match(shown[0] as string, /"busiest":\[\{"name":"key-1"/);
  for (const text of shown) assert.ok(!text.includes(secret), text);
});

test('a borrower of one key is not told the creation error of another key', async () => {
  const { optimizer, clock } = desk();
  const { Keyed } = keyedClass({
    pool: { max: 1, createAttempts: 1_000 },
    create: ({ key }) => {
      const { account } = key as { account: string };
      if (account === 'ada') throw new Error("ada's password has expired");
      return { id: 1 };
    },
  });
  watch(optimizer.pooled(Keyed, { account: 'ada' }));
  await settle();
  await optimizer.pooled(Keyed, { account: 'bob' });
  const bob = watch(optimizer.pooled(Keyed, { account: 'bob' }, { waitMs: 10 }));
  await clock.advance(10);
  assert.equal(codeOf(bob), 'ACQUIRE_TIMEOUT');
  const { facts, cause } = bob.error as { facts: { lastCreateError: unknown }; cause: unknown };
  assert.deepEqual([facts.lastCreateError, cause], [null, undefined]);
});

test('tryPooled takes a free entry of its own key only, and creates nothing', async () => {
  const { optimizer } = desk();
  const { Keyed, made } = keyedClass();
  (await optimizer.pooled(Keyed, { account: 'ada' })).release();
  assert.equal(optimizer.tryPooled(Keyed, { account: 'bob' }), undefined);
  assert.equal(optimizer.tryPooled(Keyed, { account: 'ada' })?.resources.id, 1);
  await settle();
  assert.deepEqual(made, ['ada']);
});

test('shared: one entry per key serves many leases; max counts the leases of all keys', async () => {
  const { optimizer } = desk();
  const { Keyed, made } = keyedClass({ pool: { reuse: 'shared', max: 4 } });
  const agents: TestAgent[] = [];
  for (const account of ['ada', 'bob', 'ada', 'bob']) agents.push(await optimizer.pooled(Keyed, { account }));
  assert.deepEqual(
    agents.map(({ resources }) => resources.notes?.[0]),
    ['ada', 'bob', 'ada', 'bob'],
  );
  assert.deepEqual(made, ['ada', 'bob']);
  const fifth = watch(optimizer.pooled(Keyed, { account: 'cleo' }));
  await settle();
  assert.equal(fifth.state, 'pending');
  agents[1]?.release();
  await settle();
  assert.deepEqual(valueOf(fifth).resources.notes, ['cleo']);
});

test('single-use: each borrower gets an entry of its own key, used once', async () => {
  const { optimizer } = desk();
  const { Keyed, made } = keyedClass({ pool: { reuse: 'single-use', max: 2 } });
  for (const account of ['ada', 'ada', 'bob']) {
    using agent = await optimizer.pooled(Keyed, { account });
    assert.deepEqual(agent.resources.notes, [account]);
  }
  await settle();
  assert.deepEqual(made, ['ada', 'ada', 'bob']);
  assert.equal(snapshotOf(optimizer).keys?.count, 0, 'nothing is kept for a key that nobody asks for');
});

test('minIdle is refused with a key, prewarm needs a config, prewarmAll and readiness leave keyed types out', async () => {
  const { optimizer } = desk();
  const { Keyed: Floor } = keyedClass({ type: 'floor', pool: { minIdle: 1 } });
  assert.throws(() => optimizer.register(Floor), coded('OPTION_INVALID', "'minIdle'", 'static key'));
  const { Keyed, made } = keyedClass({ type: 'keyed', pool: { max: 3 } });
  const Plain = agentClass({ type: 'plain', pool: { max: 1 } });
  optimizer.register(Keyed);
  optimizer.register(Plain);
  assert.deepEqual(optimizer.notReady(), ['plain']);
  const ready = watch(optimizer.whenReady());
  await assert.rejects(optimizer.prewarm(Keyed), coded('ARGUMENT_INVALID', '{ config }'));
  const reports = await optimizer.prewarmAll();
  assert.deepEqual([reports.map(({ type }) => type), made], [['plain'], []]);
  await settle();
  valueOf(ready);
  const report = await optimizer.prewarm(Keyed, { config: { account: 'ada' }, count: 2 });
  assert.deepEqual([report.created, report.failed, made], [2, 0, ['ada', 'ada']]);
  assert.equal(optimizer.tryPooled(Keyed, { account: 'ada' })?.resources.id, 2);
});

test('measureMemory creates with the key of its config', async () => {
  const { optimizer } = desk();
  const keys = new Set<string>();
  const { Keyed } = keyedClass({
    create: ({ key }) => {
      keys.add(JSON.stringify(key));
      return { id: 1, notes: Array.from({ length: 10_000 }, (_, index) => `${index}`) };
    },
  });
  optimizer.register(Keyed);
  const figures = await measureMemory(optimizer, Keyed, { config: { account: 'ada' }, agents: 1_000, rounds: 3 });
  assert.deepEqual([...keys], ['{"account":"ada"}']);
  assert.ok((figures.entryKib as number) > 10);
});
