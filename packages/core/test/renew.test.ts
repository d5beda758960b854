/** `renew` replaces every entry while the pool serves, one at a time, and stops where a new one cannot be made. */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { AgnoPerformanceOptimizer, PoolOptions } from '@sophia-ai/core';
import { GatedFactory, settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, coded, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { MadeClass, Recipe, TestAgent, Thing } from './support/agents.ts';

function gated(pool: PoolOptions = {}, recipe: Recipe = {}): { Support: MadeClass; factory: GatedFactory<Thing> } {
  const factory = new GatedFactory<Thing>((index) => ({ id: index + 1 }));
  const { create, destroy } = factory;
  return { Support: agentClass({ pool: { max: 3, ...pool }, create, destroy, ...recipe }), factory };
}

/** Borrows `count` agents, each with an entry of its own. */
async function hold(
  optimizer: AgnoPerformanceOptimizer,
  Support: MadeClass,
  factory: GatedFactory<Thing>,
  count: number,
): Promise<TestAgent[]> {
  const borrowers = await borrowAll(optimizer, Support, count);
  while (factory.waiting > 0) await factory.open();
  return borrowers.map((each) => valueOf(each));
}

async function fill(
  optimizer: AgnoPerformanceOptimizer,
  Support: MadeClass,
  factory: GatedFactory<Thing>,
  count: number,
): Promise<void> {
  for (const agent of await hold(optimizer, Support, factory, count)) agent.release();
  await settle();
  assert.equal(snapshotOf(optimizer).idle, count);
}

const live = (optimizer: AgnoPerformanceOptimizer): number => {
  const { idle, leased, creating } = snapshotOf(optimizer);
  return idle + leased + creating;
};

test('idle entries are replaced one after the other, never more than one missing', async () => {
  for (const minIdle of [0, 3]) {
    const { optimizer } = desk();
    const { Support, factory } = gated({ minIdle });
    await fill(optimizer, Support, factory, 3);
    const renewing = watch(optimizer.renew(Support));
    for (let round = 1; round <= 3; round += 1) {
      await settle();
      assert.deepEqual([factory.destroyed.length, factory.waiting, snapshotOf(optimizer).idle], [round, 1, 2]);
      assert.equal(renewing.state, 'pending');
      await factory.open();
    }
    await settle();
    assert.deepEqual(valueOf(renewing), { type: 'test', renewed: 3, remaining: 0, error: null });
    assert.deepEqual(factory.destroyed.map(({ id }) => id).toSorted(), [1, 2, 3]);
    assert.deepEqual([snapshotOf(optimizer).idle, factory.started], [3, 6]);
    assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { renewed: 3 });
  }
});

test('the event pool.renewed says what the report says', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'pool.renewed');
  const Support = agentClass();
  (await optimizer.pooled(Support)).release();
  const report = await optimizer.renew('test');
  assert.deepEqual(events, [{ name: 'pool.renewed', payload: report }]);
});

test('a pool without entries has nothing to renew', async () => {
  const { optimizer } = desk();
  optimizer.register(agentClass());
  assert.deepEqual(await optimizer.renew('test'), { type: 'test', renewed: 0, remaining: 0, error: null });
  assert.equal(snapshotOf(optimizer).counters.created, 0);
});

test('a leased entry serves its borrower to the end and is replaced on return; the report waits for it', async () => {
  const { optimizer } = desk();
  const { Support, factory } = gated({ max: 2 });
  const [a, b] = await hold(optimizer, Support, factory, 2);
  a?.release();
  const renewing = watch(optimizer.renew(Support));
  await settle();
  await factory.open();
  assert.equal(renewing.state, 'pending');
  assert.equal(b?.resources.id, 2);
  b?.release();
  await settle();
  await factory.open();
  assert.deepEqual(valueOf(renewing), { type: 'test', renewed: 2, remaining: 0, error: null });
  assert.deepEqual([snapshotOf(optimizer).idle, factory.destroyed.map(({ id }) => id)], [2, [1, 2]]);
});

