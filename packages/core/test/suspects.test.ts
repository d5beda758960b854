/** Entries that failed a check or were revoked are kept for a look, beside the pool, and never handed out again. */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { AgnoPerformanceOptimizer, PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, coded, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { MadeClass, Recipe } from './support/agents.ts';

/** A class whose every entry fails its fingerprint once a borrower has left a note in it. */
function leaky(pool: PoolOptions = {}, recipe: Recipe = {}): { Leaky: MadeClass; destroyed: number[] } {
  const destroyed: number[] = [];
  const Leaky = agentClass({
    pool: { max: 1, verify: 'fingerprint', verifyEvery: 1, keepSuspects: 2, suspectMs: 1_000, ...pool },
    destroy: ({ id }) => void destroyed.push(id),
    ...recipe,
  });
  return { Leaky, destroyed };
}

async function leave(optimizer: AgnoPerformanceOptimizer, Class: MadeClass, note: string): Promise<void> {
  const agent = await optimizer.pooled(Class);
  agent.resources.notes = [note];
  agent.release();
  await settle();
}

const idsOf = (optimizer: AgnoPerformanceOptimizer): number[] =>
  optimizer.suspects('test').map(({ entryId }) => entryId);

test('an entry that failed its verify is kept with its path and resources, and its waiter gets another one', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'agent.quarantined', 'agent.destroyed');
  const { Leaky, destroyed } = leaky();
  const first = await optimizer.pooled(Leaky);
  first.resources.notes = ['of the first'];
  const second = watch(optimizer.pooled(Leaky));
  first.release();
  await clock.advance(100);
  assert.equal(valueOf(second).resources.id, 2);
  assert.deepEqual(
    events.map(({ payload }) => payload),
    [{ type: 'test', entryId: 1, reason: 'verify-failed', path: 'notes' }],
  );
  assert.deepEqual(optimizer.suspects(Leaky), [
    {
      entryId: 1,
      reason: 'verify-failed',
      path: 'notes',
      heldMs: 100,
      uses: 1,
      resources: { id: 1, notes: ['of the first'] },
    },
  ]);
  assert.deepEqual(destroyed, []);
  assert.equal(snapshotOf(optimizer).quarantined, 1);
});

test('the entry of a revoked lease is kept, without a path', async () => {
  const { optimizer } = desk();
  const { Leaky } = leaky();
  const agent = await optimizer.pooled(Leaky);
  agent.resources.notes = ['half-way'];
  assert.equal(optimizer.revoke(Leaky, snapshotOf(optimizer).holders[0]?.leaseId ?? -1), true);
  const [suspect] = optimizer.suspects('test');
  assert.deepEqual(
    [suspect?.reason, suspect?.path, suspect?.resources],
    ['revoked', undefined, { id: 1, notes: ['half-way'] }],
  );
  assert.equal((await optimizer.pooled(Leaky)).resources.id, 2);
});

test('a suspect is never handed out, however many ask', async () => {
  const { optimizer } = desk();
  const { Leaky } = leaky({ max: 2, keepSuspects: 5 });
  await leave(optimizer, Leaky, 'a');
  await leave(optimizer, Leaky, 'b');
  assert.deepEqual(idsOf(optimizer), [1, 2]);
  assert.equal(optimizer.tryPooled(Leaky), undefined);
  const ids = [(await optimizer.pooled(Leaky)).resources.id, (await optimizer.pooled(Leaky)).resources.id];
  assert.deepEqual(ids, [3, 4]);
});

test('at most keepSuspects are kept: the oldest goes first', async () => {
  const { optimizer } = desk();
  const { Leaky, destroyed } = leaky();
  for (const note of ['a', 'b', 'c']) await leave(optimizer, Leaky, note);
  assert.deepEqual(idsOf(optimizer), [2, 3]);
  assert.deepEqual(destroyed, [1]);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { 'verify-failed': 1 });
});

