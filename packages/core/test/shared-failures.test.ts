/** One failed run is its borrower's; a row of them on a shared entry is the entry's, and has it looked at. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { InputError } from '@sophia-ai/core';
import type { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, desk, record, snapshotOf, watch } from './support/agents.ts';
import type { MadeClass, Recipe, TestAgent } from './support/agents.ts';

/** So many failures in a row make an entry suspect. */
const ROW = 5;

/** A shared class whose runs read the resources and then throw what they are given, if it is an error. */
function shared(recipe: Recipe = {}): { Shared: MadeClass; destroyed: number[] } {
  const destroyed: number[] = [];
  const Shared = agentClass({
    execute: (agent, input) => {
      assert.ok(agent.resources);
      if (input instanceof Error) throw input;
      return agent.resources.id;
    },
    destroy: ({ id }) => void destroyed.push(id),
    ...recipe,
    pool: { reuse: 'shared', max: 4, ...recipe.pool },
  });
  return { Shared, destroyed };
}

async function fail(agent: TestAgent, times: number, error: Error = new Error('connection lost')): Promise<void> {
  for (let run = 0; run < times; run += 1) await assert.rejects(agent.run(error));
  await settle();
}

/** Fails five runs in a row on one lease of its own. */
async function failRow(optimizer: AgnoPerformanceOptimizer, Shared: MadeClass): Promise<void> {
  const agent = await optimizer.pooled(Shared);
  await fail(agent, ROW);
  agent.release();
  await settle();
}

test('five failures in a row replace the entry; the leases that it has go on', async () => {
  const { optimizer, clock } = desk();
  const { Shared, destroyed } = shared();
  const [failing, other] = [await optimizer.pooled(Shared), await optimizer.pooled(Shared)];
  await fail(failing, ROW - 1);
  assert.equal(optimizer.tryPooled(Shared)?.resources.id, 1, 'four are not enough');
  await fail(failing, 1);
  const newcomer = watch(optimizer.pooled(Shared));
  await clock.advance(200);
  assert.equal(newcomer.value?.resources.id, 2);
  assert.deepEqual(destroyed, []);
  assert.equal(await other.run('still'), 1);
  assert.equal(await failing.run('still'), 1);
  for (const { leaseId } of snapshotOf(optimizer).holders) if (leaseId !== 4) optimizer.revoke(Shared, leaseId);
  await settle();
  assert.deepEqual(destroyed, [1]);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { failing: 1 });
});

test('failures of several borrowers make one row', async () => {
  const { optimizer } = desk();
  const { Shared, destroyed } = shared();
  for (let borrower = 0; borrower < ROW; borrower += 1) {
    const agent = await optimizer.pooled(Shared);
    await fail(agent, 1);
    agent.release();
  }
  await settle();
  assert.deepEqual(destroyed, [1]);
});

test('failures at the same time make one row, and one replacement', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'agent.create-failed');
  const { Shared, destroyed } = shared();
  const agent = await optimizer.pooled(Shared);
  await Promise.allSettled(Array.from({ length: 3 * ROW }, () => agent.run(new Error('x'))));
  agent.release();
  await settle();
  assert.deepEqual(destroyed, [1]);
  assert.equal(events.length, 1);
});

test('a success in between begins the count anew', async () => {
  const { optimizer } = desk();
  const { Shared } = shared();
  const [a, b] = [await optimizer.pooled(Shared), await optimizer.pooled(Shared)];
  for (let round = 0; round < 3; round += 1) {
    await fail(a, ROW - 1);
    assert.equal(await b.run('fine'), 1);
  }
  assert.equal(optimizer.tryPooled(Shared)?.resources.id, 1);
});

test('the borrower’s own mistakes and aborts, and what survives() accepts, are not counted', async () => {
  const { optimizer } = desk();
  const { Shared } = shared({
    survives: (error) => (error as Error).message === 'rate limit',
    execute: (agent, input) => {
      assert.ok(agent.resources);
      if (input instanceof Error) throw input;
      return new Promise(() => undefined);
    },
  });
  const agent = await optimizer.pooled(Shared);
  await fail(agent, 2 * ROW, new InputError('no such order'));
  await fail(agent, 2 * ROW, new Error('rate limit'));
  for (let run = 0; run < 2 * ROW; run += 1) {
    const controller = new AbortController();
    const aborted = watch(agent.run('forever', { signal: controller.signal }));
    await settle();
    controller.abort();
    await settle();
    assert.equal(aborted.state, 'rejected');
  }
  assert.equal(optimizer.tryPooled(Shared)?.resources.id, 1);
  // They do not end a row either.
  await fail(agent, ROW - 1);
  await fail(agent, 1, new InputError('no such order'));
  await fail(agent, 1);
  assert.equal(optimizer.tryPooled(Shared), undefined);
});

