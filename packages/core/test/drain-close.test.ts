/** Drain and close always settle, whatever borrowers and hooks do, and leave nothing behind. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { GatedFactory, settle } from '@sophia-ai/core/testing';

import {
  agentClass,
  borrowAll,
  codeOf,
  coded,
  countedSignal,
  desk,
  record,
  snapshotOf,
  valueOf,
  watch,
} from './support/agents.ts';
import type { Thing } from './support/agents.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);

test('drain refuses newcomers, serves those in the queue, and ends with the last release', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const waiter = watch(optimizer.pooled(Support));
  const drained = watch(optimizer.drain());
  await assert.rejects(optimizer.pooled(Support), coded('POOL_DRAINING'));
  assert.throws(() => optimizer.tryPooled(Support), coded('POOL_DRAINING'));
  assert.equal(snapshotOf(optimizer).state, 'draining');
  assert.equal(snapshotOf(optimizer).size, 0);
  holder.release();
  await settle();
  assert.equal(drained.state, 'pending');
  valueOf(waiter).release();
  await settle();
  assert.deepEqual(valueOf(drained), [{ type: 'test', drained: true, waiting: 0, holders: [] }]);
});

test('drain creates for waiters whose entry was destroyed meanwhile', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const waiter = watch(optimizer.pooled(Support));
  void optimizer.drain();
  holder.discard();
  await settle();
  assert.equal(valueOf(waiter).resources.id, 2);
});

test('drain that takes too long names who holds and how many wait', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  await optimizer.pooled(Support, undefined, { owner: 'nightly report' });
  await clock.advance(500);
  const waiter = watch(optimizer.pooled(Support));
  const drained = watch(optimizer.drain({ timeoutMs: 100 }));
  await clock.advance(100);
  const [report] = valueOf(drained);
  assert.equal(report?.drained, false);
  assert.equal(report.waiting, 1);
  assert.deepEqual(report.holders, [
    { leaseId: 1, owner: 'nightly report', tenant: undefined, heldMs: 600, isSuspect: false },
  ]);
  assert.equal(waiter.state, 'pending', 'draining goes on');
});

test('drain with nothing under way settles at once, twice, and on an optimizer without types', async () => {
  assert.deepEqual(await desk().optimizer.drain(), []);
  const { optimizer } = desk();
  const Support = agentClass();
  optimizer.register(Support);
  const [first, second] = await Promise.all([optimizer.drain(), optimizer.drain()]);
  assert.deepEqual(first, second);
  assert.equal(first[0]?.drained, true);
});

test('drain ends when the last waiter leaves by its deadline, not at its own time-out', async () => {
  const { optimizer, clock } = desk();
  const Hanging = agentClass({ create: forever, pool: { waitMs: 100 } });
  watch(optimizer.pooled(Hanging));
  await settle();
  const drained = watch(optimizer.drain({ timeoutMs: 25_000 }));
  await clock.advance(150);
  assert.equal(valueOf(drained)[0]?.drained, true);
});

test('drain ends when the last waiter leaves by its signal', async () => {
  const { optimizer } = desk();
  const Hanging = agentClass({ create: forever });
  const leaving = new AbortController();
  watch(optimizer.pooled(Hanging, undefined, { signal: leaving.signal }));
  await settle();
  const drained = watch(optimizer.drain({ timeoutMs: 25_000 }));
  leaving.abort();
  await settle();
  assert.equal(valueOf(drained)[0]?.drained, true);
});

test('drain ends when the last waiters are refused because create fails', async () => {
  const { optimizer, clock } = desk();
  const Broken = agentClass({ pool: { createAttempts: 1 }, create: () => Promise.reject(new Error('down')) });
  const waiter = watch(optimizer.pooled(Broken));
  const drained = watch(optimizer.drain({ timeoutMs: 25_000 }));
  await clock.advance(1);
  assert.equal(codeOf(waiter), 'CREATE_FAILED');
  assert.equal(valueOf(drained)[0]?.drained, true);
});

test('a drain that is overtaken by close settles too', async () => {
  const { optimizer, clock } = desk();
  const Hanging = agentClass({ create: forever });
  const waiter = watch(optimizer.pooled(Hanging));
  await settle();
  const drained = watch(optimizer.drain({ timeoutMs: 3_600_000 }));
  const closed = watch(optimizer.close({ timeoutMs: 100 }));
  await clock.advance(60_000);
  assert.equal(codeOf(waiter), 'POOL_CLOSED');
  valueOf(closed);
  valueOf(drained);
});

test('while draining, a class that was never used before is not taken on either', async () => {
  const { optimizer } = desk();
  optimizer.register(agentClass({ type: 'known' }));
  await optimizer.drain();
  await assert.rejects(optimizer.pooled(agentClass({ type: 'new' })), coded('POOL_DRAINING'));
});

test('close refuses every waiter at once', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const waiters = await borrowAll(optimizer, Support, 3);
  const closed = watch(optimizer.close());
  await settle();
  for (const waiter of waiters) assert.equal(codeOf(waiter), 'POOL_CLOSED');
  assert.equal(closed.state, 'pending', 'the holder still has its time');
  assert.equal(holder.resources.id, 1);
  holder.release();
  await settle();
  assert.deepEqual(valueOf(closed), [{ type: 'test', revoked: [] }]);
});

test('acquire after close is refused at once, for known and for new classes', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  optimizer.register(Support);
  await optimizer.close();
  await assert.rejects(optimizer.pooled(Support), coded('POOL_CLOSED'));
  assert.throws(() => optimizer.tryPooled(Support), coded('POOL_CLOSED'));
  await assert.rejects(
    optimizer.use(Support, undefined, () => 1),
    coded('POOL_CLOSED'),
  );
  assert.throws(() => optimizer.resize('test', 3), coded('POOL_CLOSED'));
  const New = agentClass({ type: 'new' });
  await assert.rejects(optimizer.pooled(New), coded('POOL_CLOSED'));
  assert.throws(() => optimizer.register(New), coded('POOL_CLOSED'));
});

test('close with a holder that never returns settles after timeoutMs and revokes its lease', async () => {
  const { optimizer, clock } = desk();
  const destroyed: number[] = [];
  const Support = agentClass({ destroy: ({ id }) => void destroyed.push(id), execute: forever });
  const agent = await optimizer.pooled(Support, undefined, { owner: 'stuck' });
  const { signal } = agent;
  const events = record(optimizer, 'lease.released', 'pool.closed');
  const run = watch(agent.run('x'));
  const closed = watch(optimizer.close({ timeoutMs: 1_000 }));
  await clock.advance(999);
  assert.equal(signal.aborted, false);
  assert.equal(closed.state, 'pending');
  await clock.advance(20);
  assert.equal(valueOf(closed)[0]?.revoked[0]?.owner, 'stuck');
  assert.equal(signal.aborted, true);
  assert.equal(codeOf(run), 'LEASE_RELEASED');
  assert.match(String(run.error), /by force/);
  assert.throws(() => agent.resources, coded('LEASE_RELEASED', 'by force'));
  assert.deepEqual(destroyed, [1]);
  assert.equal(events.at(-1)?.name, 'pool.closed');
});

test('close revokes every lease, even when ending one makes its borrower end others', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 5 } });
  const agents = await Promise.all(Array.from({ length: 5 }, () => optimizer.pooled(Support)));
  agents[0]?.signal.addEventListener('abort', () => {
    agents[1]?.release();
    agents[2]?.discard();
  });
  const closed = watch(optimizer.close({ timeoutMs: 10 }));
  await clock.advance(60_000);
  valueOf(closed);
  const { leased, counters } = snapshotOf(optimizer);
  assert.equal(leased, 0);
  assert.equal(
    Object.values(counters.destroyed).reduce((sum, count) => sum + count, 0),
    5,
  );
  for (const agent of agents) assert.throws(() => agent.signal, coded('LEASE_RELEASED'));
});

test('close is idempotent: the same report, one destruction per entry, whoever calls and when', async () => {
  const { optimizer } = desk();
  const destroyed: number[] = [];
  const Support = agentClass({ destroy: ({ id }) => void destroyed.push(id) });
  await optimizer.prewarm(Support, { count: 3 });
  const [first, second] = await Promise.all([optimizer.close(), optimizer.close({ timeoutMs: 1 })]);
  assert.equal(first, second);
  assert.equal(await optimizer.close(), first);
  await optimizer[Symbol.asyncDispose]();
  assert.deepEqual(destroyed.toSorted(), [1, 2, 3]);
});

test('close waits for static destroy of what it destroys', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const Support = agentClass({ destroy: () => gate.promise });
  await optimizer.prewarm(Support, { count: 1 });
  const closed = watch(optimizer.close());
  await settle();
  assert.equal(closed.state, 'pending');
  gate.resolve();
  await settle();
  valueOf(closed);
});

test('close settles although destroy hangs, throws or rejects, and says so', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'agent.destroy-failed');
  optimizer.register(agentClass({ type: 'hangs', pool: { minIdle: 1 }, destroy: forever }));
  optimizer.register(
    agentClass({
      type: 'throws',
      pool: { minIdle: 1 },
      destroy: () => {
        throw new Error('sync');
      },
    }),
  );
  optimizer.register(
    agentClass({ type: 'rejects', pool: { minIdle: 1 }, destroy: () => Promise.reject(new Error('async')) }),
  );
  await settle();
  const closed = watch(optimizer.close());
  await clock.advance(5_016);
  valueOf(closed);
  assert.deepEqual(events.map(({ payload }) => payload.type).toSorted(), ['hangs', 'rejects', 'throws']);
  assert.equal(clock.pending, 0);
  for (const { idle, destroying } of optimizer.snapshot()) assert.equal(idle + destroying, 0);
});

test('a creation in flight at close is told to stop; what it still makes is destroyed', async () => {
  const { optimizer, clock } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  let told: AbortSignal | undefined;
  const Slow = agentClass({
    create: ({ signal }) => {
      told = signal;
      return factory.create();
    },
    destroy: factory.destroy,
  });
  const waiter = watch(optimizer.pooled(Slow));
  await settle();
  const closed = watch(optimizer.close());
  await settle();
  assert.equal(codeOf(waiter), 'POOL_CLOSED');
  assert.equal(told?.aborted, true);
  await factory.open();
  await settle();
  valueOf(closed);
  assert.equal(factory.destroyed.length, 1);
  assert.equal(clock.pending, 0);
});

test('a creation that ignores close and succeeds long after it is destroyed all the same', async () => {
  const { optimizer, clock } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ create: factory.create, destroy: factory.destroy });
  watch(optimizer.pooled(Slow));
  await settle();
  const closed = watch(optimizer.close());
  await clock.advance(60_000);
  valueOf(closed);
  assert.equal(snapshotOf(optimizer).creating, 0, 'it counts as given up');
  await factory.open();
  await settle();
  assert.equal(factory.destroyed.length, 1);
  await clock.advance(60_000);
  assert.equal(clock.pending, 0);
});

test('a creation that fails because of close starts no pause', async () => {
  const { optimizer, clock } = desk();
  const Heeds = agentClass({
    create: ({ signal }) =>
      new Promise<Thing>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  });
  watch(optimizer.pooled(Heeds));
  await settle();
  await optimizer.close();
  assert.equal(clock.pending, 0);
});

test('a creation that fails long after close starts no pause either', async () => {
  const { optimizer, clock } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ create: factory.create });
  watch(optimizer.pooled(Slow));
  await settle();
  const closed = watch(optimizer.close());
  await clock.advance(25_000);
  valueOf(closed);
  await factory.fail(new Error('at last'));
  assert.equal(clock.pending, 0);
});

test('prewarming that is overtaken by close settles, even if create never does', async () => {
  const { optimizer, clock } = desk();
  const Hanging = agentClass({ create: forever });
  const prewarmed = watch(optimizer.prewarm(Hanging, { count: 2 }));
  await settle();
  const closed = watch(optimizer.close());
  await clock.advance(120_000);
  valueOf(closed);
  assert.equal(valueOf(prewarmed).created, 0);
});

test('whenReady does not wait for ever on an optimizer that is closed', async () => {
  const { optimizer } = desk();
  const Hanging = agentClass({ create: forever, pool: { createTimeoutMs: 100 } });
  optimizer.register(Hanging);
  const ready = watch(optimizer.whenReady());
  const closed = watch(optimizer.close());
  await settle();
  valueOf(closed);
  assert.equal(codeOf(ready), 'POOL_CLOSED');
  await assert.rejects(optimizer.whenReady(), coded('POOL_CLOSED'));
});

test('an entry that is being reset or validated at close is destroyed when that is over', async () => {
  const { optimizer, clock } = desk();
  const resets = Promise.withResolvers<void>();
  const checks = Promise.withResolvers<boolean>();
  const Resets = agentClass({ type: 'resets', reset: () => resets.promise });
  const Checks = agentClass({
    type: 'checks',
    pool: { minIdle: 1, validateEveryMs: 100, validateTimeoutMs: 60_000 },
    validate: () => checks.promise,
  });
  const agent = await optimizer.pooled(Resets);
  assert.ok(agent.resources);
  agent.release();
  optimizer.register(Checks);
  await clock.advance(101);
  assert.equal(snapshotOf(optimizer, 'resets').resetting, 1);
  assert.equal(snapshotOf(optimizer, 'checks').validating, 1);
  const closed = watch(optimizer.close());
  await settle();
  resets.resolve();
  checks.resolve(true);
  await settle();
  valueOf(closed);
  assert.deepEqual(snapshotOf(optimizer, 'resets').counters.destroyed, { closed: 1 });
  assert.deepEqual(snapshotOf(optimizer, 'checks').counters.destroyed, { closed: 1 });
  assert.equal(clock.pending, 0);
});

test('after close no timer and no abort listener is left, whatever was under way', async () => {
  const { optimizer, clock } = desk();
  const { signal, listeners } = countedSignal();
  const Support = agentClass({
    type: 'support',
    pool: { max: 2, validateEveryMs: 10 },
    validate: () => true,
    execute: forever,
  });
  const Broken = agentClass({ type: 'broken', create: () => Promise.reject(new Error('down')) });
  const Hanging = agentClass({ type: 'hanging', create: forever });
  const holder = await optimizer.pooled(Support, undefined, { signal });
  const run = watch(holder.run('x', { signal, timeoutMs: 3_600_000 }));
  const stream = holder.stream('x', { signal });
  const streamed = watch(stream.result);
  await optimizer.pooled(Support);
  for (const Class of [Support, Broken, Hanging]) watch(optimizer.pooled(Class, undefined, { signal }));
  await settle();
  assert.ok(listeners() > 0 && clock.pending > 0);
  const closed = watch(optimizer.close({ timeoutMs: 50 }));
  await clock.advance(60_000);
  valueOf(closed);
  assert.equal(codeOf(run), 'LEASE_RELEASED');
  assert.equal(codeOf(streamed), 'LEASE_RELEASED');
  assert.equal(listeners(), 0);
  assert.equal(clock.pending, 0);
  for (const { idle, leased, creating, resetting, validating, destroying, waiting } of optimizer.snapshot()) {
    assert.equal(idle + leased + creating + resetting + validating + destroying + waiting, 0);
  }
});

test('close with timeoutMs 0 revokes at once', async () => {
  const { optimizer } = desk();
  const agent = await optimizer.pooled(agentClass());
  const [report] = await optimizer.close({ timeoutMs: 0 });
  assert.equal(report?.revoked.length, 1);
  assert.throws(() => agent.resources, coded('LEASE_RELEASED'));
});

test('close in the tick of a hand-over refuses the waiter or lets it have its agent, and still ends', async () => {
  for (const releaseFirst of [true, false]) {
    const { optimizer, clock } = desk();
    const leaving = new AbortController();
    const Support = agentClass({ pool: { max: 1 } });
    const holder = await optimizer.pooled(Support);
    const waiter = watch(optimizer.pooled(Support, undefined, { signal: leaving.signal }));
    if (releaseFirst) holder.release();
    const closed = watch(optimizer.close({ timeoutMs: 0 }));
    leaving.abort();
    if (!releaseFirst) holder.release();
    await clock.advance(60_000);
    assert.equal(waiter.state, 'rejected');
    valueOf(closed);
    assert.equal(snapshotOf(optimizer).leased, 0);
    assert.equal(clock.pending, 0);
  }
});

test('await using an optimizer closes it', async () => {
  const Support = agentClass();
  let kept: ReturnType<typeof desk>['optimizer'];
  {
    await using optimizer = desk().optimizer;
    kept = optimizer;
    (await optimizer.pooled(Support)).release();
  }
  await assert.rejects(kept.pooled(Support), coded('POOL_CLOSED'));
});
