/** The figures mean what their definitions say, to the microsecond of a clock that is turned by hand. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { GatedFactory, settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Desk, TestAgent, Thing } from './support/agents.ts';

/** A class whose creations take this long on the manual clock. */
function slow({ clock }: Desk, createMs: number, pool: object = {}): ReturnType<typeof agentClass> {
  let id = 0;
  return agentClass({
    pool,
    create: async () => {
      id += 1;
      const thing: Thing = { id };
      await new Promise<void>((resolve) => void clock.startTimer(resolve, createMs));
      return thing;
    },
  });
}

test('before the first hand-out everything is null, and counts are zero', () => {
  const { optimizer } = desk();
  optimizer.register(agentClass());
  const { window, counters, size, max, memory, lastCreateError } = snapshotOf(optimizer);
  assert.deepEqual(
    [window.samples, window.avgInstantiationUs, window.avgAcquireUs, window.hitRatio],
    [0, null, null, null],
  );
  assert.deepEqual(window.timings.hit, {
    count: 0,
    meanUs: null,
    p50Us: null,
    p95Us: null,
    p99Us: null,
    p999Us: null,
    maxUs: null,
  });
  assert.deepEqual([counters.handOuts, size, max, memory, lastCreateError], [0, 0, 10, null, null]);
});

test('a creation started for a borrower is part of its instantiation: a miss', async () => {
  const front = desk();
  const { optimizer, clock } = front;
  const agent = watch(optimizer.pooled(slow(front, 150)));
  await clock.advance(150);
  valueOf(agent);
  const { window, counters } = snapshotOf(optimizer);
  assert.equal(window.avgInstantiationUs, 150_000);
  assert.equal(window.avgAcquireUs, 150_000);
  assert.equal(window.hitRatio, 0);
  assert.deepEqual([window.timings.hit.count, window.timings.miss.count, window.timings.wait.count], [0, 1, 0]);
  assert.equal(window.timings.create.meanUs, 150_000);
  assert.deepEqual([counters.handOuts, window.samples], [1, 1]);
});

test('the queue behind other borrowers is part of the acquire, not of the instantiation: a wait', async () => {
  const front = desk();
  const { optimizer, clock } = front;
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const waiter = watch(optimizer.pooled(Support));
  await clock.advance(400);
  holder.release();
  await settle();
  valueOf(waiter);
  const { window } = snapshotOf(optimizer);
  assert.deepEqual([window.timings.miss.count, window.timings.wait.count], [1, 1]);
  assert.equal(window.timings.wait.meanUs, 400_000);
  assert.equal(window.avgInstantiationUs, 0);
  assert.equal(window.avgAcquireUs, 200_000, '(0 + 400 ms) / 2');
});

test('queue first, creation after: each part goes where it belongs', async () => {
  const front = desk();
  const { optimizer, clock } = front;
  const Support = slow(front, 100, { max: 1 });
  const first = watch(optimizer.pooled(Support));
  await clock.advance(100);
  const second = watch(optimizer.pooled(Support));
  await clock.advance(300);
  valueOf(first).discard();
  await clock.advance(100);
  valueOf(second);
  const { window } = snapshotOf(optimizer);
  assert.equal(window.avgAcquireUs, (100_000 + 400_000) / 2);
  assert.equal(window.avgInstantiationUs, 100_000, '300 ms of the second were the queue');
  assert.equal(window.timings.miss.count, 2);
});

test('waiting for a prewarmed entry that is still being made is a miss, from the borrower’s own start', async () => {
  const front = desk();
  const { optimizer, clock } = front;
  const Support = slow(front, 200, { max: 1 });
  void optimizer.prewarm(Support);
  await clock.advance(150);
  const borrower = watch(optimizer.pooled(Support));
  await clock.advance(50);
  valueOf(borrower);
  assert.equal(snapshotOf(optimizer).window.avgInstantiationUs, 50_000);
});

test('prewarming is no hand-out; what was prewarmed is handed out as a hit', async () => {
  const { optimizer } = desk();
  const Support = agentClass();
  await optimizer.prewarm(Support, { count: 2 });
  assert.equal(snapshotOf(optimizer).window.samples, 0);
  const agent = await optimizer.pooled(Support);
  optimizer.tryPooled(Support);
  agent.release();
  await optimizer.pooled(Support);
  const { window, counters } = snapshotOf(optimizer);
  assert.deepEqual([window.samples, window.hitRatio, window.timings.hit.count], [3, 1, 3]);
  assert.equal(window.avgInstantiationUs, 0, 'the manual clock did not move');
  assert.equal(counters.handOuts, 3);
});

test('failures are counted apart, by code, and are no samples', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, maxWaiting: 1 } });
  await optimizer.pooled(Support);
  watch(optimizer.pooled(Support, undefined, { waitMs: 10 }));
  watch(optimizer.pooled(Support));
  watch(optimizer.pooled(Support, undefined, { signal: AbortSignal.abort() }));
  await clock.advance(10);
  const { counters, window } = snapshotOf(optimizer);
  assert.deepEqual(counters.failures, { ACQUIRE_TIMEOUT: 1, QUEUE_FULL: 1, ACQUIRE_ABORTED: 1 });
  assert.deepEqual([counters.handOuts, window.samples], [1, 1]);
});