test('the report waits until all that came back are replaced, however slowly they end', async () => {
  const { optimizer } = desk();
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { Support, factory } = gated({ max: 2 }, { destroy: ({ id }) => ends[id - 1]?.promise });
  const held = await hold(optimizer, Support, factory, 2);
  const renewing = watch(optimizer.renew(Support));
  for (const agent of held) agent.release();
  for (const end of ends) {
    await settle();
    assert.equal(renewing.state, 'pending');
    end.resolve();
  }
  for (let made = 0; made < 2; made += 1) {
    await settle();
    assert.equal(renewing.state, 'pending', `${made} of 2 are made`);
    await factory.open();
  }
  await settle();
  assert.deepEqual([valueOf(renewing).renewed, snapshotOf(optimizer).idle], [2, 2]);
});

test('an entry that is discarded on its return is replaced all the same', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 2 } });
  const [a, b] = (await borrowAll(optimizer, Support, 2)).map((each) => valueOf(each));
  const renewing = watch(optimizer.renew(Support));
  a?.discard();
  b?.release();
  await settle();
  assert.deepEqual(valueOf(renewing), { type: 'test', renewed: 2, remaining: 0, error: null });
  assert.equal(live(optimizer), 2);
});

test('a creation that fails for an entry that came back is told as well', async () => {
  const { optimizer } = desk();
  const { Support, factory } = gated({ max: 1 });
  const [agent] = await hold(optimizer, Support, factory, 1);
  const renewing = watch(optimizer.renew(Support));
  agent?.release();
  await settle();
  await factory.fail(new Error('new credentials are refused'));
  await settle();
  assert.match(valueOf(renewing).error ?? '', /new credentials are refused/);
});

test('pauseMs lies between two replacements', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 3 } });
  for (const agent of (await borrowAll(optimizer, Support, 3)).map((each) => valueOf(each))) agent.release();
  const renewing = watch(optimizer.renew(Support, { pauseMs: 100 }));
  for (let done = 1; done <= 3; done += 1) {
    await settle();
    assert.equal(snapshotOf(optimizer).counters.destroyed.renewed, done);
    await clock.advance(99);
    assert.equal(snapshotOf(optimizer).counters.destroyed.renewed, done);
    await clock.advance(1);
  }
  assert.equal(valueOf(renewing).renewed, 3);
});

test('a creation that fails stops the renewal, and the rest goes on serving', async () => {
  for (const minIdle of [0, 3]) {
    const { optimizer } = desk();
    const { Support, factory } = gated({ minIdle });
    await fill(optimizer, Support, factory, 3);
    const renewing = watch(optimizer.renew(Support));
    await settle();
    await factory.open();
    await settle();
    await factory.fail(new Error('new credentials are refused'));
    await settle();
    const { renewed, remaining, error } = valueOf(renewing);
    assert.deepEqual([renewed, remaining], [2, 1]);
    assert.match(error ?? '', /new credentials are refused/);
    assert.deepEqual([snapshotOf(optimizer).idle, factory.destroyed.length], [2, 2]);
    assert.ok(optimizer.tryPooled(Support) !== undefined && optimizer.tryPooled(Support) !== undefined);
  }
});

test('a dry run that fails stops it too', async () => {
  const { optimizer } = desk();
  const warm = ({ id }: Thing): void => {
    if (id > 2) throw new Error('the dry run failed');
  };
  const Support = agentClass({ pool: { max: 2 }, warm });
  for (const agent of (await borrowAll(optimizer, Support, 2)).map((each) => valueOf(each))) agent.release();
  const { remaining, error } = await optimizer.renew(Support);
  assert.equal(remaining, 1);
  assert.match(error ?? '', /the dry run failed/);
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('after timeoutMs the report names who is left; a leased entry is replaced on return all the same', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 2 } });
  const [a, b] = (await borrowAll(optimizer, Support, 2)).map((each) => valueOf(each));
  a?.release();
  const renewing = watch(optimizer.renew(Support, { timeoutMs: 1_000 }));
  await clock.advance(1_020);
  const { renewed, remaining, error } = valueOf(renewing);
  assert.deepEqual([renewed, remaining], [1, 1]);
  assert.match(error ?? '', /1000 ms/);
  b?.release();
  await clock.advance(1);
  assert.equal(snapshotOf(optimizer).counters.destroyed.renewed, 2);
  assert.equal(live(optimizer), 2, 'as many entries as before');
});