test('a lease that ends with runs open is its borrower’s doing, not the entry’s', async () => {
  const { optimizer } = desk();
  const { Shared } = shared({ execute: (agent) => agent.resources && new Promise(() => undefined) });
  const hasty = await optimizer.pooled(Shared);
  const runs = Array.from({ length: ROW }, () => watch(hasty.run('forever')));
  await settle();
  hasty.release();
  await settle();
  assert.ok(runs.every(({ state }) => state === 'rejected'));
  assert.equal(optimizer.tryPooled(Shared)?.resources.id, 1);
});

test('runs that fail without having read the resources say nothing of the entry', async () => {
  const { optimizer } = desk();
  const { Shared } = shared({
    execute: () => {
      throw new Error('before');
    },
  });
  const agent = await optimizer.pooled(Shared);
  await fail(agent, 2 * ROW);
  assert.equal(optimizer.tryPooled(Shared)?.resources.id, 1);
});

test('where the class has validate, that decides, at once: healthy keeps the entry and begins the count anew', async () => {
  const { optimizer } = desk();
  let looks = 0;
  const { Shared } = shared({
    validate: () => {
      looks += 1;
      return true;
    },
  });
  const agent = await optimizer.pooled(Shared);
  await fail(agent, ROW);
  assert.equal(looks, 1);
  await fail(agent, ROW - 1);
  assert.equal(looks, 1);
  await fail(agent, 1);
  assert.equal(looks, 2);
  assert.equal(optimizer.tryPooled(Shared)?.resources.id, 1);
});

test('a validate that fails then retires the entry: no new lease on it, those it has go on', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'agent.validate-failed');
  const { Shared, destroyed } = shared({ validate: ({ id }) => id > 1 });
  const agent = await optimizer.pooled(Shared);
  await fail(agent, ROW);
  assert.equal(events.length, 1);
  assert.equal((await optimizer.pooled(Shared)).resources.id, 2, 'without a pause: creation is not in doubt');
  assert.equal(await agent.run('still'), 1);
  agent.release();
  await settle();
  assert.deepEqual(destroyed, [1]);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { 'validate-failed': 1 });
});

test('entries that fail one after the other are replaced after growing pauses', async () => {
  const { optimizer, clock } = desk();
  const { Shared, destroyed } = shared({ pool: { createAttempts: 10 } });
  for (const [index, pauseMs] of [100, 200, 400].entries()) {
    await failRow(optimizer, Shared);
    assert.equal(destroyed.length, index + 1);
    const waiter = watch(optimizer.pooled(Shared));
    await clock.advance(pauseMs - 2);
    assert.equal(waiter.state, 'pending', `not before ${pauseMs} ms`);
    await clock.advance(20);
    assert.equal(waiter.value?.resources.id, index + 2);
    waiter.value?.release();
  }
});

test('an entry that has served well in between ends the row of failing entries', async () => {
  const { optimizer, clock } = desk();
  const { Shared } = shared();
  for (let incident = 1; incident <= 5; incident += 1) {
    await failRow(optimizer, Shared);
    const waiter = watch(optimizer.pooled(Shared));
    await clock.advance(120);
    assert.equal(waiter.state, 'resolved', `incident ${incident}: ${String(waiter.error)}`);
    assert.equal(await waiter.value?.run('fine'), incident + 1);
    waiter.value?.release();
    await clock.advance(3_600_000);
  }
});

test('an exclusive entry is not concerned: it is dirty after the first failure', async () => {
  const { optimizer } = desk();
  const { Shared, destroyed } = shared({ pool: { reuse: 'exclusive', max: 1 } });
  const agent = await optimizer.pooled(Shared);
  await fail(agent, 2 * ROW);
  assert.deepEqual(destroyed, []);
  agent.release();
  await settle();
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { dirty: 1 });
});

test('minIdle makes another entry, after the pause, though nobody asks', async () => {
  const { optimizer, clock } = desk();
  const { Shared, destroyed } = shared({ pool: { minIdle: 1 } });
  await failRow(optimizer, Shared);
  assert.deepEqual(destroyed, [1]);
  await clock.advance(120);
  assert.equal(optimizer.tryPooled(Shared)?.resources.id, 2);
});

test('close while validate looks at a failing entry settles', async () => {
  const { optimizer, clock } = desk();
  const { Shared, destroyed } = shared({
    pool: { validateTimeoutMs: 100 },
    validate: () => new Promise(() => undefined),
  });
  const agent = await optimizer.pooled(Shared);
  await fail(agent, ROW);
  agent.release();
  const closing = watch(optimizer.close());
  await clock.advance(200);
  assert.equal(closing.state, 'resolved');
  assert.deepEqual(destroyed, [1]);
});
