/** A suspended pool hands out nothing: borrowers wait up to their deadlines, leases go on, `resume` serves in order. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { PoolExhaustedError } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Desk, MadeClass, Recipe, TestAgent, Watched } from './support/agents.ts';

/** A suspended pool with `idle` entries at rest. */
async function suspended(idle: number, recipe: Recipe = {}): Promise<Desk & { Support: MadeClass }> {
  const house = desk();
  const { pool = {} } = recipe;
  const Support = agentClass({ ...recipe, pool: { max: Math.max(1, idle), ...pool } });
  const held: TestAgent[] = [];
  for (let i = 0; i < idle; i += 1) held.push(await house.optimizer.pooled(Support));
  for (const agent of held) agent.release();
  await settle();
  if (idle === 0) house.optimizer.register(Support);
  house.optimizer.suspend(Support);
  return { ...house, Support };
}

test('nothing is handed out, though entries are idle; nobody can be handed one now', async () => {
  const { optimizer, Support } = await suspended(2);
  assert.equal(optimizer.tryPooled(Support), undefined);
  const waiter = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(waiter.state, 'pending');
  const { state, size, idle, waiting, leased } = snapshotOf(optimizer);
  assert.deepEqual(
    { state, size, idle, waiting, leased },
    { state: 'suspended', size: 0, idle: 2, waiting: 1, leased: 0 },
  );
  assert.deepEqual(optimizer.notReady(), ['test']);
});

test('who waits is refused at waitMs and told that the pool is suspended', async () => {
  const { optimizer, clock, Support } = await suspended(1);
  const waiter = watch(optimizer.pooled(Support, undefined, { waitMs: 100 }));
  await clock.advance(99);
  assert.equal(waiter.state, 'pending');
  await clock.advance(1);
  assert.equal(codeOf(waiter), 'ACQUIRE_TIMEOUT');
  assert.ok(waiter.error instanceof PoolExhaustedError);
  assert.equal(waiter.error.facts.reason, 'suspended');
  assert.match(waiter.error.message, /suspended/);
});

test('pools that do not wait refuse at once', async () => {
  for (const exhaustion of ['reject', 'grow'] as const) {
    const { optimizer, Support } = await suspended(1, { pool: { exhaustion } });
    const refused = watch(optimizer.pooled(Support));
    await settle();
    assert.equal(codeOf(refused), 'POOL_EXHAUSTED', exhaustion);
    assert.equal((refused.error as PoolExhaustedError).facts.reason, 'suspended');
    optimizer.resume(Support);
    assert.ok(optimizer.tryPooled(Support));
  }
});

test('leases go on, run, and are given back; what comes back is not handed to a waiter', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 }, execute: (agent) => agent.resources.id });
  const agent = await optimizer.pooled(Support);
  optimizer.suspend('test');
  const waiter = watch(optimizer.pooled(Support));
  assert.equal(await agent.run(1), 1);
  agent.release();
  await settle();
  assert.deepEqual([waiter.state, snapshotOf(optimizer).idle], ['pending', 1]);
  optimizer.resume('test');
  await settle();
  assert.equal(valueOf(waiter).resources.id, 1);
});

test('resume serves those who wait in their order, as far as there are entries, and the rest as they come', async () => {
  const { optimizer, Support } = await suspended(2);
  const served: number[] = [];
  const waiters: Watched<TestAgent>[] = [];
  for (let i = 0; i < 5; i += 1) {
    const waiter = watch(optimizer.pooled(Support));
    void waiter.promise.then(() => served.push(i));
    waiters.push(waiter);
  }
  await settle();
  optimizer.resume(Support);
  await settle();
  assert.deepEqual(served, [0, 1]);
  assert.equal(optimizer.tryPooled(Support), undefined, 'a newcomer does not overtake');
  for (let i = 0; i < 3; i += 1) {
    waiters[i]?.value?.release();
    await settle();
  }
  assert.deepEqual(served, [0, 1, 2, 3, 4]);
});

test('resume of an empty pool creates for those who wait', async () => {
  const { optimizer, Support } = await suspended(0);
  const waiter = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(snapshotOf(optimizer).creating + snapshotOf(optimizer).counters.created, 0);
  optimizer.resume(Support);
  await settle();
  assert.equal(valueOf(waiter).resources.id, 1);
});

test('a creation that ends meanwhile rests until resume', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const Support = agentClass({
    create: async () => {
      await gate.promise;
      return { id: 1 };
    },
  });
  const waiter = watch(optimizer.pooled(Support));
  await settle();
  optimizer.suspend(Support);
  gate.resolve();
  await settle();
  assert.deepEqual([waiter.state, snapshotOf(optimizer).idle], ['pending', 1]);
  optimizer.resume(Support);
  await settle();
  assert.equal(waiter.state, 'resolved');
});