test('borrowers who wait meanwhile are served', async () => {
  const { optimizer } = desk();
  const { Support, factory } = gated({ max: 1 });
  await fill(optimizer, Support, factory, 1);
  const renewing = watch(optimizer.renew(Support));
  const waiters = [watch(optimizer.pooled(Support)), watch(optimizer.pooled(Support))];
  await settle();
  await factory.open();
  assert.equal(valueOf(waiters[0] as never as ReturnType<typeof watch<TestAgent>>).resources.id, 2);
  waiters[0]?.value?.release();
  await settle();
  assert.equal(waiters[1]?.value?.resources.id, 2);
  assert.equal(valueOf(renewing).remaining, 0);
});

test('an entry that is resetting or cooling down is replaced when it comes back', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, coolDownMs: 100 }, reset: () => undefined });
  const agent = await optimizer.pooled(Support);
  assert.ok(agent.resources);
  agent.release();
  const renewing = watch(optimizer.renew(Support));
  await clock.advance(101);
  assert.deepEqual(valueOf(renewing), { type: 'test', renewed: 1, remaining: 0, error: null });
  assert.equal(optimizer.tryPooled(Support)?.resources.id, 2);
});

test('an old entry that is kept as a suspect is not waited for', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1, keepSuspects: 1, suspectMs: 60_000 } });
  await optimizer.pooled(Support);
  const renewing = watch(optimizer.renew(Support, { timeoutMs: 30_000 }));
  await settle();
  optimizer.revoke(Support, snapshotOf(optimizer).holders[0]?.leaseId ?? -1);
  await settle();
  assert.deepEqual(valueOf(renewing), { type: 'test', renewed: 1, remaining: 0, error: null });
  assert.equal(live(optimizer), 1);
});

test('two renewals at once leave as many entries as before, all new', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 3 } });
  for (const agent of (await borrowAll(optimizer, Support, 3)).map((each) => valueOf(each))) agent.release();
  await Promise.all([optimizer.renew(Support), optimizer.renew(Support)]);
  const ids = (await borrowAll(optimizer, Support, 3)).map((each) => valueOf(each).resources.id);
  assert.ok(
    ids.every((id) => id > 3),
    ids.join(),
  );
  assert.equal(live(optimizer), 3);
});

test('a suspension in the middle costs no entry', async () => {
  const { optimizer } = desk();
  const { Support, factory } = gated();
  await fill(optimizer, Support, factory, 3);
  const renewing = watch(optimizer.renew(Support));
  await settle();
  optimizer.suspend(Support);
  while (factory.waiting > 0) await factory.open();
  optimizer.resume(Support);
  for (let round = 0; round < 6 && renewing.state === 'pending'; round += 1) {
    await settle();
    if (factory.waiting > 0) await factory.open();
  }
  assert.equal(renewing.state, 'resolved');
  assert.equal(live(optimizer), 3, 'as many entries as before');
});

// ---- shared

test('shared and idle: the old entry serves until the new one does', async () => {
  const { optimizer } = desk();
  const { Support, factory } = gated({ reuse: 'shared' });
  await fillShared(optimizer, Support, factory);
  const renewing = watch(optimizer.renew(Support));
  await settle();
  assert.equal(optimizer.tryPooled(Support)?.resources.id, 1, 'while the new one is made');
  await factory.open();
  assert.equal(optimizer.tryPooled(Support)?.resources.id, 2);
  assert.deepEqual(factory.destroyed, []);
  assert.equal(renewing.state, 'pending', 'the old one still has a lease');
});

async function fillShared(
  optimizer: AgnoPerformanceOptimizer,
  Support: MadeClass,
  factory: GatedFactory<Thing>,
): Promise<void> {
  (await hold(optimizer, Support, factory, 1))[0]?.release();
}

