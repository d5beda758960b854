/** Many deadlines on one timer: none early, none lost, none met after it was removed. */

import assert from 'node:assert/strict';
import test from 'node:test';

import fc from 'fast-check';
import { ManualClock, settle } from '@sophia-ai/core/testing';

import { Deadline, Deadlines } from '../src/base/deadlines.ts';

/** From 256 ms on, deadlines are rounded up to this grain. */
const COARSE_FROM_MS = 256;
const GRAIN_MS = 16;

test('each is met once, never early, at most its grain late; removed ones never; against a naive model', async () => {
  const operation = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        at: fc.oneof(fc.nat(20), fc.nat(1_000), fc.double({ min: 0, max: 50, noNaN: true })),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), at: fc.nat(50) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), at: fc.nat(300) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), fc.boolean(), async (operations, keepAlive) => {
      const clock = new ManualClock();
      const deadlines = new Deadlines(clock, keepAlive);
      const all: { deadline: Deadline; dueMs: number; latestMs: number; metAt: number[]; removed: boolean }[] = [];
      const open = (): typeof all => all.filter(({ metAt, removed }) => !removed && metAt.length === 0);
      for (const { do: what, at } of operations) {
        if (what === 'add') {
          const metAt: number[] = [];
          const deadline = new Deadline(() => void metAt.push(clock.now()));
          const dueMs = clock.now() + at;
          deadlines.add(deadline, at);
          all.push({ deadline, dueMs, latestMs: dueMs + (at < COARSE_FROM_MS ? 1 : GRAIN_MS), metAt, removed: false });
        } else if (what === 'remove') {
          const each = all[at % Math.max(1, all.length)];
          if (each === undefined) continue;
          deadlines.remove(each.deadline);
          if (each.metAt.length === 0) each.removed = true;
        } else await clock.advance(at);
        assert.equal(deadlines.size, open().length);
        assert.ok(clock.pending <= 1, 'one timer for all');
        if (keepAlive) assert.equal(clock.holding, deadlines.size > 0 ? 1 : 0);
        else assert.equal(clock.holding, 0);
        for (const { dueMs, latestMs, metAt, removed } of all) {
          if (removed) assert.deepEqual(metAt, []);
          else if (clock.now() >= latestMs) assert.equal(metAt.length, 1);
          for (const ms of metAt) assert.ok(ms >= dueMs, 'never early');
        }
      }
      await clock.advance(2_000);
      assert.equal(open().length, 0);
      assert.deepEqual([deadlines.size, clock.pending], [0, 0]);
    }),
    { numRuns: 300 },
  );
});

test('one that is met may remove others of the same moment', async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, true);
  const met: string[] = [];
  const second = new Deadline(() => met.push('second'));
  const first = new Deadline(() => {
    met.push('first');
    deadlines.remove(second);
  });
  deadlines.add(first, 10);
  deadlines.add(second, 10);
  deadlines.add(new Deadline(() => met.push('third')), 10);
  await clock.advance(10);
  assert.deepEqual(met, ['first', 'third']);
  assert.equal(deadlines.size, 0);
});

test('one that is met may add others, also for the same moment', async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, true);
  const met: number[] = [];
  deadlines.add(
    new Deadline(() => {
      met.push(1);
      deadlines.add(new Deadline(() => met.push(2)), 0);
      deadlines.add(new Deadline(() => met.push(3)), 5);
    }),
    10,
  );
  await clock.advance(10);
  assert.deepEqual(met, [1, 2]);
  await clock.advance(5);
  assert.deepEqual(met, [1, 2, 3]);
  assert.equal(deadlines.size, 0);
});

test('a deadline may be added again after it was met or removed', async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, false);
  let met = 0;
  const deadline = new Deadline(() => {
    met += 1;
    if (met < 3) deadlines.add(deadline, 10);
  });
  deadlines.add(deadline, 10);
  await clock.advance(100);
  assert.equal(met, 3);
  deadlines.add(deadline, 10);
  deadlines.remove(deadline);
  deadlines.remove(deadline);
  await clock.advance(100);
  assert.equal(met, 3);
});

test('a wait beyond the longest host timer is cut into legs and still met on time', async () => {
  const clock = new ManualClock();
  const delays: number[] = [];
  const start = clock.startTimer.bind(clock);
  clock.startTimer = (callback, delayMs) => {
    delays.push(delayMs);
    return start(callback, delayMs);
  };
  const deadlines = new Deadlines(clock, true);
  let metAt = 0;
  const days30 = 30 * 24 * 3_600_000;
  deadlines.add(new Deadline(() => (metAt = clock.now())), days30);
  await clock.advance(days30 + GRAIN_MS);
  assert.ok(metAt >= days30 && metAt <= days30 + GRAIN_MS);
  assert.ok(delays.every((delayMs) => delayMs < 2 ** 31));
});

test('within settles as its work does, or with the late error, and leaves no deadline behind', async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, true);
  const late = (): Error => new Error('late');
  assert.equal(await deadlines.within(10, () => 5, late), 5);
  assert.equal(await deadlines.within(10, async () => 6, late), 6);
  await assert.rejects(
    deadlines.within(10, () => Promise.reject(new Error('own')), late),
    /own/,
  );
  await assert.rejects(
    deadlines.within(
      10,
      () => {
        throw new Error('sync');
      },
      late,
    ),
    /sync/,
  );
  assert.equal(deadlines.size, 0);
  const hanging = assert.rejects(
    deadlines.within(10, () => new Promise(() => undefined), late),
    /late/,
  );
  await clock.advance(10);
  await hanging;
  await settle();
  assert.deepEqual([deadlines.size, clock.pending], [0, 0]);
});

test('10,000 deadlines of one moment cost one timer; closing forgets them all', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, true);
  for (let index = 0; index < 10_000; index += 1) deadlines.add(new Deadline(() => assert.fail('met')), 5_000);
  assert.deepEqual([deadlines.size, clock.pending], [10_000, 1]);
  deadlines.close();
  assert.deepEqual([deadlines.size, clock.pending], [0, 0]);
});

test('deadlines that were removed leave nothing behind, however far away they were', async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, true);
  for (let step = 0; step < 2_000; step += 1) {
    const deadline = new Deadline(() => assert.fail('was removed'));
    deadlines.add(deadline, 3_600_000);
    deadlines.remove(deadline);
    await clock.advance(16);
  }
  const met: string[] = [];
  for (const [name, ms] of [
    ['late', 50],
    ['early', 20],
    ['removed', 30],
    ['same', 20],
  ] as const) {
    const deadline = new Deadline(() => void met.push(name));
    deadlines.add(deadline, ms);
    if (name === 'removed') deadlines.remove(deadline);
  }
  await clock.advance(100);
  assert.deepEqual(met, ['early', 'same', 'late']);
  assert.equal(deadlines.size, 0);
});

test('a deadline added in the moment in which its bucket was emptied is met all the same', async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, true);
  const met: string[] = [];
  const other = new Deadline(() => void met.push('other'));
  const first = new Deadline(() => {
    deadlines.remove(other);
    deadlines.add(new Deadline(() => void met.push('added')), 0);
  });
  deadlines.add(first, 10);
  deadlines.add(other, 10);
  await clock.advance(20);
  assert.deepEqual(met, ['added']);
});