test('a window forgets; since start does not', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const waiter = watch(optimizer.pooled(Support));
  await clock.advance(1_000);
  holder.release();
  await settle();
  valueOf(waiter).release();
  await clock.advance(400_000);
  (await optimizer.pooled(Support)).release();
  const recent = snapshotOf(optimizer).window;
  assert.deepEqual([recent.samples, recent.avgAcquireUs, recent.hitRatio], [1, 0, 1]);
  assert.ok(recent.windowMs >= 300_000 && recent.windowMs <= 310_100, `${recent.windowMs}`);
  const all = snapshotOf(optimizer, 'test', Number.POSITIVE_INFINITY).window;
  assert.equal(all.samples, 3);
  assert.equal(all.windowMs, clock.now());
  assert.ok(Math.abs((all.avgAcquireUs as number) - 1_000_000 / 3) < 1);
  assert.equal(snapshotOf(optimizer).counters.handOuts, 3, 'instantiation_samples counts since start');
});

test('windows of any length up to an hour cover at least what was asked for, and not a minute more', async () => {
  const { optimizer, clock } = desk();
  optimizer.register(agentClass());
  await clock.advance(2 * 3_600_000);
  for (const windowMs of [1, 5_000, 10_000, 60_000, 300_000, 301_000, 900_000, 3_600_000]) {
    const covered = snapshotOf(optimizer, 'test', windowMs).window.windowMs;
    assert.ok(covered >= windowMs && covered <= windowMs + 70_000, `${windowMs}: ${covered}`);
  }
});

test('a pool younger than the window answers for its age', async () => {
  const { optimizer, clock } = desk();
  optimizer.register(agentClass());
  await clock.advance(7_000);
  assert.equal(snapshotOf(optimizer).window.windowMs, 7_000);
});

test('holds, runs and resets are timed', async () => {
  const { optimizer, clock } = desk();
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.startTimer(resolve, ms));
  const Support = agentClass({ pool: { max: 1 }, reset: () => pause(30) as never, execute: () => pause(20) });
  const agent = await optimizer.pooled(Support);
  assert.ok(agent.resources);
  const run = watch(agent.run(1));
  await clock.advance(20);
  valueOf(run);
  await clock.advance(25);
  agent.release();
  await clock.advance(30);
  const { run: runs, use, reset } = snapshotOf(optimizer).window.timings;
  assert.deepEqual([runs.meanUs, use.meanUs, reset.meanUs], [20_000, 45_000, 30_000]);
});

test('pool size, exclusive: entries that would be handed out now', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const Support = agentClass({ pool: { max: 3 }, reset: () => gate.promise as never });
  await optimizer.prewarm(Support);
  assert.equal(snapshotOf(optimizer).size, 3);
  const agent = await optimizer.pooled(Support);
  assert.equal(snapshotOf(optimizer).size, 2);
  assert.ok(agent.resources);
  agent.release();
  assert.deepEqual([snapshotOf(optimizer).size, snapshotOf(optimizer).resetting], [2, 1]);
  gate.resolve();
  await settle();
  assert.equal(snapshotOf(optimizer).size, 3);
  void optimizer.drain();
  assert.equal(snapshotOf(optimizer).size, 0, 'draining hands out nothing');
  await optimizer.close();
  assert.equal(snapshotOf(optimizer).size, 0);
});

test('pool size, shared: free leases of the entry that exists, 0 before it does', async () => {
  const { optimizer } = desk();
  const factory = new GatedFactory<Thing>((index) => ({ id: index }));
  const Support = agentClass({ pool: { reuse: 'shared', max: 4 }, create: factory.create });
  const borrowed = await borrowAll(optimizer, Support, 1);
  assert.equal(snapshotOf(optimizer).size, 0);
  await factory.open();
  assert.deepEqual([snapshotOf(optimizer).size, snapshotOf(optimizer).max], [3, 4]);
  (borrowed[0]?.value as TestAgent).release();
  assert.equal(snapshotOf(optimizer).size, 4);
});

test('pool size, single-use: what is warm', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { reuse: 'single-use', max: 2 } });
  await optimizer.prewarm(Support);
  assert.equal(snapshotOf(optimizer).size, 2);
  const agent = await optimizer.pooled(Support);
  assert.equal(snapshotOf(optimizer).size, 1, 'max is 2, and one is in use');
  agent.release();
  await settle();
  assert.equal(snapshotOf(optimizer).size, 2);
});

test('pool_max does not count overflow', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1, exhaustion: 'grow', maxOverflow: 2 } });
  await borrowAll(optimizer, Support, 3);
  assert.deepEqual([snapshotOf(optimizer).max, snapshotOf(optimizer).leased], [1, 3]);
});

test('the oldest waiter, the holders and the states are as they are now', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  await optimizer.pooled(Support, undefined, { owner: 'ann' });
  await clock.advance(10);
  watch(optimizer.pooled(Support));
  await clock.advance(20);
  watch(optimizer.pooled(Support));
  const { oldestWaiterMs, waiting, holders, leased, state, reuse } = snapshotOf(optimizer);
  assert.deepEqual([oldestWaiterMs, waiting, leased, state, reuse], [20, 2, 1, 'running', 'exclusive']);
  assert.deepEqual(holders, [{ leaseId: 1, owner: 'ann', tenant: undefined, heldMs: 30, isSuspect: false }]);
});

test('reading a snapshot changes nothing', async () => {
  const { optimizer } = desk();
  (await optimizer.pooled(agentClass())).release();
  assert.deepEqual(snapshotOf(optimizer), snapshotOf(optimizer));
});
