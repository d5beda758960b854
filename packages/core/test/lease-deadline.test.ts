/** A lease that lasts longer than it may is ended by force: by its deadline, or by an operator. */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { MadeClass, Recipe } from './support/agents.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);

function limited(pool: PoolOptions = {}, recipe: Recipe = {}): { Limited: MadeClass; destroyed: number[] } {
  const destroyed: number[] = [];
  const Limited = agentClass({
    pool: { max: 1, leaseMs: 100, ...pool },
    destroy: ({ id }) => void destroyed.push(id),
    ...recipe,
  });
  return { Limited, destroyed };
}

test('at its deadline a lease is revoked: the agent is dead, the entry destroyed, the waiter served', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'lease.released');
  const { Limited, destroyed } = limited();
  const agent = await optimizer.pooled(Limited, undefined, { owner: 'slow' });
  assert.ok(agent.resources);
  const { signal } = agent;
  const waiter = watch(optimizer.pooled(Limited));
  await clock.advance(99);
  assert.equal(agent.resources.id, 1);
  await clock.advance(1);
  assert.throws(() => agent.resources, coded('LEASE_RELEASED', 'leaseMs'));
  assert.equal(signal.aborted, true);
  assert.ok(coded('LEASE_RELEASED', 'leaseMs')(signal.reason));
  assert.deepEqual(destroyed, [1]);
  assert.equal(valueOf(waiter).resources.id, 2);
  assert.deepEqual(events[0]?.payload, {
    type: 'test',
    entryId: 1,
    leaseId: 1,
    owner: 'slow',
    heldMs: 100,
    how: 'revoked',
    revokedBy: 'deadline',
    clean: false,
  });
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { revoked: 1 });
});

test('a run under way is aborted, and hears of it through its signal', async () => {
  const { optimizer, clock } = desk();
  let heard: unknown;
  const { Limited } = limited(
    {},
    {
      execute: (agent, _input, call) => {
        assert.ok(agent.resources);
        call.signal.addEventListener('abort', () => (heard = call.signal.reason));
        return forever();
      },
    },
  );
  const agent = await optimizer.pooled(Limited);
  const run = watch(agent.run(1));
  const stream = watch(agent.stream(1).result);
  await clock.advance(100);
  assert.equal(codeOf(run), 'LEASE_RELEASED');
  assert.equal(codeOf(stream), 'LEASE_RELEASED');
  assert.match((run.error as Error).message, /leaseMs/);
  assert.ok(coded('LEASE_RELEASED', 'leaseMs')(heard));
  assert.equal(snapshotOf(optimizer).counters.runFailures['LEASE_RELEASED'], 2);
});

test('a release after the deadline counts as late and touches nobody', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'lease.released-again');
  const { Limited } = limited();
  const late = await optimizer.pooled(Limited);
  await clock.advance(100);
  const next = await optimizer.pooled(Limited);
  late.release();
  late.discard();
  assert.equal(next.resources.id, 2);
  assert.equal(snapshotOf(optimizer).counters.releasedAgain, 2);
  assert.deepEqual(
    events.map(({ payload }) => payload.leaseId),
    [1, 1],
  );
});

test('use() whose work outlasts the deadline ends with the error of the work', async () => {
  const { optimizer, clock } = desk();
  const { Limited } = limited();
  const gate = Promise.withResolvers<void>();
  const used = watch(
    optimizer.use(Limited, undefined, async (agent) => {
      assert.ok(agent.resources);
      await gate.promise;
      return agent.resources;
    }),
  );
  await clock.advance(100);
  gate.resolve();
  await settle();
  assert.equal(codeOf(used), 'LEASE_RELEASED');
  assert.equal(snapshotOf(optimizer).leased, 0);
});

test('an entry of which nothing was read is destroyed too: its borrower is not trusted any more', async () => {
  const { optimizer, clock } = desk();
  const { Limited, destroyed } = limited();
  await optimizer.pooled(Limited);
  await clock.advance(100);
  assert.deepEqual(destroyed, [1]);
});

test('the leaseMs of an acquire is stronger than that of the pool, shorter or longer', async () => {
  for (const [leaseMs, endsMs] of [
    [10, 10],
    [200, 200],
    [Infinity, Infinity],
  ] as const) {
    const { optimizer, clock } = desk();
    const { Limited, destroyed } = limited();
    await optimizer.pooled(Limited, undefined, { leaseMs });
    await clock.advance(Math.min(endsMs, 1_000) - 1);
    assert.deepEqual(destroyed, [], `${leaseMs}`);
    await clock.advance(1);
    assert.deepEqual(destroyed, endsMs === Infinity ? [] : [1], `${leaseMs}`);
  }
});

test('tryPooled takes a leaseMs as well', async () => {
  const { optimizer, clock } = desk();
  const { Limited, destroyed } = limited({ leaseMs: Infinity });
  (await optimizer.pooled(Limited)).release();
  assert.ok(optimizer.tryPooled(Limited, undefined, { leaseMs: 50 }));
  await clock.advance(50);
  assert.deepEqual(destroyed, [1]);
});

test('the time counts from the hand-out, not from the asking', async () => {
  const { optimizer, clock } = desk();
  const { Limited } = limited({ leaseMs: Infinity });
  const first = await optimizer.pooled(Limited);
  const waiter = watch(optimizer.pooled(Limited, undefined, { leaseMs: 100 }));
  await clock.advance(5_000);
  first.release();
  await clock.advance(99);
  assert.equal(valueOf(waiter).resources.id, 1);
  await clock.advance(1);
  assert.throws(() => valueOf(waiter).resources, coded('LEASE_RELEASED', 'leaseMs'));
});

