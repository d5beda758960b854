/** A returned entry rests before it is reset, so that what its borrower started late meets nobody. */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, coded, codeOf, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Desk, MadeClass, Recipe, TestAgent, Thing } from './support/agents.ts';

function cooling(pool: PoolOptions = {}, recipe: Recipe = {}): { Cooling: MadeClass; steps: string[] } {
  const steps: string[] = [];
  const Cooling = agentClass({
    pool: { max: 1, coolDownMs: 100, ...pool },
    reset: (thing) => {
      steps.push(`reset ${thing.id}`);
      delete thing.notes;
    },
    destroy: ({ id }) => void steps.push(`destroy ${id}`),
    ...recipe,
  });
  return { Cooling, steps };
}

/** Borrows, touches and gives back. */
async function returned({ optimizer }: Desk, Class: MadeClass): Promise<{ agent: TestAgent; thing: Thing }> {
  const agent = await optimizer.pooled(Class);
  const thing = agent.resources;
  agent.release();
  await settle();
  return { agent, thing };
}

test('a returned entry rests before its reset, holds its place, and serves the waiter after', async () => {
  const house = desk();
  const { optimizer, clock } = house;
  const { Cooling, steps } = cooling();
  await returned(house, Cooling);
  const waiter = watch(optimizer.pooled(Cooling));
  await clock.advance(99);
  const { quarantined, resetting, idle, size, leased } = snapshotOf(optimizer);
  assert.deepEqual(
    { quarantined, resetting, idle, size, leased },
    { quarantined: 1, resetting: 0, idle: 0, size: 0, leased: 0 },
  );
  assert.deepEqual(steps, []);
  assert.equal(waiter.state, 'pending');
  assert.equal(snapshotOf(optimizer).counters.created, 1, 'a resting entry counts in max');
  await clock.advance(1);
  assert.deepEqual(steps, ['reset 1']);
  assert.equal(valueOf(waiter).resources.id, 1);
});

test('what the former borrower writes late, within the cool-down, is reset away', async () => {
  const house = desk();
  const { Cooling } = cooling();
  const { thing } = await returned(house, Cooling);
  await house.clock.advance(50);
  thing.notes = ['written by a late callback'];
  await house.clock.advance(50);
  assert.equal((await house.optimizer.pooled(Cooling)).resources.notes, undefined);
});

test('a stateless entry rests too', async () => {
  const house = desk();
  const { Cooling } = cooling({}, { reset: 'stateless' });
  await returned(house, Cooling);
  await house.clock.advance(99);
  assert.equal(house.optimizer.tryPooled(Cooling), undefined);
  await house.clock.advance(1);
  assert.equal(house.optimizer.tryPooled(Cooling)?.resources.id, 1);
});

test('what nobody touched needs no rest, and what is dirty gets none', async () => {
  const { optimizer } = desk();
  const { Cooling, steps } = cooling();
  (await optimizer.pooled(Cooling)).release();
  assert.equal(snapshotOf(optimizer).idle, 1);
  const agent = await optimizer.pooled(Cooling);
  assert.ok(agent.resources);
  agent.discard();
  await settle();
  assert.deepEqual(steps, ['destroy 1']);
});

test('each entry rests for its own time', async () => {
  const house = desk();
  const { optimizer, clock } = house;
  const { Cooling, steps } = cooling({ max: 2 });
  const [first, second] = [await optimizer.pooled(Cooling), await optimizer.pooled(Cooling)];
  assert.ok(first.resources.id !== second.resources.id);
  first.release();
  await clock.advance(60);
  second.release();
  await clock.advance(40);
  assert.deepEqual(steps, ['reset 1']);
  await clock.advance(59);
  assert.deepEqual(steps, ['reset 1']);
  await clock.advance(1);
  assert.deepEqual(steps, ['reset 1', 'reset 2']);
});

