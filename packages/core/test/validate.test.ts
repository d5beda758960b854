/** `static validate` asks idle entries whether they are well, off every borrower's path. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { SophiaError } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Thing } from './support/agents.ts';

test('each idle entry is asked every validateEveryMs; healthy ones stay', async () => {
  const { optimizer, clock } = desk();
  const asked: number[] = [];
  const Support = agentClass({
    pool: { max: 2, validateEveryMs: 1_000 },
    validate: ({ id }) => {
      asked.push(id);
      return true;
    },
  });
  await optimizer.prewarm(Support);
  await clock.advance(990);
  assert.deepEqual(asked, []);
  await clock.advance(40);
  assert.deepEqual(asked, [1, 2]);
  await clock.advance(1_040);
  assert.equal(asked.length, 4);
  assert.equal(snapshotOf(optimizer).idle, 2);
});

test('an entry that answers false, throws, rejects or hangs is destroyed and replaced up to minIdle', async () => {
  const answers: Record<string, () => boolean | Promise<boolean>> = {
    false: () => false,
    throws: () => {
      throw new Error('gone');
    },
    rejects: () => Promise.reject(new Error('gone')),
    hangs: () => new Promise<never>(() => undefined),
  };
  for (const [type, answer] of Object.entries(answers)) {
    const { optimizer, clock } = desk();
    const events = record(optimizer, 'agent.validate-failed');
    const Support = agentClass({
      type,
      pool: { max: 2, minIdle: 1, validateEveryMs: 1_000, validateTimeoutMs: 100 },
      validate: ({ id }) => (id === 1 ? answer() : true),
    });
    optimizer.register(Support);
    await clock.advance(1_200);
    assert.deepEqual(snapshotOf(optimizer, type).counters.destroyed, { 'validate-failed': 1 }, type);
    assert.equal(snapshotOf(optimizer, type).idle, 1);
    assert.equal((await optimizer.pooled(Support)).resources.id, 2);
    const error = events[0]?.payload.error;
    if (type === 'hangs') assert.ok(error instanceof SophiaError && error.code === 'VALIDATE_TIMEOUT');
    else assert.ok(error instanceof Error);
  }
});

test('only one entry at a time is away for its check; borrowers get the others, waiters the checked one', async () => {
  const { optimizer, clock } = desk();
  const gates: PromiseWithResolvers<boolean>[] = [];
  const Support = agentClass({
    pool: { max: 2, validateEveryMs: 1_000, validateTimeoutMs: 60_000 },
    validate: () => {
      const gate = Promise.withResolvers<boolean>();
      gates.push(gate);
      return gate.promise;
    },
  });
  await optimizer.prewarm(Support);
  await clock.advance(1_040);
  assert.deepEqual([snapshotOf(optimizer).idle, snapshotOf(optimizer).validating, gates.length], [1, 1, 1]);
  const first = await optimizer.pooled(Support);
  const waiter = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(waiter.state, 'pending');
  gates[0]?.resolve(true);
  await settle();
  assert.notEqual(valueOf(waiter).resources, first.resources);
  assert.equal(gates.length, 1, 'what was borrowed meanwhile is not asked');
});

test('leased entries are not asked', async () => {
  const { optimizer, clock } = desk();
  const asked: Thing[] = [];
  const Support = agentClass({
    pool: { max: 1, validateEveryMs: 100 },
    validate: (thing) => asked.push(thing) > 0,
  });
  await optimizer.pooled(Support);
  await clock.advance(1_000);
  assert.deepEqual(asked, []);
});

test('a class without validate starts no checks', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { validateEveryMs: 10 } });
  await optimizer.prewarm(Support, { count: 1 });
  await clock.advance(1_000);
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('an entry that has rested for longer than validateAfterIdleMs is asked before it is lent', async () => {
  const { optimizer, clock } = desk();
  const asked: number[] = [];
  const dead = new Set<number>();
  const Support = agentClass({
    pool: { max: 2, validateAfterIdleMs: 1_000, validateEveryMs: 3_600_000 },
    validate: async ({ id }) => {
      asked.push(id);
      return !dead.has(id);
    },
  });
  (await optimizer.pooled(Support)).release();
  await clock.advance(900);
  (await optimizer.pooled(Support)).release();
  assert.deepEqual(asked, [], 'its rest began anew with its last lease');
  await clock.advance(1_500);
  assert.equal(optimizer.tryPooled(Support), undefined, 'tryPooled does not wait for the answer');
  await settle();
  assert.equal(optimizer.tryPooled(Support)?.resources.id, 1, 'now it is known to be healthy');
  assert.deepEqual(asked, [1]);
});

test('one that died while it rested is never lent: its borrower gets a new one', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({
    pool: { max: 1, validateAfterIdleMs: 0, validateEveryMs: 3_600_000 },
    validate: async ({ id }) => id > 1,
  });
  (await optimizer.pooled(Support)).release();
  await clock.advance(10);
  const next = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(valueOf(next).resources.id, 2);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { 'validate-failed': 1 });
});
