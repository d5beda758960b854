/** `single-use`: made in advance, used once, replaced in the background. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { GatedFactory, settle } from '@sophia-ai/core/testing';

import { agentClass, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Recipe, Thing } from './support/agents.ts';

function singleUse(recipe: Recipe = {}): ReturnType<typeof agentClass> {
  return agentClass({ ...recipe, pool: { reuse: 'single-use', max: 3, ...recipe.pool } });
}

test('no entry serves twice, not even one whose resources were never read', async () => {
  const { optimizer } = desk();
  const destroyed: number[] = [];
  const Sandbox = singleUse({ destroy: ({ id }) => void destroyed.push(id) });
  for (let use = 1; use <= 4; use += 1) {
    const agent = await optimizer.pooled(Sandbox);
    if (use % 2 === 0) assert.equal(agent.resources.id, use);
    agent.release();
    await settle();
  }
  assert.deepEqual(destroyed, [1, 2, 3, 4]);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { 'single-use': 4 });
});

test('what was prewarmed is handed out at once and replaced in the background, as many as were asked for', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index + 1 }));
  const Sandbox = singleUse({ pool: { max: 4 }, create: factory.create, destroy: factory.destroy });
  const prewarmed = watch(optimizer.prewarm(Sandbox, { count: 2 }));
  await settle();
  await factory.open();
  await factory.open();
  assert.equal(valueOf(prewarmed).created, 2);
  assert.equal(factory.started, 2, 'prewarming makes no more than it was asked for');
  const agent = optimizer.tryPooled(Sandbox);
  await settle();
  assert.equal(factory.waiting, 1, 'the replacement is under way while the first is in use');
  await factory.open();
  assert.equal(snapshotOf(optimizer).idle, 2);
  agent?.release();
  await settle();
  assert.equal(factory.started, 3);
});

test('prewarming never makes more than max, with borrowers coming meanwhile and parallelism low', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index + 1 }));
  const Sandbox = singleUse({ pool: { max: 3 }, create: factory.create });
  void optimizer.prewarm(Sandbox, { parallel: 1 });
  const borrowers = [watch(optimizer.pooled(Sandbox)), watch(optimizer.pooled(Sandbox))];
  await settle();
  for (let round = 0; round < 6; round += 1) if (factory.waiting > 0) await factory.open();
  assert.equal(factory.started, 3);
  for (const borrower of borrowers) valueOf(borrower);
});

test('a burst beyond the warm ones waits for creations, never for a second use', async () => {
  const { optimizer } = desk();
  const Sandbox = singleUse({ pool: { max: 2 } });
  const ids: number[] = [];
  await Promise.all(
    Array.from({ length: 10 }, () =>
      optimizer.use(Sandbox, undefined, async ({ resources }) => {
        ids.push(resources.id);
        await settle();
      }),
    ),
  );
  assert.deepEqual(
    ids.toSorted((a, b) => a - b),
    Array.from({ length: 10 }, (_, index) => index + 1),
  );
});

test('an entry given back because its borrower left before it saw the agent is still unused', async () => {
  const { optimizer } = desk();
  const Sandbox = singleUse({
    construct: () => {
      throw new Error('no');
    },
  });
  await optimizer.prewarm(Sandbox, { count: 1 });
  await assert.rejects(optimizer.pooled(Sandbox));
  const { idle, counters } = snapshotOf(optimizer);
  assert.deepEqual(counters.destroyed, {});
  assert.ok(idle >= 1);
});
