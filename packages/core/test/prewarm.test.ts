/** Entries are made and run dry before anyone needs them, and readiness says when. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { GatedFactory, settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Thing } from './support/agents.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);

test('prewarm creates up to max, some at a time, and reports each', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'pool.prewarmed');
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Support = agentClass({ pool: { max: 5 }, create: factory.create });
  const prewarmed = watch(optimizer.prewarm(Support, { parallel: 3 }));
  await settle();
  assert.equal(factory.waiting, 3);
  await clock.advance(40);
  for (let made = 0; made < 5; made += 1) await factory.open();
  assert.deepEqual(valueOf(prewarmed), {
    type: 'test',
    requested: 5,
    created: 5,
    failed: 0,
    timedOut: false,
    durationMs: 40,
    entries: [40, 40, 40, 0, 0].map((ms) => ({ ms, error: null })),
  });
  assert.deepEqual(events[0]?.payload, { type: 'test', created: 5, failed: 0, durationMs: 40 });
  assert.equal(snapshotOf(optimizer).size, 5);
  assert.equal(snapshotOf(optimizer).counters.handOuts, 0, 'prewarming is not a hand-out');
});

test('prewarm makes only what is missing; count above max means max', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 4 } });
  assert.equal((await optimizer.prewarm(Support, { count: 1 })).requested, 1);
  await optimizer.pooled(Support);
  assert.equal((await optimizer.prewarm(Support, { count: 3 })).requested, 2);
  assert.equal((await optimizer.prewarm(Support, { count: 100 })).requested, 1);
  assert.equal((await optimizer.prewarm(Support)).requested, 0);
  assert.equal(snapshotOf(optimizer).counters.created, 4);
});

test('one failed entry does not stop the others and is named in the report', async () => {
  const { optimizer } = desk();
  let turn = 0;
  const Support = agentClass({
    pool: { max: 3 },
    create: async () => {
      turn += 1;
      if (turn === 2) throw new Error('no port left');
      return { id: turn };
    },
  });
  const report = await optimizer.prewarm(Support, { parallel: 1 });
  assert.deepEqual([report.created, report.failed, report.timedOut], [2, 1, false]);
  assert.deepEqual(
    report.entries.map(({ error }) => error),
    [null, 'no port left', null],
  );
});

test('a create that fails at once is tried as often as entries are missing, no more', async () => {
  const { optimizer } = desk();
  let started = 0;
  const Broken = agentClass({
    pool: { max: 4 },
    create: () => {
      started += 1;
      throw new Error('down');
    },
  });
  const report = await optimizer.prewarm(Broken);
  assert.deepEqual([report.failed, started], [4, 4]);
});

test('prewarm stops waiting at timeoutMs; what is under way goes on', async () => {
  const { optimizer, clock } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ pool: { max: 2 }, create: factory.create });
  const prewarmed = watch(optimizer.prewarm(Slow, { timeoutMs: 100, parallel: 1 }));
  await clock.advance(100);
  const report = valueOf(prewarmed);
  assert.deepEqual([report.requested, report.created, report.timedOut, report.durationMs], [2, 0, true, 100]);
  await factory.open();
  assert.equal(snapshotOf(optimizer).idle, 1);
  assert.equal(factory.started, 1, 'nothing is started after the time-out');
});

test('the warm hook runs once per prewarmed entry, before it may serve', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const warmed: number[] = [];
  const Support = agentClass({
    pool: { max: 2 },
    warm: async ({ id }) => {
      warmed.push(id);
      await gate.promise;
    },
  });
  const prewarmed = watch(optimizer.prewarm(Support, { count: 1 }));
  await settle();
  assert.deepEqual(warmed, [1]);
  assert.equal(optimizer.tryPooled(Support), undefined);
  gate.resolve();
  await settle();
  assert.equal(valueOf(prewarmed).created, 1);
  assert.equal(optimizer.tryPooled(Support)?.resources.id, 1);
  await optimizer.pooled(Support);
  assert.deepEqual(warmed, [1], 'an entry made for a borrower is not run dry first');
});

test('a warm hook that rejects, throws or hangs destroys its entry and is reported', async () => {
  const warms: Record<string, () => unknown> = {
    rejects: () => Promise.reject(new Error('cold')),
    throws: () => {
      throw new Error('cold');
    },
    hangs: forever,
  };
  for (const [type, warm] of Object.entries(warms)) {
    const { optimizer, clock } = desk();
    const destroyed: number[] = [];
    const Support = agentClass({
      type,
      pool: { createTimeoutMs: 500 },
      warm,
      destroy: ({ id }) => void destroyed.push(id),
    });
    const prewarmed = watch(optimizer.prewarm(Support, { count: 1 }));
    await clock.advance(520);
    const report = valueOf(prewarmed);
    assert.equal(report.failed, 1, type);
    assert.match(report.entries[0]?.error ?? '', type === 'hangs' ? /static warm.*500 ms/ : /cold/);
    assert.deepEqual(destroyed, [1]);
    assert.deepEqual(snapshotOf(optimizer, type).counters.destroyed, { 'warm-failed': 1 });
  }
});

test('borrowers that come while prewarming is under way never make the pool exceed max', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Support = agentClass({ pool: { max: 4 }, create: factory.create });
  const prewarmed = watch(optimizer.prewarm(Support, { parallel: 1 }));
  const borrowers = await borrowAll(optimizer, Support, 6);
  while (factory.waiting > 0) {
    await factory.open();
    const { idle, leased, creating } = snapshotOf(optimizer);
    assert.ok(idle + leased + creating <= 4);
  }
  assert.equal(factory.created.length, 4);
  assert.equal(borrowers.filter(({ state }) => state === 'resolved').length, 4);
  assert.ok(valueOf(prewarmed).created <= 4);
});

test('prewarmAll takes the types one after the other', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  optimizer.register(agentClass({ type: 'one', pool: { max: 2 }, create: factory.create }));
  optimizer.register(agentClass({ type: 'two', pool: { max: 1 }, create: factory.create }));
  const all = watch(optimizer.prewarmAll());
  await settle();
  assert.equal(factory.waiting, 2);
  await factory.open();
  assert.equal(factory.waiting, 1);
  await factory.open();
  await factory.open();
  assert.deepEqual(
    valueOf(all).map(({ type, created }) => [type, created]),
    [
      ['one', 2],
      ['two', 1],
    ],
  );
});

test('notReady names types without an entry and types still prewarming; whenReady waits for both', async () => {
  const { optimizer } = desk();
  assert.deepEqual(optimizer.notReady(), []);
  await optimizer.whenReady();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ type: 'slow', pool: { max: 2 }, create: factory.create });
  const Quick = agentClass({ type: 'quick' });
  optimizer.register(Slow);
  optimizer.register(Quick);
  const ready = watch(optimizer.whenReady());
  assert.deepEqual(optimizer.notReady(), ['slow', 'quick']);
  await optimizer.prewarm(Quick, { count: 1 });
  assert.deepEqual(optimizer.notReady(), ['slow']);
  const prewarmed = watch(optimizer.prewarm(Slow));
  await settle();
  await factory.open();
  assert.deepEqual(optimizer.notReady(), ['slow'], 'one of two is there, but prewarming goes on');
  assert.equal(ready.state, 'pending');
  await factory.open();
  valueOf(prewarmed);
  assert.deepEqual(optimizer.notReady(), []);
  await settle();
  valueOf(ready);
});

test('whenReady notices an entry that a borrower caused', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ create: factory.create });
  optimizer.register(Slow);
  const ready = watch(optimizer.whenReady());
  const borrower = watch(optimizer.pooled(Slow));
  await settle();
  assert.equal(ready.state, 'pending');
  await factory.open();
  await settle();
  valueOf(borrower);
  valueOf(ready);
});

test('a type whose prewarming failed is not ready', async () => {
  const { optimizer } = desk();
  const Broken = agentClass({ create: () => Promise.reject(new Error('down')) });
  await optimizer.prewarm(Broken, { count: 1 });
  assert.deepEqual(optimizer.notReady(), ['test']);
});

test('prewarming after close or while draining makes nothing and says so', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  optimizer.register(Support);
  await optimizer.drain();
  assert.deepEqual((await optimizer.prewarm(Support)).created, 0);
  await optimizer.close();
  assert.deepEqual((await optimizer.prewarm(Support)).requested, 0);
  assert.deepEqual(optimizer.notReady(), ['test']);
});