test('a lease that ended in time is not revoked later, nor is the next of the same entry', async () => {
  const { optimizer, clock } = desk();
  const { Limited, destroyed } = limited();
  (await optimizer.pooled(Limited)).release();
  await clock.advance(60);
  const next = await optimizer.pooled(Limited);
  await clock.advance(60);
  assert.equal(next.resources.id, 1);
  assert.deepEqual(destroyed, []);
});

test('a lease whose agent could not be constructed leaves no deadline behind', async () => {
  const { optimizer, clock } = desk();
  let fails = true;
  const { Limited, destroyed } = limited(
    {},
    {
      construct: () => {
        if (fails) throw new Error('no');
      },
    },
  );
  await assert.rejects(optimizer.pooled(Limited), coded('CONSTRUCT_FAILED'));
  fails = false;
  await clock.advance(60);
  const agent = await optimizer.pooled(Limited);
  await clock.advance(60);
  assert.equal(agent.resources.id, 1);
  assert.deepEqual(destroyed, []);
});

test('shared: the others go on, the entry takes no new lease', async () => {
  const { optimizer, clock } = desk();
  const { Limited, destroyed } = limited({ reuse: 'shared', max: 3, leaseMs: Infinity });
  const limitedOne = await optimizer.pooled(Limited, undefined, { leaseMs: 100 });
  const other = await optimizer.pooled(Limited);
  await clock.advance(100);
  assert.throws(() => limitedOne.resources, coded('LEASE_RELEASED'));
  assert.equal(other.resources.id, 1);
  assert.equal((await optimizer.pooled(Limited)).resources.id, 2);
  other.release();
  await settle();
  assert.deepEqual(destroyed, [1]);
});

test('what a run waits for at another pool is given up with its lease', async () => {
  const { optimizer, clock } = desk();
  const Inner = agentClass({ type: 'inner', pool: { max: 1 } });
  const held = await optimizer.pooled(Inner);
  const { Limited } = limited({}, { execute: (agent) => agent.borrow(Inner) });
  const outer = await optimizer.pooled(Limited);
  const run = watch(outer.run(1));
  await settle();
  assert.equal(snapshotOf(optimizer, 'inner').waiting, 1);
  await clock.advance(100);
  assert.equal(codeOf(run), 'LEASE_RELEASED');
  assert.equal(snapshotOf(optimizer, 'inner').waiting, 0);
  held.release();
});

test('an operator ends a lease by its id, once; an unknown id is answered with false', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'lease.released');
  const { Limited, destroyed } = limited({ max: 2, leaseMs: Infinity });
  const [a, b] = [await optimizer.pooled(Limited, undefined, { owner: 'a' }), await optimizer.pooled(Limited)];
  const leaseId = snapshotOf(optimizer).holders.find(({ owner }) => owner === 'a')?.leaseId ?? -1;
  for (const unknown of [-1, 99, Number.NaN]) assert.equal(optimizer.revoke(Limited, unknown), false);
  assert.equal(optimizer.revoke('test', leaseId), true);
  assert.equal(optimizer.revoke('test', leaseId), false);
  await settle();
  assert.throws(() => a.resources, coded('LEASE_RELEASED', 'operator'));
  assert.equal(b.resources.id, 2);
  assert.deepEqual(destroyed, [1]);
  assert.deepEqual(
    events.map(({ payload: { how, revokedBy } }) => [how, revokedBy]),
    [['revoked', 'operator']],
  );
  assert.throws(() => optimizer.revoke('nobody', 1), coded('TYPE_UNKNOWN'));
});

test('an ordinary release names nobody who revoked', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'lease.released');
  const { Limited } = limited();
  (await optimizer.pooled(Limited)).release();
  assert.deepEqual([events[0]?.payload.how, events[0]?.payload.revokedBy], ['released', undefined]);
});

test('a drain or a close that waits for a lease gets on at its deadline', async () => {
  for (const end of ['drain', 'close'] as const) {
    const { optimizer, clock } = desk();
    const { Limited, destroyed } = limited();
    await optimizer.pooled(Limited);
    const ending = watch<unknown>(optimizer[end]({ timeoutMs: 60_000 }));
    await clock.advance(99);
    assert.equal(ending.state, 'pending', end);
    await clock.advance(1);
    assert.equal(ending.state, 'resolved', end);
    assert.deepEqual(destroyed, [1]);
  }
});

test('a deadline keeps no process alive', async () => {
  const { optimizer, clock } = desk();
  const { Limited } = limited({ leaseMs: 60_000 });
  await optimizer.pooled(Limited);
  assert.equal(clock.holding, 0);
});

test('a lease of no length is refused', async () => {
  const { optimizer } = desk();
  const { Limited } = limited();
  for (const leaseMs of [0, -1, Number.NaN]) {
    await assert.rejects(optimizer.pooled(Limited, undefined, { leaseMs }), coded('ARGUMENT_INVALID', 'leaseMs'));
  }
  assert.throws(
    () => desk().optimizer.register(agentClass({ pool: { leaseMs: 0 } })),
    coded('OPTION_INVALID', 'leaseMs'),
  );
});
