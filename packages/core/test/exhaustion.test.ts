/** When there is no agent to be had, the answer comes with its reason, as the policy says. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { PoolExhaustedError } from '@sophia-ai/core';
import type { PoolFacts, PoolOptions } from '@sophia-ai/core';
import { GatedFactory, settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, codeOf, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { MadeClass, Thing, Watched } from './support/agents.ts';

function factsOf(watched: Watched<unknown>): PoolFacts {
  assert.ok(watched.error instanceof PoolExhaustedError, String(watched.error));
  assert.equal(watched.error.retryAfterMs, watched.error.facts.retryAfterMs);
  return watched.error.facts;
}

test('wait: the last place in the queue is given, the next borrower is refused with QUEUE_FULL', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1, maxWaiting: 3 } });
  const holder = await optimizer.pooled(Support);
  const waiters = await borrowAll(optimizer, Support, 4);
  assert.deepEqual(
    waiters.map(({ state }) => state),
    ['pending', 'pending', 'pending', 'rejected'],
  );
  const last = waiters[3] as Watched<unknown>;
  assert.equal(codeOf(last), 'QUEUE_FULL');
  assert.equal(factsOf(last).waiting, 3);
  holder.release();
  await settle();
  const next = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(next.state, 'pending', 'a place in the queue is free again');
});

test('wait: a cold pool takes as many as it has room for, and maxWaiting more', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ pool: { max: 2, maxWaiting: 1 }, create: factory.create });
  const borrowers = await borrowAll(optimizer, Slow, 4);
  assert.deepEqual(
    borrowers.map(({ state }) => state),
    ['pending', 'pending', 'pending', 'rejected'],
  );
});

test('wait: maxWaiting 0 refuses whoever would queue, and nobody else', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1, maxWaiting: 0 } });
  const [first, second] = await borrowAll(optimizer, Support, 2);
  assert.equal(codeOf(second as Watched<unknown>), 'QUEUE_FULL');
  valueOf(first as Watched<unknown>);
});

test('reject: whoever would wait for another borrower is refused at once', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 2, exhaustion: 'reject' } });
  await optimizer.prewarm(Support);
  const borrowers = await borrowAll(optimizer, Support, 4);
  assert.deepEqual(
    borrowers.map(({ state }) => state),
    ['resolved', 'resolved', 'rejected', 'rejected'],
  );
  assert.equal(codeOf(borrowers[2] as Watched<unknown>), 'POOL_EXHAUSTED');
  assert.match(String(borrowers[2]?.error), /2 of 2 leased/);
});

test('reject: a cold pool with room is not exhausted, nor one whose entries are being reset', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const Support = agentClass({ pool: { max: 1, exhaustion: 'reject' }, reset: () => gate.promise });
  const [cold] = await borrowAll(optimizer, Support, 1);
  const agent = valueOf(cold as Watched<InstanceType<MadeClass>>);
  assert.ok(agent.resources);
  agent.release();
  const next = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(next.state, 'pending');
  gate.resolve();
  await settle();
  valueOf(next);
});

test('grow: goes beyond max up to maxOverflow, then refuses', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 2, exhaustion: 'grow', maxOverflow: 1 } });
  const borrowers = await borrowAll(optimizer, Support, 4);
  assert.deepEqual(
    borrowers.map(({ state }) => state),
    ['resolved', 'resolved', 'resolved', 'rejected'],
  );
  assert.equal(codeOf(borrowers[3] as Watched<unknown>), 'POOL_EXHAUSTED');
  assert.deepEqual([snapshotOf(optimizer).max, snapshotOf(optimizer).leased], [2, 3]);
});

test('grow: maxOverflow is max unless given', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 3, exhaustion: 'grow' } });
  const borrowers = await borrowAll(optimizer, Support, 7);
  assert.equal(borrowers.filter(({ state }) => state === 'resolved').length, 6);
});

test('grow: an entry beyond max serves once, whatever the order of the releases; the regular ones stay', async () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const { optimizer } = desk();
    const destroyed: number[] = [];
    const Support = agentClass({
      pool: { max: 2, exhaustion: 'grow', maxOverflow: 1 },
      destroy: ({ id }) => void destroyed.push(id),
    });
    const borrowers = await borrowAll(optimizer, Support, 3);
    for (const index of order) {
      borrowers[index]?.value?.release();
      await settle();
    }
    assert.deepEqual(destroyed, [3], `released in the order ${order.join()}`);
    assert.equal(snapshotOf(optimizer).idle, 2);
    assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { overflow: 1 });
  }
});

test('grow: an entry beyond max whose borrower left is not kept', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Support = agentClass({
    pool: { max: 1, exhaustion: 'grow', maxOverflow: 1 },
    create: factory.create,
    destroy: factory.destroy,
  });
  const leaving = new AbortController();
  const [first] = await borrowAll(optimizer, Support, 1);
  await factory.open();
  const second = watch(optimizer.pooled(Support, undefined, { signal: leaving.signal }));
  await settle();
  leaving.abort();
  await settle();
  assert.equal(codeOf(second), 'ACQUIRE_ABORTED');
  await factory.open();
  assert.equal(factory.destroyed.length, 1);
  first?.value?.release();
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('the error carries the counts, the oldest lease with its owner, and one sentence of advice', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ type: 'support', pool: { max: 2, waitMs: 100 } });
  await optimizer.pooled(Support, undefined, { owner: 'import job' });
  await clock.advance(400);
  await optimizer.pooled(Support, undefined, { owner: 'chat' });
  const waiter = watch(optimizer.pooled(Support));
  const behind = watch(optimizer.pooled(Support, undefined, { waitMs: 5_000 }));
  await clock.advance(100);
  assert.equal(codeOf(waiter), 'ACQUIRE_TIMEOUT');
  assert.equal(behind.state, 'pending');
  const { advice, ...facts } = factsOf(waiter);
  assert.deepEqual(facts, {
    type: 'support',
    max: 2,
    leased: 2,
    idle: 0,
    creating: 0,
    resetting: 0,
    waiting: 1,
    waitedMs: 100,
    oldestLease: { heldMs: 500, owner: 'import job' },
    lastCreateError: null,
    retryAfterMs: null,
    reason: 'too-small',
  });
  assert.match(advice, /raise max/);
  const { message } = waiter.error as Error;
  for (const words of ["'support'", '100 ms', '2 of 2 leased', '1 waiting', '500 ms by import job', advice]) {
    assert.ok(message.includes(words), `${words} is not in: ${message}`);
  }
});

test('retryAfterMs is null before any lease has ended, then follows the measured holds and the length of the queue', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 2, maxWaiting: 3, exhaustion: 'wait' } });
  const refusal = async (): Promise<PoolFacts> => {
    const refused = watch(optimizer.pooled(Support, undefined, { waitMs: 0 }));
    await clock.advance(0);
    return factsOf(refused);
  };
  const holders = await borrowAll(optimizer, Support, 2);
  assert.equal((await refusal()).retryAfterMs, null);
  await clock.advance(600);
  for (const holder of holders) holder.value?.release();
  await borrowAll(optimizer, Support, 2);
  assert.equal((await refusal()).retryAfterMs, 300, 'one of two places comes free after half a mean hold');
  await borrowAll(optimizer, Support, 3);
  const full = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(codeOf(full), 'QUEUE_FULL');
  assert.equal(factsOf(full).retryAfterMs, 1_200, '600 ms × 4 in front / 2');
});

async function reasonOf(
  recipe: { pool?: PoolOptions } & Record<string, unknown>,
  prepare: (agents: InstanceType<MadeClass>[], clock: ReturnType<typeof desk>['clock']) => unknown,
  holders = 1,
): Promise<PoolFacts> {
  const { optimizer, clock } = desk();
  const Support = agentClass({ ...recipe, pool: { max: 1, ...recipe.pool } } as never);
  const borrowed = await borrowAll(optimizer, Support, holders);
  await prepare(
    borrowed.flatMap(({ value }) => (value === undefined ? [] : [value as InstanceType<MadeClass>])),
    clock,
  );
  const refused = watch(optimizer.pooled(Support, undefined, { waitMs: 50 }));
  await clock.advance(51);
  return factsOf(refused);
}

test('the reason tells a slow hold from a pool that is too small', async () => {
  assert.equal((await reasonOf({}, () => undefined)).reason, 'too-small');
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  for (let use = 0; use < 5; use += 1) {
    const agent = await optimizer.pooled(Support);
    await clock.advance(10);
    agent.release();
  }
  await optimizer.pooled(Support, undefined, { owner: 'stuck' });
  await clock.advance(5_000);
  const refused = watch(optimizer.pooled(Support, undefined, { waitMs: 0 }));
  await clock.advance(0);
  const facts = factsOf(refused);
  assert.equal(facts.reason, 'slow-holds');
  assert.match(facts.advice, /5000 ms.*mean hold 10\.0 ms/);
});

test('the reason names a slow or failing creation, and a slow reset', async () => {
  const forever = (): Promise<never> => new Promise<never>(() => undefined);
  const slow = await reasonOf({ create: forever }, () => undefined, 0);
  assert.equal(slow.reason, 'creation-slow');
  assert.equal(slow.creating, 1);
  const failing = await reasonOf({ create: () => Promise.reject(new Error('bad key')) }, () => undefined, 0);
  assert.equal(failing.reason, 'creation-failing');
  assert.equal(failing.lastCreateError, 'bad key');
  assert.match(failing.advice, /bad key.*raising max would not help/);
  const reset = await reasonOf({ reset: forever }, ([agent]) => {
    assert.ok(agent?.resources);
    agent.release();
  });
  assert.equal(reset.reason, 'reset-slow');
  assert.equal(reset.resetting, 1);
});

test('shared: max leases on one entry, the next waits or is refused', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ type: 'waits', pool: { reuse: 'shared', max: 3 } });
  const borrowers = await borrowAll(optimizer, Support, 4);
  assert.equal(borrowers.filter(({ state }) => state === 'resolved').length, 3);
  const Strict = agentClass({ type: 'strict', pool: { reuse: 'shared', max: 3, exhaustion: 'reject' } });
  const refused = await borrowAll(optimizer, Strict, 4);
  assert.equal(codeOf(refused[3] as Watched<unknown>), 'POOL_EXHAUSTED');
  assert.equal(snapshotOf(optimizer, 'strict').counters.created, 1);
});
