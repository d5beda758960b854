/** Wrong input to any public function: a typed error that says what is allowed, and nothing is lost. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { AgnoPerformanceOptimizer, SophiaError } from '@sophia-ai/core';
import { measureMemory, publishDiagnostics } from '@sophia-ai/core/node';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, coded, desk, schema, snapshotOf } from './support/agents.ts';

const JUNK_OPTIONS: unknown[] = [
  null,
  5,
  'soon',
  [],
  { waitMs: -1 },
  { waitMs: '5' },
  { waitMs: Number.NaN },
  { waitMs: Number.POSITIVE_INFINITY },
  { waitMs: 7 * 24 * 3_600_000 + 1 },
  { signal: 5 },
  { signal: null },
  { signal: {} },
  { signal: new AbortController() },
  { owner: 5 },
  { owner: 'x'.repeat(201) },
  { timeoutMs: 5 },
  { tennant: 'typo' },
];

test('pooled, tryPooled and use refuse wrong options, take nothing and count the refusal', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  await optimizer.prewarm(Support, { count: 1 });
  for (const options of JUNK_OPTIONS) {
    const shown = JSON.stringify(options);
    await assert.rejects(optimizer.pooled(Support, undefined, options as never), coded('ARGUMENT_INVALID'), shown);
    assert.throws(() => optimizer.tryPooled(Support, undefined, options as never), coded('ARGUMENT_INVALID'), shown);
    await assert.rejects(
      optimizer.use(Support, undefined, () => assert.fail('must not work'), options as never),
      coded('ARGUMENT_INVALID'),
    );
  }
  const { idle, leased, counters } = snapshotOf(optimizer);
  assert.deepEqual([idle, leased, counters.handOuts], [1, 0, 0]);
  assert.equal(counters.failures.ARGUMENT_INVALID, 3 * JUNK_OPTIONS.length);
});

test('allowed at the edge: the longest owner and wait, and undefined for "not given"', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 3 } });
  await optimizer.pooled(Support, undefined, { owner: 'x'.repeat(200), waitMs: 7 * 24 * 3_600_000 });
  await optimizer.pooled(Support, undefined, { owner: undefined, waitMs: undefined, signal: undefined });
  await optimizer.pooled(Support, undefined, undefined);
});

test('what is no agent class is refused by whatever takes one; pooled rejects and does not throw', async () => {
  const { optimizer } = desk();
  for (const junk of [undefined, null, 5, 'support', {}, class {}]) {
    await assert.rejects(optimizer.pooled(junk as never), coded('ARGUMENT_INVALID'));
    await assert.rejects(
      optimizer.use(junk as never, undefined as never, () => 1),
      coded('ARGUMENT_INVALID'),
    );
    await assert.rejects(optimizer.prewarm(junk as never), coded('ARGUMENT_INVALID'));
    assert.throws(() => optimizer.tryPooled(junk as never), coded('ARGUMENT_INVALID'));
    assert.throws(() => optimizer.register(junk as never), coded('ARGUMENT_INVALID'));
    assert.throws(() => optimizer.reuseOf(junk as never), coded('TYPE_UNKNOWN'));
    assert.throws(() => optimizer.resize(junk as never, 1), coded('TYPE_UNKNOWN'));
    assert.throws(() => optimizer.setMemory(junk as never, {} as never), coded('TYPE_UNKNOWN'));
  }
  assert.deepEqual(optimizer.snapshot(), []);
});

test('use refuses work that is no function before it takes anything', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  for (const work of [undefined, null, 5, {}, Promise.resolve()]) {
    await assert.rejects(optimizer.use(Support, undefined, work as never), coded('ARGUMENT_INVALID', 'a function'));
    await assert.rejects(Support.use(undefined, work as never), coded('ARGUMENT_INVALID', 'a function'));
  }
  assert.equal(optimizer.snapshot()[0]?.counters.handOuts ?? 0, 0);
});

test('run and stream refuse wrong options and run nothing', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ execute: () => assert.fail('must not run') });
  const agent = await optimizer.pooled(Support);
  for (const options of [null, 5, [], { timeoutMs: 0 }, { timeoutMs: '5' }, { signal: 5 }, { waitMs: 5 }]) {
    await assert.rejects(agent.run(1, options as never), coded('ARGUMENT_INVALID'));
    assert.throws(() => agent.stream(1, options as never), coded('ARGUMENT_INVALID'));
  }
  agent.release();
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('prewarm refuses wrong options and makes nothing', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  optimizer.register(Support);
  const wrong = [null, 5, [], { count: 0 }, { count: 1.5 }, { parallel: 0 }, { timeoutMs: 0 }, { counts: 3 }];
  for (const options of wrong) {
    await assert.rejects(optimizer.prewarm(Support, options as never), coded('ARGUMENT_INVALID'));
    await assert.rejects(optimizer.prewarmAll(options as never), coded('ARGUMENT_INVALID'));
  }
  assert.equal(snapshotOf(optimizer).counters.created, 0);
});

test('drain and close refuse wrong options and change nothing', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  optimizer.register(Support);
  for (const options of [
    null,
    5,
    'x',
    [],
    { timeoutMs: -1 },
    { timeoutMs: Number.NaN },
    { timeoutMs: '5' },
    { timeout: 5 },
  ]) {
    await assert.rejects(optimizer.drain(options as never), coded('ARGUMENT_INVALID'));
    await assert.rejects(optimizer.close(options as never), coded('ARGUMENT_INVALID'));
  }
  assert.equal(snapshotOf(optimizer).state, 'running');
  (await optimizer.pooled(Support)).release();
});

test('snapshot takes whole milliseconds up to an hour, or Infinity', () => {
  const { optimizer } = desk();
  for (const windowMs of [1, 3_600_000, Number.POSITIVE_INFINITY, undefined]) optimizer.snapshot(windowMs);
  for (const windowMs of [0, -1, 0.5, 3_600_001, Number.NaN, '5', null, {}]) {
    assert.throws(() => optimizer.snapshot(windowMs as never), coded('ARGUMENT_INVALID', '3,600,000'));
  }
});

test('on refuses unknown events and listeners that are no functions', () => {
  const { optimizer } = desk();
  for (const name of ['lease.aquired', '', 5, undefined, null, 'constructor']) {
    assert.throws(() => optimizer.on(name as never, () => undefined), coded('ARGUMENT_INVALID', 'lease.acquired'));
  }
  for (const listener of [undefined, null, 5, 'x', {}]) {
    assert.throws(() => optimizer.on('lease.acquired', listener as never), coded('ARGUMENT_INVALID', 'a function'));
  }
});

test('measureMemory refuses wrong options and unknown classes', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  await assert.rejects(measureMemory(optimizer, Support), coded('TYPE_UNKNOWN'));
  optimizer.register(Support);
  for (const options of [null, 5, { agents: 999 }, { agents: 1.5 }, { rounds: 2 }, { rounds: 100 }, { round: 3 }]) {
    await assert.rejects(measureMemory(optimizer, Support, options as never), coded('ARGUMENT_INVALID'));
  }
});

test('publishDiagnostics twice and ended twice is harmless', async () => {
  const { optimizer } = desk();
  const ends = [publishDiagnostics(optimizer), publishDiagnostics(optimizer)];
  (await optimizer.pooled(agentClass())).release();
  for (const end of [...ends, ...ends]) end();
});

test('a config that its schema refuses takes nothing; an asynchronous config schema is named as the mistake', async () => {
  const { optimizer } = desk();
  let asked = 0;
  const config = schema(
    (value) => {
      asked += 1;
      if (typeof value !== 'object') throw new Error('must be an object');
      return { ...(value as object), checked: true };
    },
    { path: ['tenant'] },
  );
  const Support = agentClass({ config });
  await assert.rejects(optimizer.pooled(Support, 'x'), coded('CONFIG_INVALID', "'test'", 'tenant: must be an object'));
  assert.throws(() => optimizer.tryPooled(Support, 'x'), coded('CONFIG_INVALID'));
  assert.equal(snapshotOf(optimizer).counters.created, 0);
  const given = { tenant: 'acme' };
  asked = 0;
  for (let use = 0; use < 3; use += 1) {
    const agent = await optimizer.pooled(Support, given);
    assert.deepEqual(agent.config, { tenant: 'acme', checked: true });
    agent.release();
  }
  assert.equal(asked, 1, 'checked once per config object');
  const Slow = agentClass({ type: 'slow', config: schema((value) => value, { isAsync: true }) });
  await assert.rejects(optimizer.pooled(Slow, {}), coded('HOOK_INVALID', 'asynchronously'));
  await settle();
});

test('messages show what was given in few words, never a whole document', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  const long = 'secret'.repeat(100_000);
  const error = await optimizer.pooled(Support, undefined, { owner: long }).catch((reason: unknown) => reason);
  assert.ok(error instanceof SophiaError);
  assert.ok(error.message.length < 300);
  assert.ok(AgnoPerformanceOptimizer.name);
});
