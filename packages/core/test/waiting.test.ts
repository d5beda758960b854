/** Borrowers wait in line, and leave it by being served, by their deadline or by their signal: one of these, once. */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { PoolExhaustedError, SophiaError } from '@sophia-ai/core';
import { GatedFactory, settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, codeOf, countedSignal, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Thing } from './support/agents.ts';

test('waiters are served in the order in which they came', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 2 } });
  const order: number[] = [];
  const done = Array.from({ length: 20 }, (_, index) =>
    optimizer.use(Support, undefined, async () => {
      order.push(index);
      await settle();
    }),
  );
  await Promise.all(done);
  assert.deepEqual(
    order,
    Array.from({ length: 20 }, (_, index) => index),
  );
});

test('a newcomer never overtakes: not with pooled, not with tryPooled, not in the tick of the release', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const first = watch(optimizer.pooled(Support));
  const second = watch(optimizer.pooled(Support));
  holder.release();
  assert.equal(optimizer.tryPooled(Support), undefined);
  const newcomer = watch(optimizer.pooled(Support));
  await settle();
  assert.deepEqual([first.state, second.state, newcomer.state], ['resolved', 'pending', 'pending']);
  valueOf(first).release();
  await settle();
  assert.deepEqual([second.state, newcomer.state], ['resolved', 'pending']);
});

test('tryPooled takes nothing while somebody waits for a place, even with room to create', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ create: factory.create });
  const waiter = watch(optimizer.pooled(Slow));
  await settle();
  assert.equal(optimizer.tryPooled(Slow), undefined);
  assert.equal(factory.started, 1, 'and starts no creation');
  await factory.open();
  valueOf(waiter);
});

test('tryPooled of a cold pool gives undefined and creates nothing', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ create: factory.create });
  assert.equal(optimizer.tryPooled(Slow), undefined);
  await settle();
  assert.equal(factory.started, 0);
});

test('an abort takes the waiter out of the queue and those behind it move up', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const leaving = new AbortController();
  const first = watch(optimizer.pooled(Support, undefined, { signal: leaving.signal }));
  const second = watch(optimizer.pooled(Support));
  const reason = new Error('user closed the tab');
  leaving.abort(reason);
  await settle();
  assert.equal(codeOf(first), 'ACQUIRE_ABORTED');
  assert.equal((first.error as SophiaError).cause, reason);
  assert.equal((first.error as SophiaError).name, 'AbortError');
  assert.equal(snapshotOf(optimizer).waiting, 1);
  holder.release();
  await settle();
  valueOf(second);
});

test('an already aborted signal takes nothing, starts nothing and is refused at once', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Slow = agentClass({ type: 'slow', create: factory.create });
  const cold = watch(optimizer.pooled(Slow, undefined, { signal: AbortSignal.abort() }));
  await settle();
  assert.equal(codeOf(cold), 'ACQUIRE_ABORTED');
  assert.equal(factory.started, 0);

  const Warm = agentClass({ type: 'warm' });
  await optimizer.prewarm(Warm, { count: 1 });
  const warm = watch(optimizer.pooled(Warm, undefined, { signal: AbortSignal.abort() }));
  await settle();
  assert.equal(codeOf(warm), 'ACQUIRE_ABORTED');
  assert.equal(snapshotOf(optimizer, 'warm').leased, 0);
  assert.throws(() => optimizer.tryPooled(Warm, undefined, { signal: AbortSignal.abort() } as never));
  assert.equal(snapshotOf(optimizer, 'warm').idle, 1);
});

test('a signal that aborts after the hand-out does not end the lease', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  const controller = new AbortController();
  const agent = await optimizer.pooled(Support, undefined, { signal: controller.signal });
  controller.abort();
  await settle();
  assert.equal(agent.resources.id, 1);
  assert.equal(agent.signal.aborted, false);
});