test('shared and in use: the old entry serves until the new one does, and ends with its last lease', async () => {
  const { optimizer } = desk();
  const { Support, factory } = gated({ reuse: 'shared' });
  const [holder] = await hold(optimizer, Support, factory, 1);
  const renewing = watch(optimizer.renew(Support));
  await settle();
  assert.equal(factory.waiting, 1, 'a new one is being made');
  const meanwhile = optimizer.tryPooled(Support);
  assert.equal(meanwhile?.resources.id, 1);
  await factory.open();
  assert.equal(optimizer.tryPooled(Support)?.resources.id, 2);
  assert.equal(holder?.resources.id, 1);
  holder?.release();
  meanwhile?.release();
  await settle();
  assert.deepEqual(
    factory.destroyed.map(({ id }) => id),
    [1],
  );
  assert.deepEqual(valueOf(renewing), { type: 'test', renewed: 1, remaining: 0, error: null });
});

test('shared: a creation that fails leaves the old entry in service, idle or in use', async () => {
  for (const isHeld of [false, true]) {
    const { optimizer } = desk();
    const { Support, factory } = gated({ reuse: 'shared' });
    const [holder] = await hold(optimizer, Support, factory, 1);
    if (!isHeld) holder?.release();
    const renewing = watch(optimizer.renew(Support, { timeoutMs: 1_000 }));
    await settle();
    assert.equal(factory.waiting, 1, isHeld ? 'in use' : 'idle');
    await factory.fail(new Error('refused'));
    assert.equal(valueOf(renewing).error, 'refused');
    assert.equal(optimizer.tryPooled(Support)?.resources.id, 1);
  }
});

// ---- the end

test('close during a renewal settles both, wherever the renewal stands', async () => {
  const stages: Record<string, (recipe: { pool: PoolOptions }) => Recipe> = {
    'making the new one': ({ pool }) => ({ pool }),
    'destroying the old one': ({ pool }) => ({
      pool,
      destroy: () => new Promise(() => undefined),
    }),
    pausing: ({ pool }) => ({ pool, create: () => ({ id: 1 }) }),
    'waiting for a lease': ({ pool }) => ({ pool, create: () => ({ id: 1 }) }),
  };
  for (const [stage, recipe] of Object.entries(stages)) {
    const { optimizer, clock } = desk();
    const { Support, factory } = gated({}, recipe({ pool: { max: 2, resetTimeoutMs: 100, destroyTimeoutMs: 100 } }));
    const borrowers = await borrowAll(optimizer, Support, 2);
    while (factory.waiting > 0) await factory.open();
    const isHeld = stage === 'waiting for a lease';
    for (const each of borrowers) if (!isHeld || each === borrowers[0]) valueOf(each).release();
    const renewing = watch(optimizer.renew(Support, { pauseMs: stage === 'pausing' ? 60_000 : 0 }));
    await settle();
    assert.equal(renewing.state, 'pending', stage);
    const closing = watch(optimizer.close({ timeoutMs: 50 }));
    await clock.advance(1_000);
    assert.equal(closing.state, 'resolved', stage);
    assert.equal(renewing.state, 'resolved', stage);
    assert.equal(clock.holding, 0, stage);
  }
});

test('a pool that drains or is closed refuses to renew, and says which', async () => {
  const { optimizer } = desk();
  optimizer.register(agentClass());
  await optimizer.drain();
  await assert.rejects(optimizer.renew('test'), coded('POOL_DRAINING'));
  await optimizer.close();
  await assert.rejects(optimizer.renew('test'), coded('POOL_CLOSED'));
});

test('a suspended pool can be renewed, and has as many entries as before when it resumes', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 2 } });
  for (const agent of (await borrowAll(optimizer, Support, 2)).map((each) => valueOf(each))) agent.release();
  optimizer.suspend(Support);
  const { renewed, remaining } = await optimizer.renew(Support);
  assert.deepEqual([renewed, remaining], [2, 0]);
  optimizer.resume(Support);
  await settle();
  assert.equal(live(optimizer), 2);
});

test('unknown types and wrong options are refused', async () => {
  const { optimizer } = desk();
  optimizer.register(agentClass());
  await assert.rejects(optimizer.renew('nobody'), coded('TYPE_UNKNOWN'));
  await assert.rejects(optimizer.renew('test', { pauseMs: -1 }), coded('ARGUMENT_INVALID', 'pauseMs'));
  await assert.rejects(optimizer.renew('test', { speed: 1 } as never), coded('ARGUMENT_INVALID', 'speed'));
});
