/** What all tried pools got wrong: a release that comes late, twice, or from elsewhere. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, coded, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';

test('a second release after the entry was borrowed again changes nothing and is counted', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const events = record(optimizer, 'lease.released-again');
  const first = await optimizer.pooled(Support, undefined, { owner: 'first' });
  first.release();
  const second = await optimizer.pooled(Support, undefined, { owner: 'second' });
  const third = watch(optimizer.pooled(Support));

  first.release();
  await settle();

  assert.equal(third.state, 'pending', 'the entry of the second borrower was not given away');
  assert.equal(second.resources.id, 1);
  const snapshot = snapshotOf(optimizer);
  assert.equal(snapshot.counters.releasedAgain, 1);
  assert.deepEqual(
    snapshot.holders.map(({ owner }) => owner),
    ['second'],
  );
  assert.equal(events.length, 1);
  assert.equal(events[0]?.payload.owner, 'first');
});

test('a late discard does not destroy the next borrower’s resources', async () => {
  const { optimizer } = desk();
  const destroyed: number[] = [];
  const Support = agentClass({ pool: { max: 1 }, destroy: ({ id }) => void destroyed.push(id) });
  const first = await optimizer.pooled(Support);
  first.release();
  const second = await optimizer.pooled(Support);

  first.discard();
  await settle();
  assert.deepEqual(destroyed, []);
  second.release();
  await settle();
  assert.deepEqual(destroyed, [], 'nor after its own, clean end');
});

test('releasing twice at once frees one place, not two', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const first = await optimizer.pooled(Support);
  const waiting = [watch(optimizer.pooled(Support)), watch(optimizer.pooled(Support))];

  first.release();
  first.release();
  await settle();

  assert.deepEqual(
    waiting.map(({ state }) => state),
    ['resolved', 'pending'],
  );
  assert.equal(snapshotOf(optimizer).counters.releasedAgain, 1);
});

test('every way to end a lease counts as a release: dispose, async dispose, discard, release by the optimizer', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const ends = [
    (agent: InstanceType<typeof Support>) => agent[Symbol.dispose](),
    (agent: InstanceType<typeof Support>) => agent[Symbol.asyncDispose](),
    (agent: InstanceType<typeof Support>) => agent.discard(),
    (agent: InstanceType<typeof Support>) => optimizer.release(agent),
  ];
  let late = 0;
  for (const first of ends) {
    for (const second of ends) {
      const agent = await optimizer.pooled(Support);
      await first(agent);
      await settle();
      const next = await optimizer.pooled(Support);
      await second(agent);
      late += 1;
      assert.equal(snapshotOf(optimizer).leased, 1);
      assert.equal(snapshotOf(optimizer).counters.releasedAgain, late);
      next.release();
      await settle();
    }
  }
});

test('a release while the entry is being reset does not make it serve early', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const Support = agentClass({ pool: { max: 1 }, reset: () => gate.promise });
  const first = await optimizer.pooled(Support);
  assert.equal(first.resources.id, 1);
  first.release();
  const second = watch(optimizer.pooled(Support));
  first.release();
  await settle();
  assert.equal(second.state, 'pending');
  assert.equal(snapshotOf(optimizer).resetting, 1);
  gate.resolve();
  await settle();
  assert.equal(valueOf(second).resources.id, 1);
});

test('a late release after the lease was revoked by close changes nothing', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass();
  const agent = await optimizer.pooled(Support);
  const closed = watch(optimizer.close({ timeoutMs: 10 }));
  await clock.advance(10);
  valueOf(closed);
  agent.release();
  agent.discard();
  await settle();
  const snapshot = snapshotOf(optimizer);
  assert.equal(snapshot.leased, 0);
  assert.equal(snapshot.counters.releasedAgain, 2);
  assert.deepEqual(snapshot.counters.destroyed, { revoked: 1 });
});

test('an agent of another optimizer is refused as foreign and stays borrowed there', async () => {
  const here = desk();
  const there = desk();
  const Support = agentClass();
  const agent = await there.optimizer.pooled(Support);
  await here.optimizer.pooled(Support);
  assert.throws(() => here.optimizer.release(agent), coded('LEASE_FOREIGN'));
  assert.equal(snapshotOf(there.optimizer).leased, 1);
  assert.equal(snapshotOf(here.optimizer).leased, 1);
  agent.release();
  assert.equal(snapshotOf(there.optimizer).leased, 0);
});

test('an agent made with new has no lease: each use is refused by name, its config is readable', () => {
  const Support = agentClass({ type: 'support' });
  const agent = new Support();
  assert.equal(agent.config, undefined);
  assert.equal(agent.scratch, 'own field');
  for (const use of [
    () => agent.resources,
    () => agent.signal,
    () => agent.release(),
    () => agent.discard(),
    () => agent[Symbol.dispose](),
    () => agent.stream('x'),
  ]) {
    assert.throws(use, coded('LEASE_FOREIGN', "'support'", 'pooled('));
  }
  assert.throws(() => new AgnoPerformanceOptimizer().release(agent), coded('LEASE_FOREIGN'));
});

test('run of an agent made with new rejects as foreign', async () => {
  const Support = agentClass();
  await assert.rejects(new Support().run('x'), coded('LEASE_FOREIGN'));
});

test('optimizer.release refuses whatever is no agent', () => {
  const { optimizer } = desk();
  for (const junk of [undefined, null, 1, 'agent', {}, [], () => undefined, Symbol('agent')]) {
    assert.throws(() => optimizer.release(junk as never), coded('LEASE_FOREIGN'));
  }
});

test('an object that only inherits from a borrowed agent does not end its lease', async () => {
  const { optimizer } = desk();
  const agent = await optimizer.pooled(agentClass());
  assert.throws(() => optimizer.release(Object.create(agent) as typeof agent), coded('LEASE_FOREIGN'));
  assert.equal(snapshotOf(optimizer).leased, 1);
});