test('a waiter leaves by its own waitMs, else by the pool’s, never before and at most 16 ms after', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, waitMs: 2_000 } });
  await optimizer.pooled(Support);
  const short = watch(optimizer.pooled(Support, undefined, { waitMs: 10 }));
  const usual = watch(optimizer.pooled(Support));
  await clock.advance(9);
  assert.equal(short.state, 'pending');
  await clock.advance(1);
  assert.equal(codeOf(short), 'ACQUIRE_TIMEOUT');
  assert.equal((short.error as PoolExhaustedError).facts.waitedMs, 10);
  await clock.advance(1_989);
  assert.equal(usual.state, 'pending');
  await clock.advance(17);
  assert.equal(codeOf(usual), 'ACQUIRE_TIMEOUT');
});

test('waitMs 0 means now or not at all', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  await optimizer.prewarm(Support);
  const now = await optimizer.pooled(Support, undefined, { waitMs: 0 });
  const never = watch(optimizer.pooled(Support, undefined, { waitMs: 0 }));
  await clock.advance(0);
  assert.equal(codeOf(never), 'ACQUIRE_TIMEOUT');
  now.release();
});

test('a time-out that falls on the moment of the hand-over loses neither the entry nor the borrower', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  for (const releaseFirst of [true, false]) {
    const holder = await optimizer.pooled(Support);
    // Timers of one moment fire in the order in which they were set.
    if (releaseFirst) clock.startTimer(() => holder.release(), 100);
    const waiter = watch(optimizer.pooled(Support, undefined, { waitMs: 100 }));
    const behind = watch(optimizer.pooled(Support));
    await settle();
    if (!releaseFirst) clock.startTimer(() => holder.release(), 100);
    await clock.advance(100);
    assert.equal(waiter.state, releaseFirst ? 'resolved' : 'rejected');
    if (releaseFirst) valueOf(waiter).release();
    await settle();
    valueOf(behind).release();
    assert.deepEqual([snapshotOf(optimizer).leased, snapshotOf(optimizer).idle], [0, 1]);
  }
});

test('an abort in the tick of the hand-over gives the entry to the next waiter', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  for (const abortFirst of [true, false]) {
    const holder = await optimizer.pooled(Support);
    const leaving = new AbortController();
    const first = watch(optimizer.pooled(Support, undefined, { signal: leaving.signal }));
    const second = watch(optimizer.pooled(Support));
    if (abortFirst) leaving.abort();
    holder.release();
    if (!abortFirst) leaving.abort();
    await settle();
    assert.equal(codeOf(first), 'ACQUIRE_ABORTED');
    valueOf(second).release();
    await settle();
    assert.deepEqual([snapshotOf(optimizer).leased, snapshotOf(optimizer).idle], [0, 1]);
  }
  assert.equal(snapshotOf(optimizer).counters.created, 1);
});

test('an abort in the tick of the hand-over with nobody behind puts the entry back, unused and clean', async () => {
  const { optimizer } = desk();
  let resets = 0;
  const Support = agentClass({ pool: { max: 1 }, reset: () => (resets += 1) });
  const holder = await optimizer.pooled(Support);
  const leaving = new AbortController();
  const waiter = watch(optimizer.pooled(Support, undefined, { signal: leaving.signal }));
  holder.release();
  leaving.abort();
  await settle();
  assert.equal(codeOf(waiter), 'ACQUIRE_ABORTED');
  assert.equal(snapshotOf(optimizer).idle, 1);
  assert.equal(resets, 0);
});

test('a whole row of waiters that abort in the tick of the hand-over passes the entry down to the first who stays', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const leaving = Array.from({ length: 5 }, () => new AbortController());
  const gone = leaving.map(({ signal }) => watch(optimizer.pooled(Support, undefined, { signal })));
  const stays = watch(optimizer.pooled(Support));
  holder.release();
  // One leaves at each hand-over, in the microtask between it and the borrower's own turn.
  for (const controller of leaving) {
    controller.abort();
    await Promise.resolve();
  }
  await settle();
  assert.ok(gone.every((waiter) => codeOf(waiter) === 'ACQUIRE_ABORTED'));
  valueOf(stays);
});

