/** `max` changes while the pool runs: up serves waiters at once, down retires on return, nobody is interrupted. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, coded, desk, record, snapshotOf, valueOf } from './support/agents.ts';

test('raising max serves waiters at once, in order', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'pool.resized');
  const Support = agentClass({ pool: { max: 1 } });
  const borrowers = await borrowAll(optimizer, Support, 5);
  optimizer.resize('test', 3);
  await settle();
  assert.deepEqual(
    borrowers.map(({ state }) => state),
    ['resolved', 'resolved', 'resolved', 'pending', 'pending'],
  );
  assert.deepEqual(events[0]?.payload, { type: 'test', before: 1, after: 3 });
  assert.equal(snapshotOf(optimizer).max, 3);
});

test('lowering max destroys idle surplus now, the longest unused first', async () => {
  const { optimizer } = desk();
  const destroyed: number[] = [];
  const Support = agentClass({ pool: { max: 4 }, destroy: ({ id }) => void destroyed.push(id) });
  const agents = (await borrowAll(optimizer, Support, 4)).map((borrower) => valueOf(borrower));
  const ids = agents.map(({ resources }) => resources.id);
  for (const agent of agents) agent.release();
  optimizer.resize(Support, 1);
  await settle();
  assert.deepEqual(destroyed, ids.slice(0, 3));
  assert.equal(snapshotOf(optimizer).idle, 1);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { surplus: 3 });
});

test('lowering max retires leased surplus on return and never interrupts its borrowers', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 3 } });
  const agents = (await borrowAll(optimizer, Support, 3)).map((borrower) => valueOf(borrower));
  optimizer.resize('test', 1);
  await settle();
  for (const agent of agents) assert.ok(agent.resources);
  for (const agent of agents) {
    agent.release();
    await settle();
  }
  assert.equal(snapshotOf(optimizer).idle, 1);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { surplus: 2 });
});

test('lowering max with waiters: they wait until there are few enough, then are served in order, none is lost', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 3 } });
  const borrowers = await borrowAll(optimizer, Support, 6);
  optimizer.resize('test', 1);
  for (let turn = 0; turn < 6; turn += 1) {
    const held = borrowers.filter(({ value, state }) => state === 'resolved' && value !== undefined);
    assert.ok(held.length === turn || held.length <= Math.max(3, turn + 1));
    valueOf(borrowers[turn] as never as (typeof borrowers)[0]).release();
    await settle();
    assert.ok(snapshotOf(optimizer).leased <= Math.max(1, 2 - turn));
  }
  assert.equal(snapshotOf(optimizer).counters.handOuts, 6);
  assert.equal(snapshotOf(optimizer).leased, 0);
});

test('lowering and raising again restores minIdle as it was set', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 4, minIdle: 3 } });
  optimizer.register(Support);
  await settle();
  assert.equal(snapshotOf(optimizer).idle, 3);
  optimizer.resize('test', 1);
  await settle();
  assert.equal(snapshotOf(optimizer).idle, 1);
  optimizer.resize('test', 4);
  await settle();
  assert.equal(snapshotOf(optimizer).idle, 3);
});

test('resizing to the same max changes nothing', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 2 } });
  await optimizer.prewarm(Support);
  optimizer.resize('test', 2);
  await settle();
  assert.deepEqual([snapshotOf(optimizer).idle, snapshotOf(optimizer).counters.created], [2, 2]);
});

test('values that are no max are refused and change nothing', async () => {
  const { optimizer } = desk();
  optimizer.register(agentClass({ pool: { max: 2 } }));
  for (const max of [0, -1, 1.5, 100_001, Number.NaN, Number.POSITIVE_INFINITY, '3', null, undefined, {}]) {
    assert.throws(() => optimizer.resize('test', max as never), coded('ARGUMENT_INVALID', 'max', '1 to 100000'));
  }
  assert.equal(snapshotOf(optimizer).max, 2);
  optimizer.resize('test', 1);
  optimizer.resize('test', 100_000);
});

test('an unknown type is refused, with the names of those that are known', () => {
  const { optimizer } = desk();
  assert.throws(() => optimizer.resize('nope', 3), coded('TYPE_UNKNOWN', '"nope"', 'none'));
  optimizer.register(agentClass({ type: 'support' }));
  assert.throws(() => optimizer.resize('nope', 3), coded('TYPE_UNKNOWN', 'support'));
  assert.throws(() => optimizer.resize(agentClass(), 3), coded('TYPE_UNKNOWN', 'class Made'));
});

test('a draining pool may be resized, so that its queue is served sooner', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const borrowers = await borrowAll(optimizer, Support, 2);
  void optimizer.drain();
  optimizer.resize('test', 2);
  await settle();
  assert.equal(borrowers[1]?.state, 'resolved');
});

test('minIdle is filled in the background at registration and after each hand-out and each end', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 5, minIdle: 2 } });
  optimizer.register(Support);
  await settle();
  assert.equal(snapshotOf(optimizer).idle, 2);
  const agent = await optimizer.pooled(Support);
  await settle();
  assert.equal(snapshotOf(optimizer).idle, 2);
  agent.discard();
  await settle();
  assert.equal(snapshotOf(optimizer).idle, 2);
  await borrowAll(optimizer, Support, 5);
  assert.deepEqual([snapshotOf(optimizer).idle, snapshotOf(optimizer).leased], [0, 5]);
});
