/** Resources may say that they have ended by themselves; and a reset may say that they are no longer clean. */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, desk, snapshotOf, valueOf, watch } from './support/agents.ts';

function mortal(pool: PoolOptions = {}): {
  Mortal: ReturnType<typeof agentClass>;
  retire: ((reason: string) => void)[];
  destroyed: number[];
} {
  const retire: ((reason: string) => void)[] = [];
  const destroyed: number[] = [];
  const Mortal = agentClass({
    pool: { max: 1, ...pool },
    create: (context) => {
      retire.push(context.retire);
      return { id: retire.length };
    },
    destroy: ({ id }) => void destroyed.push(id),
  });
  return { Mortal, retire, destroyed };
}

test('an idle entry that retires is destroyed at once and replaced up to minIdle', async () => {
  const { clock, optimizer } = desk();
  const { Mortal, retire, destroyed } = mortal({ minIdle: 1 });
  optimizer.register(Mortal);
  await clock.advance(2_000);
  retire[0]?.('its process has ended');
  retire[0]?.('twice');
  await settle();
  assert.deepEqual(destroyed, [1]);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { retired: 1 });
  assert.equal(optimizer.tryPooled(Mortal)?.resources.id, 2);
});

test('an entry that ends right after it was made is replaced no faster than a failed creation', async () => {
  const { clock, optimizer } = desk();
  const { Mortal, retire } = mortal({ minIdle: 1 });
  optimizer.register(Mortal);
  await settle();
  for (const [index, pauseMs] of [100, 200, 400, 800].entries()) {
    retire[index]?.('its process ended at once');
    await settle();
    assert.equal(snapshotOf(optimizer).creating + snapshotOf(optimizer).idle, 0, 'not before the pause is over');
    await clock.advance(pauseMs - 2);
    assert.equal(retire.length, index + 1);
    await clock.advance(20);
    assert.equal(retire.length, index + 2);
  }
});

test('a leased entry that retires serves its borrower to the end, and nobody after', async () => {
  const { optimizer } = desk();
  const { Mortal, retire, destroyed } = mortal();
  const agent = await optimizer.pooled(Mortal);
  const waiter = watch(optimizer.pooled(Mortal));
  retire[0]?.('its process has ended');
  await settle();
  assert.equal(agent.resources.id, 1);
  assert.deepEqual(destroyed, []);
  agent.release();
  await settle();
  assert.deepEqual(destroyed, [1]);
  assert.equal(valueOf(waiter).resources.id, 2);
});

test('a shared entry that retires takes no new lease and goes with its last one', async () => {
  const { optimizer } = desk();
  const { Mortal, retire, destroyed } = mortal({ reuse: 'shared', max: 3 });
  const first = await optimizer.pooled(Mortal);
  const second = await optimizer.pooled(Mortal);
  retire[0]?.('its process has ended');
  assert.equal((await optimizer.pooled(Mortal)).resources.id, 2);
  first.release();
  await settle();
  assert.deepEqual(destroyed, []);
  second.release();
  await settle();
  assert.deepEqual(destroyed, [1]);
});

test('an idle shared entry that retires is destroyed', async () => {
  const { optimizer } = desk();
  const { Mortal, retire, destroyed } = mortal({ reuse: 'shared' });
  (await optimizer.pooled(Mortal)).release();
  retire[0]?.('its process has ended');
  await settle();
  assert.deepEqual(destroyed, [1]);
});

test('retiring after the end changes nothing', async () => {
  const { optimizer } = desk();
  const { Mortal, retire, destroyed } = mortal();
  (await optimizer.pooled(Mortal)).discard();
  retire[0]?.('late');
  await settle();
  await optimizer.close();
  retire[0]?.('later');
  assert.deepEqual(destroyed, [1]);
});

test('a reset that answers false destroys the entry; true and nothing keep it', async () => {
  for (const [answer, kept] of [
    [false, false],
    [true, true],
    [undefined, true],
  ] as const) {
    const { optimizer } = desk();
    const Support = agentClass({ pool: { max: 1 }, reset: async () => answer });
    const agent = await optimizer.pooled(Support);
    assert.ok(agent.resources);
    agent.release();
    await settle();
    assert.deepEqual(snapshotOf(optimizer).counters.destroyed, kept ? {} : { 'reset-failed': 1 });
    assert.equal(snapshotOf(optimizer).idle, kept ? 1 : 0);
  }
});