test('10,000 waiters may leave at once: all are told, the queue is empty, no timer or listener stays', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, maxWaiting: 10_000 } });
  const holder = await optimizer.pooled(Support);
  const before = clock.pending;
  const { controller, signal, listeners } = countedSignal();
  const waiters = Array.from({ length: 10_000 }, () => watch(optimizer.pooled(Support, undefined, { signal })));
  await settle();
  assert.equal(snapshotOf(optimizer).waiting, 10_000);
  assert.ok(clock.pending <= before + 1, 'they share one timer');
  controller.abort();
  await settle();
  assert.ok(waiters.every(({ state }) => state === 'rejected'));
  assert.equal(snapshotOf(optimizer).waiting, 0);
  assert.equal(listeners(), 0);
  assert.equal(snapshotOf(optimizer).counters.failures.ACQUIRE_ABORTED, 10_000);
  holder.release();
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('10,000 waiters may time out at once', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, waitMs: 5_000 } });
  const holder = await optimizer.pooled(Support);
  const waiters = await borrowAll(optimizer, Support, 10_000);
  await clock.advance(5_016);
  assert.ok(waiters.every((waiter) => codeOf(waiter) === 'ACQUIRE_TIMEOUT'));
  assert.equal(snapshotOf(optimizer).waiting, 0);
  holder.release();
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('no listener stays on the caller’s signal: not after a hit, a hand-over, a time-out, a refusal or a release', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, maxWaiting: 1 } });
  const { signal, listeners } = countedSignal();
  await optimizer.prewarm(Support);
  const hit = await optimizer.pooled(Support, undefined, { signal });
  assert.equal(listeners(), 0, 'a hit adds none');
  const waiter = watch(optimizer.pooled(Support, undefined, { signal, waitMs: 50 }));
  assert.equal(listeners(), 1);
  const refused = watch(optimizer.pooled(Support, undefined, { signal }));
  await settle();
  assert.equal(codeOf(refused), 'QUEUE_FULL');
  assert.equal(listeners(), 1);
  await clock.advance(50);
  assert.equal(codeOf(waiter), 'ACQUIRE_TIMEOUT');
  assert.equal(listeners(), 0);
  const served = watch(optimizer.pooled(Support, undefined, { signal }));
  hit.release();
  await settle();
  assert.equal(listeners(), 0);
  valueOf(served).release();
  assert.equal(listeners(), 0);
});

test('an abort whose listeners release and borrow in the same breath keeps the order of the queue', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const leaving = new AbortController();
  const others = [watch(optimizer.pooled(Support)), watch(optimizer.pooled(Support))];
  // Whoever aborts may, in the same breath, make others leave and come.
  let late: ReturnType<typeof watch> | undefined;
  leaving.signal.addEventListener('abort', () => {
    late = watch(optimizer.pooled(Support));
    holder.release();
  });
  const first = watch(optimizer.pooled(Support, undefined, { signal: leaving.signal }));
  leaving.abort();
  await settle();
  assert.equal(codeOf(first), 'ACQUIRE_ABORTED');
  assert.deepEqual(
    others.map(({ state }) => state),
    ['resolved', 'pending'],
  );
  assert.equal(late?.state, 'pending');
});

test('a waiter whose time is up in the same moment as another’s abort of it leaves once', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  await optimizer.pooled(Support);
  const leaving = new AbortController();
  const first = watch(optimizer.pooled(Support, undefined, { waitMs: 100 }));
  const second = watch(optimizer.pooled(Support, undefined, { waitMs: 100, signal: leaving.signal }));
  const third = watch(optimizer.pooled(Support, undefined, { waitMs: 200 }));
  optimizer.on('acquire.failed', () => leaving.abort());
  clock.startTimer(() => leaving.abort(), 100);
  await clock.advance(100);
  assert.equal(codeOf(first), 'ACQUIRE_TIMEOUT');
  assert.equal(second.state, 'rejected');
  assert.equal(snapshotOf(optimizer).waiting, 1);
  await clock.advance(100);
  assert.equal(codeOf(third), 'ACQUIRE_TIMEOUT');
  assert.equal(snapshotOf(optimizer).waiting, 0);
});

test('waiters keep the process alive; idle housekeeping does not', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 }, validate: () => true });
  const holder = await optimizer.pooled(Support);
  assert.equal(clock.holding, 0);
  const waiter = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(clock.holding, 1);
  holder.release();
  await settle();
  valueOf(waiter).release();
  assert.equal(clock.holding, 0);
});