test('a borrower whose wait is shorter than the rest is refused in time, and the entry serves the next', async () => {
  const house = desk();
  const { optimizer, clock } = house;
  const { Cooling } = cooling();
  await returned(house, Cooling);
  const impatient = watch(optimizer.pooled(Cooling, undefined, { waitMs: 40 }));
  await clock.advance(40);
  assert.equal(codeOf(impatient), 'ACQUIRE_TIMEOUT');
  await clock.advance(60);
  assert.equal(optimizer.tryPooled(Cooling)?.resources.id, 1);
});

test('close while an entry rests destroys it at once, without a reset, and settles', async () => {
  const house = desk();
  const { optimizer, clock } = house;
  const { Cooling, steps } = cooling({ coolDownMs: 60_000 });
  await returned(house, Cooling);
  const waiter = watch(optimizer.pooled(Cooling));
  await settle();
  const closing = watch(optimizer.close());
  await settle();
  assert.equal(closing.state, 'resolved');
  assert.equal(codeOf(waiter), 'POOL_CLOSED');
  assert.deepEqual(steps, ['destroy 1']);
  await clock.advance(120_000);
  assert.deepEqual(steps, ['destroy 1'], 'the end of the rest finds nothing to do');
});

test('a drain while an entry rests serves the waiter and settles; without waiters it does not wait for the rest', async () => {
  for (const waits of [true, false]) {
    const house = desk();
    const { optimizer, clock } = house;
    const { Cooling } = cooling();
    await returned(house, Cooling);
    const waiter = waits ? watch(optimizer.pooled(Cooling)) : undefined;
    const draining = watch(optimizer.drain({ timeoutMs: 10_000 }));
    await settle();
    assert.equal(draining.state, waits ? 'pending' : 'resolved');
    await clock.advance(100);
    if (waiter !== undefined) valueOf(waiter).release();
    await settle();
    assert.equal(valueOf(draining)[0]?.drained, true);
    const closing = watch(optimizer.close());
    await clock.advance(100);
    assert.equal(closing.state, 'resolved');
  }
});

test('resources that end by themselves while they rest serve nobody after', async () => {
  const house = desk();
  const retire: ((reason: string) => void)[] = [];
  const { Cooling } = cooling(
    {},
    {
      create: (context) => {
        retire.push(context.retire);
        return { id: retire.length };
      },
    },
  );
  await returned(house, Cooling);
  retire[0]?.('its process has ended');
  const waiter = watch(house.optimizer.pooled(Cooling));
  await house.clock.advance(120);
  assert.equal(valueOf(waiter).resources.id, 2);
  assert.deepEqual(snapshotOf(house.optimizer).counters.destroyed, { retired: 1 });
});

test('an entry that is surplus after a resize goes when it has rested', async () => {
  const { optimizer, clock } = desk();
  const { Cooling, steps } = cooling({ max: 2 });
  const held = [await optimizer.pooled(Cooling), await optimizer.pooled(Cooling)];
  for (const agent of held) assert.ok(agent.resources);
  for (const agent of held) agent.release();
  await settle();
  optimizer.resize(Cooling, 1);
  await clock.advance(101);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { surplus: 1 });
  assert.equal(snapshotOf(optimizer).idle, 1);
  assert.equal(steps.filter((step) => step.startsWith('destroy')).length, 1);
});

test('a rest keeps no process alive', async () => {
  const house = desk();
  const { Cooling } = cooling({ coolDownMs: 60_000 });
  await returned(house, Cooling);
  assert.equal(snapshotOf(house.optimizer).quarantined, 1);
  assert.equal(house.clock.holding, 0);
});

test('a negative or endless rest is refused', () => {
  for (const coolDownMs of [-1, Infinity, Number.NaN]) {
    const { optimizer } = desk();
    assert.throws(
      () => optimizer.register(agentClass({ pool: { coolDownMs } })),
      coded('OPTION_INVALID', 'coolDownMs'),
    );
  }
});