test('each is kept for suspectMs of its own', async () => {
  const { optimizer, clock } = desk();
  const { Leaky, destroyed } = leaky();
  await leave(optimizer, Leaky, 'a');
  await clock.advance(500);
  await leave(optimizer, Leaky, 'b');
  await clock.advance(490);
  assert.deepEqual(idsOf(optimizer), [1, 2]);
  await clock.advance(30);
  assert.deepEqual(idsOf(optimizer), [2]);
  await clock.advance(500);
  assert.deepEqual(idsOf(optimizer), []);
  assert.deepEqual(destroyed, [1, 2]);
});

test('without keepSuspects a failed entry is destroyed at once', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'agent.quarantined');
  const { Leaky, destroyed } = leaky({ keepSuspects: 0 });
  await leave(optimizer, Leaky, 'a');
  assert.deepEqual(idsOf(optimizer), []);
  assert.deepEqual(destroyed, [1]);
  assert.equal(events.length, 0);
});

test('close destroys all suspects, and none is kept from then on', async () => {
  const { optimizer } = desk();
  const { Leaky, destroyed } = leaky({ max: 3 });
  await leave(optimizer, Leaky, 'a');
  const held = await optimizer.pooled(Leaky);
  assert.ok(held.resources);
  const closing = watch(optimizer.close({ timeoutMs: 0 }));
  await settle();
  assert.equal(closing.state, 'resolved');
  assert.deepEqual(destroyed.toSorted(), [1, 2]);
  assert.deepEqual(optimizer.suspects(Leaky), []);
});

test('a drain does not wait for suspects', async () => {
  const { optimizer } = desk();
  const { Leaky } = leaky();
  await leave(optimizer, Leaky, 'a');
  const draining = watch(optimizer.drain());
  await settle();
  assert.equal(valueOf(draining)[0]?.drained, true);
});

test('a suspect holds no place of the pool while it is being destroyed either', async () => {
  const { optimizer, clock } = desk();
  const { Leaky } = leaky({}, { destroy: () => new Promise(() => undefined) });
  await leave(optimizer, Leaky, 'a');
  await clock.advance(1_020);
  assert.deepEqual([snapshotOf(optimizer).destroying, idsOf(optimizer).length], [1, 0]);
  assert.deepEqual(optimizer.notReady(), ['test'], 'nothing is there that could serve');
  const waiter = watch(optimizer.pooled(Leaky));
  await settle();
  assert.equal(valueOf(waiter).resources.id, 2);
});

test('minIdle is restored beside the suspects', async () => {
  const { optimizer } = desk();
  const { Leaky } = leaky({ max: 2, minIdle: 2 });
  optimizer.register(Leaky);
  await settle();
  await leave(optimizer, Leaky, 'a');
  await leave(optimizer, Leaky, 'b');
  const { idle, quarantined } = snapshotOf(optimizer);
  assert.deepEqual([idle, quarantined], [2, 2]);
});

test('resize and renew leave suspects where they are', async () => {
  const { optimizer } = desk();
  const { Leaky, destroyed } = leaky({ max: 3 });
  await leave(optimizer, Leaky, 'a');
  optimizer.resize(Leaky, 1);
  assert.equal((await optimizer.renew(Leaky)).renewed, 0);
  assert.deepEqual(destroyed, []);
  assert.deepEqual(idsOf(optimizer), [1]);
});

test('a suspect whose resources end by themselves stays for its look', async () => {
  const { optimizer, clock } = desk();
  let retire: ((reason: string) => void) | undefined;
  const { Leaky, destroyed } = leaky(
    {},
    {
      create: (context) => {
        retire ??= context.retire;
        return { id: 1 };
      },
    },
  );
  await leave(optimizer, Leaky, 'a');
  retire?.('its process has ended');
  await settle();
  assert.deepEqual(idsOf(optimizer), [1]);
  await clock.advance(1_020);
  assert.deepEqual(destroyed, [1]);
});

test('suspects keep no process alive', async () => {
  const { optimizer, clock } = desk();
  const { Leaky } = leaky();
  await leave(optimizer, Leaky, 'a');
  assert.equal(idsOf(optimizer).length, 1);
  assert.equal(clock.holding, 0);
});

test('suspects of an unknown type are refused', () => {
  const { optimizer } = desk();
  assert.throws(() => optimizer.suspects('nobody'), coded('TYPE_UNKNOWN', 'nobody'));
});
