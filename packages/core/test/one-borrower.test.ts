/** An exclusive entry is never held by two leases. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Thing } from './support/agents.ts';

test('as many entries as borrowers, each held by one, and no more than max', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 4 } });
  const borrowers = await borrowAll(optimizer, Support, 6);
  const things = borrowers.slice(0, 4).map((borrower) => valueOf(borrower).resources);
  assert.equal(new Set(things).size, 4);
  assert.deepEqual(
    borrowers.slice(4).map(({ state }) => state),
    ['pending', 'pending'],
  );
});

test('200 borrowers that work, fail, abort and discard never meet another’s hands on the same thing', async () => {
  const { optimizer, clock } = desk();
  const hands = new Map<Thing, number>();
  let most = 0;
  const Support = agentClass({
    pool: { max: 5 },
    reset: async () => settle(),
    execute: async (agent, input) => {
      const { resources } = agent;
      hands.set(resources, (hands.get(resources) ?? 0) + 1);
      most = Math.max(most, ...hands.values());
      await settle();
      hands.set(resources, (hands.get(resources) as number) - 1);
      if ((input as number) % 7 === 0) throw new Error('seventh');
      return input;
    },
  });
  const work = async (index: number): Promise<void> => {
    const agent = await optimizer.pooled(Support);
    const controller = new AbortController();
    const run = agent.run(index, { signal: controller.signal }).catch(() => undefined);
    if (index % 11 === 0) controller.abort();
    await run;
    if (index % 5 === 0) agent.discard();
    agent.release();
    agent.release();
  };
  const all = Promise.all(Array.from({ length: 200 }, (_, index) => work(index)));
  const done = watch(all);
  while (done.state === 'pending') await clock.advance(1);
  valueOf(done);
  assert.equal(most, 1);
  const { leased, idle, counters } = snapshotOf(optimizer);
  assert.equal(leased, 0);
  assert.equal(counters.handOuts, 200);
  assert.ok(idle <= 5);
});

test('an idle entry that was used last is handed out first, as its caches are warm', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 3 } });
  const [a, b, c] = (await borrowAll(optimizer, Support, 3)).map((borrower) => valueOf(borrower));
  const last = b?.resources.id;
  a?.release();
  c?.release();
  b?.release();
  assert.equal((await optimizer.pooled(Support)).resources.id, last);
});

test('two optimizers share no entry of a class', async () => {
  const Support = agentClass();
  const one = desk().optimizer;
  const other = desk().optimizer;
  const [a, b] = await Promise.all([one.pooled(Support), other.pooled(Support)]);
  assert.notEqual(a.resources, b.resources);
  await one.close({ timeoutMs: 0 });
  assert.ok(b.resources, 'closing one leaves the other as it is');
});

test('making another optimizer leaves the default one as it is', async () => {
  const before = AgnoPerformanceOptimizer.default;
  const Support = agentClass({ type: 'one-borrower-default' });
  const agent = await Support.pooled();
  assert.ok(new AgnoPerformanceOptimizer() !== before);
  assert.equal(AgnoPerformanceOptimizer.default, before);
  assert.equal(agent.resources.id, 1);
  assert.equal(Support.tryPooled(), undefined, 'nothing else is warm');
  agent.release();
  assert.equal(await Support.use(undefined, ({ resources }) => resources.id), 1);
  await before.close();
});
