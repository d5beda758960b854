/** `shared`: one entry serves many leases at once and is never destroyed under any of them. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { GatedFactory, settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Recipe, TestAgent, Thing, Watched } from './support/agents.ts';

function shared(recipe: Recipe = {}): ReturnType<typeof agentClass> {
  return agentClass({ ...recipe, pool: { reuse: 'shared', max: 3, ...recipe.pool } });
}

const agents = (watched: readonly Watched<TestAgent>[]): TestAgent[] => watched.map((each) => valueOf(each));

test('up to max leases share one entry, made once; each has an agent of its own', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index + 1 }));
  const Support = shared({ create: factory.create });
  const borrowers = await borrowAll(optimizer, Support, 4);
  assert.equal(factory.started, 1);
  await factory.open();
  const [a, b, c] = agents(borrowers.slice(0, 3));
  assert.equal(new Set([a, b, c]).size, 3);
  assert.equal(a?.resources, c?.resources);
  assert.equal(borrowers[3]?.state, 'pending');
  b?.release();
  await settle();
  assert.equal(valueOf(borrowers[3] as Watched<TestAgent>).resources, a?.resources);
  assert.equal(factory.started, 1);
});

test('a shared class needs no reset, and none is run', async () => {
  const { optimizer } = desk();
  let resets = 0;
  const Support = shared({ reset: () => (resets += 1) });
  const agent = await optimizer.pooled(Support);
  assert.ok(agent.resources);
  agent.release();
  await settle();
  assert.equal(resets, 0);
});

test('a failed call does not destroy the entry under the others', async () => {
  const { optimizer } = desk();
  const destroyed: Thing[] = [];
  const Support = shared({
    destroy: (thing) => void destroyed.push(thing),
    execute: (agent) => {
      assert.ok(agent.resources);
      throw new Error('x');
    },
  });
  const [a, b] = agents(await borrowAll(optimizer, Support, 2));
  await assert.rejects(a?.run(1) ?? Promise.resolve());
  a?.release();
  await settle();
  assert.equal(b?.resources.id, 1);
  b?.release();
  await settle();
  assert.deepEqual(destroyed, []);
  assert.equal((await optimizer.pooled(Support)).resources.id, 1);
});

test('discard retires: no new leases, the others keep it, destroyed after the last, a new one serves newcomers', async () => {
  const { optimizer } = desk();
  const destroyed: number[] = [];
  const Support = shared({ destroy: ({ id }) => void destroyed.push(id) });
  const [a, b] = agents(await borrowAll(optimizer, Support, 2));
  a?.discard();
  await settle();
  assert.equal(b?.resources.id, 1);
  const newcomer = await optimizer.pooled(Support);
  assert.equal(newcomer.resources.id, 2);
  assert.deepEqual(destroyed, []);
  b?.release();
  await settle();
  assert.deepEqual(destroyed, [1]);
  assert.equal(newcomer.resources.id, 2);
});

test('max counts leases of retired entries too', async () => {
  const { optimizer } = desk();
  const Support = shared({ pool: { max: 2 } });
  const [a, b] = agents(await borrowAll(optimizer, Support, 2));
  a?.discard();
  const next = watch(optimizer.pooled(Support));
  const after = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(valueOf(next).resources.id, 2);
  assert.equal(after.state, 'pending');
  b?.release();
  await settle();
  assert.equal(valueOf(after).resources.id, 2);
});

test('discarding twice, by two borrowers, ends the entry once', async () => {
  const { optimizer } = desk();
  const destroyed: number[] = [];
  const Support = shared({ destroy: ({ id }) => void destroyed.push(id) });
  const [a, b] = agents(await borrowAll(optimizer, Support, 2));
  a?.discard();
  b?.discard();
  await settle();
  assert.deepEqual(destroyed, [1]);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { discarded: 1 });
});

test('resize lets waiters in at once, and a lower max lets none in until enough have left', async () => {
  const { optimizer } = desk();
  const Support = shared({ pool: { max: 1 } });
  const borrowers = await borrowAll(optimizer, Support, 4);
  optimizer.resize(Support, 3);
  await settle();
  assert.equal(borrowers.filter(({ state }) => state === 'resolved').length, 3);
  optimizer.resize(Support, 1);
  borrowers[0]?.value?.release();
  borrowers[1]?.value?.release();
  await settle();
  assert.equal(borrowers[3]?.state, 'pending');
  borrowers[2]?.value?.release();
  await settle();
  assert.equal(borrowers[3]?.state, 'resolved');
});

test('prewarm makes the one entry, whatever count says', async () => {
  const { optimizer } = desk();
  const Support = shared();
  const report = await optimizer.prewarm(Support, { count: 3 });
  assert.deepEqual([report.requested, report.created], [1, 1]);
  assert.equal((await optimizer.prewarm(Support)).requested, 0);
  assert.equal(snapshotOf(optimizer).size, 3);
});

test('close revokes all leases and destroys the entry once', async () => {
  const { optimizer } = desk();
  const destroyed: number[] = [];
  const Support = shared({ destroy: ({ id }) => void destroyed.push(id) });
  const held = agents(await borrowAll(optimizer, Support, 3));
  const [report] = await optimizer.close({ timeoutMs: 0 });
  assert.equal(report?.revoked.length, 3);
  assert.deepEqual(destroyed, [1]);
  for (const agent of held) assert.throws(() => agent.resources);
});

test('an unhealthy shared entry is replaced: no new leases on it, those it has go on', async () => {
  const { optimizer, clock } = desk();
  let healthy = true;
  const destroyed: number[] = [];
  const Support = shared({
    pool: { validateEveryMs: 1_000 },
    validate: () => healthy,
    destroy: ({ id }) => void destroyed.push(id),
  });
  const holder = await optimizer.pooled(Support);
  healthy = false;
  await clock.advance(1_100);
  healthy = true;
  assert.equal(holder.resources.id, 1);
  assert.equal((await optimizer.pooled(Support)).resources.id, 2);
  holder.release();
  await settle();
  assert.deepEqual(destroyed, [1]);
});

test('an unhealthy shared entry that nobody holds is destroyed', async () => {
  const { optimizer, clock } = desk();
  const destroyed: number[] = [];
  const Support = shared({
    pool: { validateEveryMs: 1_000 },
    validate: () => false,
    destroy: ({ id }) => void destroyed.push(id),
  });
  (await optimizer.pooled(Support)).release();
  await clock.advance(1_100);
  assert.deepEqual(destroyed, [1]);
});