test('what was lost meanwhile is restored up to minIdle after resume', async () => {
  const { optimizer, Support } = await suspended(1, { pool: { max: 2, minIdle: 1, maxAgeMs: 1_000 } });
  optimizer.resume(Support);
  await settle();
  const agent = await optimizer.pooled(Support);
  optimizer.suspend(Support);
  agent.discard();
  await settle();
  optimizer.resume(Support);
  await settle();
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('shared: no new lease meanwhile, all that fit at resume', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { reuse: 'shared', max: 2 } });
  const holder = await optimizer.pooled(Support);
  optimizer.suspend(Support);
  assert.equal(optimizer.tryPooled(Support), undefined);
  const waiters = [watch(optimizer.pooled(Support)), watch(optimizer.pooled(Support))];
  holder.release();
  await settle();
  assert.deepEqual(
    waiters.map(({ state }) => state),
    ['pending', 'pending'],
  );
  optimizer.resume(Support);
  await settle();
  assert.deepEqual(
    waiters.map((each) => valueOf(each).resources.id),
    [1, 1],
  );
});

test('single-use and overflow entries are served after resume too', async () => {
  for (const pool of [{ reuse: 'single-use' }, { max: 1 }] satisfies PoolOptions[]) {
    const { optimizer, Support } = await suspended(0, { pool });
    const waiter = watch(optimizer.pooled(Support));
    optimizer.resume(Support);
    await settle();
    assert.equal(valueOf(waiter).resources.id, 1);
  }
});

test('a waiter that gives up meanwhile is not served after', async () => {
  const { optimizer, Support } = await suspended(1);
  const controller = new AbortController();
  const gone = watch(optimizer.pooled(Support, undefined, { signal: controller.signal }));
  const stays = watch(optimizer.pooled(Support));
  controller.abort();
  await settle();
  assert.equal(codeOf(gone), 'ACQUIRE_ABORTED');
  optimizer.resume(Support);
  await settle();
  assert.equal(valueOf(stays).resources.id, 1);
  assert.equal(snapshotOf(optimizer).leased, 1);
});

test('a tenant’s limit still holds at resume', async () => {
  const { optimizer, Support } = await suspended(2, { pool: { tenantBurst: 1 } });
  const waiters = ['acme', 'acme', 'globex'].map((tenant) => watch(optimizer.pooled(Support, undefined, { tenant })));
  await settle();
  optimizer.resume(Support);
  await settle();
  assert.deepEqual(
    waiters.map(({ state }) => state),
    ['resolved', 'pending', 'resolved'],
  );
});

test('suspending and resuming twice changes nothing and is told once', async () => {
  const { optimizer, Support } = await suspended(1);
  const events = record(optimizer, 'pool.suspended', 'pool.resumed');
  optimizer.suspend(Support);
  optimizer.resume(Support);
  optimizer.resume(Support);
  assert.deepEqual(
    events.map(({ name }) => name),
    ['pool.resumed'],
  );
  assert.equal(snapshotOf(optimizer).state, 'running');
  assert.ok(optimizer.tryPooled(Support));
});

test('a drain of a suspended pool serves those who wait', async () => {
  for (const idle of [1, 0]) {
    const { optimizer, Support } = await suspended(idle);
    const waiter = watch(optimizer.pooled(Support));
    const draining = watch(optimizer.drain({ timeoutMs: 10_000 }));
    await settle();
    valueOf(waiter).release();
    await settle();
    assert.equal(valueOf(draining)[0]?.drained, true);
    await assert.rejects(optimizer.pooled(Support), coded('POOL_DRAINING'));
  }
});

test('a close of a suspended pool refuses those who wait, and settles', async () => {
  const { optimizer, Support } = await suspended(1);
  const waiter = watch(optimizer.pooled(Support));
  const closing = watch(optimizer.close());
  await settle();
  assert.equal(codeOf(waiter), 'POOL_CLOSED');
  assert.equal(closing.state, 'resolved');
  optimizer.resume(Support);
  assert.equal(snapshotOf(optimizer).state, 'closed');
});

test('a pool that drains or is closed cannot be suspended, an unknown one neither suspended nor resumed', async () => {
  const { optimizer } = desk();
  optimizer.register(agentClass());
  assert.throws(() => optimizer.suspend('nobody'), coded('TYPE_UNKNOWN'));
  assert.throws(() => optimizer.resume('nobody'), coded('TYPE_UNKNOWN'));
  await optimizer.drain();
  assert.throws(() => optimizer.suspend('test'), coded('POOL_DRAINING'));
  await optimizer.close();
  assert.throws(() => optimizer.suspend('test'), coded('POOL_CLOSED'));
});

test('health checks and lives go on while suspended', async () => {
  const { optimizer, clock } = await suspended(1, { pool: { maxAgeMs: 1_000 } });
  await clock.advance(1_200);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { expired: 1 });
});

test('a suspension sheds nobody: who waits for its end does so until waitMs', async () => {
  const { optimizer, clock, Support } = await suspended(1, { pool: { queueTargetMs: 100, waitMs: 20_000 } });
  const waiters = [watch(optimizer.pooled(Support)), watch(optimizer.pooled(Support))];
  await clock.advance(15_000);
  assert.deepEqual(
    waiters.map(({ state }) => state),
    ['pending', 'pending'],
  );
});

test('whoever waits until all is ready hears of the resume', async () => {
  const { optimizer, Support } = await suspended(1);
  const ready = watch(optimizer.whenReady());
  await settle();
  assert.equal(ready.state, 'pending');
  optimizer.resume(Support);
  await settle();
  assert.deepEqual([optimizer.notReady(), ready.state], [[], 'resolved']);
});
