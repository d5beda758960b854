/** `static create` may fail, hang, throw at once or succeed late; the pool survives each. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { SophiaError } from '@sophia-ai/core';
import type { CreateContext } from '@sophia-ai/core';
import { GatedFactory, settle } from '@sophia-ai/core/testing';

import { agentClass, borrowAll, codeOf, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Thing } from './support/agents.ts';

function gated(): GatedFactory<Thing> {
  return new GatedFactory<Thing>((index) => ({ id: index + 1 }));
}

test('a create that rejects for ever without I/O never starves the event loop, and creations stay few', async () => {
  const { optimizer } = desk();
  let started = 0;
  const Broken = agentClass({
    create: async () => {
      started += 1;
      throw new Error('no key');
    },
  });
  const borrowers = await borrowAll(optimizer, Broken, 50);
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    setTimeout(() => {
      order.push('timer');
      resolve();
    }, 0);
    setImmediate(() => order.push('immediate'));
  });
  await new Promise<void>((resolve) => void setImmediate(resolve));
  assert.deepEqual(order.toSorted(), ['immediate', 'timer']);
  assert.ok(started <= 2, `${started} creations without a pause between them`);
  assert.ok(borrowers.every(({ state }) => state === 'pending'));
});

test('a create that fails for ten minutes is tried a bounded number of times, each time after a pause', async () => {
  const { optimizer, clock } = desk();
  const at: number[] = [];
  const Broken = agentClass({
    pool: { createConcurrency: 1, waitMs: 600_000, createAttempts: 1_000 },
    create: () => {
      at.push(clock.now());
      throw new Error('down');
    },
  });
  const borrower = watch(optimizer.pooled(Broken));
  await clock.advance(590_000);
  assert.equal(borrower.state, 'pending');
  const gaps = at.slice(1).map((time, index) => time - (at[index] as number));
  assert.ok(at.length < 40, `${at.length} attempts`);
  assert.deepEqual(
    gaps,
    gaps.toSorted((a, b) => a - b),
    'pauses grow',
  );
  assert.ok((gaps[0] as number) >= 100 && (gaps.at(-1) as number) <= 30_016, gaps.join());
  await clock.advance(10_016);
  assert.equal(codeOf(borrower), 'ACQUIRE_TIMEOUT');
});

test('borrowers that come during a pause, and entries that end in it, start no creation', async () => {
  const { optimizer, clock } = desk();
  let started = 0;
  const Broken = agentClass({
    pool: { createConcurrency: 1, createAttempts: 1_000, minIdle: 1 },
    create: () => {
      started += 1;
      if (started > 1) throw new Error('down');
      return { id: 1 };
    },
  });
  const holder = await optimizer.pooled(Broken);
  await settle();
  assert.equal(started, 2, 'the floor wanted another, which failed');
  for (let index = 0; index < 50; index += 1) {
    watch(optimizer.pooled(Broken));
    await clock.advance(1);
  }
  holder.discard();
  await clock.advance(40);
  assert.equal(started, 2);
  await clock.advance(20);
  assert.equal(started, 3, 'and one after it');
});

test('the pause after a failure is jittered by the injected random between one half and the whole', async () => {
  const retries: number[] = [];
  for (const random of [0, 0.5, 1]) {
    const { optimizer, clock } = desk({ random: () => random });
    const events = record(optimizer, 'agent.create-failed');
    let started = 0;
    const Broken = agentClass({
      pool: { createConcurrency: 1 },
      create: () => {
        started += 1;
        throw new Error('down');
      },
    });
    watch(optimizer.pooled(Broken));
    await settle();
    const retryInMs = events[0]?.payload.retryInMs as number;
    retries.push(retryInMs);
    await clock.advance(retryInMs - 1);
    assert.equal(started, 1);
    await clock.advance(2);
    assert.equal(started, 2, 'the event told the truth about the next attempt');
  }
  assert.deepEqual(retries, [50, 75, 100]);
});

test('a create that throws synchronously is a failure like any other: retried, told, no slot lost', async () => {
  const { optimizer, clock } = desk();
  let fails = 2;
  const Flaky = agentClass({
    pool: { max: 1, createConcurrency: 1 },
    create: () => {
      fails -= 1;
      if (fails >= 0) throw new Error('not yet');
      return { id: 7 };
    },
  });
  const borrower = watch(optimizer.pooled(Flaky));
  await clock.advance(1_000);
  assert.equal(valueOf(borrower).resources.id, 7);
  const { counters, creating, lastCreateError } = snapshotOf(optimizer);
  assert.deepEqual([counters.created, counters.createFailed, creating, lastCreateError], [1, 2, 0, null]);
});

test('a hanging create is given up after createTimeoutMs: its signal is aborted and its slot is free again', async () => {
  const { optimizer, clock } = desk();
  const signals: AbortSignal[] = [];
  const Hanging = agentClass({
    pool: { max: 1, createTimeoutMs: 1_000, waitMs: 60_000 },
    create: ({ signal }: CreateContext) => {
      signals.push(signal);
      return signals.length === 1 ? new Promise<Thing>(() => undefined) : { id: 2 };
    },
  });
  const events = record(optimizer, 'agent.create-failed');
  const borrower = watch(optimizer.pooled(Hanging));
  await clock.advance(999);
  assert.equal(signals[0]?.aborted, false);
  await clock.advance(20);
  assert.equal(signals[0].aborted, true);
  const { error } = events[0]?.payload ?? {};
  assert.ok(error instanceof SophiaError && error.code === 'CREATE_TIMEOUT');
  assert.equal(signals[0].reason, error);
  await clock.advance(200);
  assert.equal(valueOf(borrower).resources.id, 2);
  assert.equal(signals[1]?.aborted, false);
});

test('a creation that succeeds after its time-out is adopted when there is room and somebody waits', async () => {
  const { optimizer, clock } = desk();
  const factory = gated();
  const Slow = agentClass({
    pool: { max: 1, createTimeoutMs: 1_000, waitMs: 60_000 },
    create: factory.create,
    destroy: factory.destroy,
  });
  const borrower = watch(optimizer.pooled(Slow));
  await clock.advance(1_020);
  assert.equal(snapshotOf(optimizer).creating, 0);
  await factory.open();
  assert.equal(valueOf(borrower).resources.id, 1);
  assert.equal(snapshotOf(optimizer).counters.created, 1);
});

test('a creation that succeeds after its time-out with no room left is destroyed, never lost', async () => {
  const { optimizer, clock } = desk();
  const factory = gated();
  const Slow = agentClass({
    pool: { max: 1, createTimeoutMs: 1_000, waitMs: 60_000 },
    create: factory.create,
    destroy: factory.destroy,
  });
  const borrower = watch(optimizer.pooled(Slow));
  await clock.advance(1_500);
  assert.equal(factory.started, 2, 'the second attempt is under way');
  await factory.open();
  await settle();
  assert.equal(borrower.state, 'pending');
  assert.deepEqual(
    factory.destroyed.map(({ id }) => id),
    [1],
  );
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { late: 1 });
  await factory.open();
  assert.equal(valueOf(borrower).resources.id, 2);
});

test('a creation that fails after its time-out has been counted once already and changes nothing', async () => {
  const { optimizer, clock } = desk();
  const factory = gated();
  const Slow = agentClass({ pool: { max: 1, createTimeoutMs: 1_000, waitMs: 60_000 }, create: factory.create });
  const borrower = watch(optimizer.pooled(Slow));
  await clock.advance(1_500);
  await factory.fail(new Error('too late as well'));
  assert.equal(snapshotOf(optimizer).counters.createFailed, 1);
  await factory.open();
  valueOf(borrower);
});

test('no more than createConcurrency creations are under way at once', async () => {
  const { optimizer } = desk();
  const factory = gated();
  const Slow = agentClass({ pool: { max: 10, createConcurrency: 3 }, create: factory.create });
  const borrowers = await borrowAll(optimizer, Slow, 8);
  for (let made = 0; made < 8; made += 1) {
    assert.equal(factory.waiting, Math.min(3, 8 - made));
    assert.equal(snapshotOf(optimizer).creating, factory.waiting);
    await factory.open();
  }
  assert.ok(borrowers.every(({ state }) => state === 'resolved'));
  assert.equal(factory.started, 8);
});

test('no more is created than is asked for: one borrower, one creation', async () => {
  const { optimizer } = desk();
  const factory = gated();
  const Slow = agentClass({ create: factory.create });
  const [borrower] = await borrowAll(optimizer, Slow, 1);
  assert.equal(factory.started, 1);
  await factory.open();
  valueOf(borrower as never);
  assert.equal(factory.started, 1);
});

test('a spike of 50 borrowers, 150 ms to create, 2 ms of use: at most 8 entries are created, all 50 are served', async () => {
  const { optimizer, clock } = desk();
  let created = 0;
  const Slow = agentClass({
    pool: { max: 50 },
    create: async () => {
      created += 1;
      const id = created;
      await new Promise<void>((resolve) => void clock.startTimer(resolve, 150));
      return { id };
    },
  });
  let served = 0;
  for (let index = 0; index < 50; index += 1) {
    void optimizer.use(Slow, undefined, async () => {
      await new Promise<void>((resolve) => void clock.startTimer(resolve, 2));
      served += 1;
    });
  }
  await clock.advance(1_000);
  assert.equal(served, 50);
  assert.ok(created <= 8, `${created} entries for 50 short uses`);
});

test('waiters are told the true cause after createAttempts failures in a row', async () => {
  const { optimizer, clock } = desk();
  const outage = new Error('ECONNREFUSED 10.0.0.1');
  const Broken = agentClass({
    pool: { createConcurrency: 1, createAttempts: 3 },
    create: () => Promise.reject(outage),
  });
  const borrowers = await borrowAll(optimizer, Broken, 3);
  await clock.advance(100);
  assert.ok(borrowers.every(({ state }) => state === 'pending'));
  await clock.advance(210);
  for (const borrower of borrowers) {
    assert.equal(codeOf(borrower), 'CREATE_FAILED');
    const error = borrower.error as SophiaError;
    assert.equal(error.cause, outage);
    assert.match(error.message, /3 times in a row.*ECONNREFUSED 10\.0\.0\.1/);
  }
  assert.equal(snapshotOf(optimizer).lastCreateError, outage.message);
});

test('while another entry may still come back, waiters are not refused for a failing create', async () => {
  const { optimizer, clock } = desk();
  let down = false;
  const Flaky = agentClass({
    pool: { max: 2, createConcurrency: 1, waitMs: 30_000 },
    create: () => (down ? Promise.reject(new Error('down')) : { id: 1 }),
  });
  const holder = await optimizer.pooled(Flaky);
  down = true;
  const waiter = watch(optimizer.pooled(Flaky));
  await clock.advance(5_000);
  assert.equal(waiter.state, 'pending');
  holder.release();
  await settle();
  assert.equal(valueOf(waiter).resources.id, 1);
});

test('a time-out names the failing creation as the cause when that is why nothing came', async () => {
  const { optimizer, clock } = desk();
  const outage = new Error('quota used up');
  const Broken = agentClass({
    pool: { createConcurrency: 1, createAttempts: 100, waitMs: 1_000 },
    create: () => Promise.reject(outage),
  });
  const borrower = watch(optimizer.pooled(Broken));
  await clock.advance(1_016);
  assert.equal(codeOf(borrower), 'ACQUIRE_TIMEOUT');
  assert.equal((borrower.error as SophiaError).cause, outage);
});

test('a creation whose requester left goes to the next waiter', async () => {
  const { optimizer } = desk();
  const factory = gated();
  const Slow = agentClass({ pool: { max: 1 }, create: factory.create });
  const leaving = new AbortController();
  const first = watch(optimizer.pooled(Slow, undefined, { signal: leaving.signal }));
  const second = watch(optimizer.pooled(Slow));
  await settle();
  leaving.abort();
  await settle();
  assert.equal(codeOf(first), 'ACQUIRE_ABORTED');
  await factory.open();
  assert.equal(valueOf(second).resources.id, 1);
  assert.equal(factory.started, 1);
});

test('a creation whose requester left goes to the idle ones when nobody else waits', async () => {
  const { optimizer, clock } = desk();
  const factory = gated();
  const Slow = agentClass({ create: factory.create, destroy: factory.destroy });
  const borrower = watch(optimizer.pooled(Slow, undefined, { waitMs: 50 }));
  await clock.advance(51);
  assert.equal(codeOf(borrower), 'ACQUIRE_TIMEOUT');
  await factory.open();
  assert.equal(snapshotOf(optimizer).idle, 1);
  assert.deepEqual(factory.destroyed, []);
  const next = optimizer.tryPooled(Slow);
  assert.equal(next?.resources.id, 1);
});

test('after an outage the queue is served within one pause, in order, and failures start from one again', async () => {
  const { optimizer, clock } = desk();
  let down = true;
  let id = 0;
  const Flaky = agentClass({
    pool: { max: 4, createAttempts: 100, waitMs: 600_000 },
    create: () => {
      if (down) throw new Error('down');
      id += 1;
      return { id };
    },
  });
  const events = record(optimizer, 'agent.create-failed');
  const borrowers = await borrowAll(optimizer, Flaky, 4);
  await clock.advance(20_000);
  const longest = Math.max(...events.map(({ payload }) => payload.retryInMs));
  down = false;
  await clock.advance(longest + 16);
  assert.deepEqual(
    borrowers.map((borrower) => valueOf(borrower).resources.id),
    [1, 2, 3, 4],
  );
  down = true;
  valueOf(borrowers[0] as never) as never;
  borrowers[0]?.value?.discard();
  watch(optimizer.pooled(Flaky));
  await settle();
  assert.equal(events.at(-1)?.payload.failuresInARow, 1);
});

test('a create whose resources retire themselves at once is not repeated without a pause', async () => {
  const { optimizer, clock } = desk();
  let started = 0;
  const ShortLived = agentClass({
    pool: { waitMs: 1_000 },
    create: async ({ retire }) => {
      started += 1;
      // The guard ends what would otherwise keep the event loop from ever turning.
      if (started < 500) retire('its process has ended');
      return { id: started };
    },
  });
  const borrower = watch(optimizer.pooled(ShortLived));
  await clock.advance(0);
  assert.ok(started < 10, `${started} creations in one turn`);
  await clock.advance(1_016);
  assert.equal(borrower.state, 'rejected');
});

test('a create may return its resources without a promise, and may resolve to undefined', async () => {
  const { optimizer } = desk();
  const Plain = agentClass({ type: 'plain', create: () => ({ id: 5 }) });
  assert.equal((await optimizer.pooled(Plain)).resources.id, 5);
  const Empty = agentClass({ type: 'empty', create: async () => undefined as never });
  assert.equal((await optimizer.pooled(Empty)).resources, undefined);
});

test('a rejection without a reason counts as a failure', async () => {
  const { optimizer, clock } = desk();
  const Broken = agentClass({
    pool: { createAttempts: 1 },
    create: () => Promise.reject(undefined), // oxlint-disable-line prefer-promise-reject-errors -- what users may do
  });
  const borrower = watch(optimizer.pooled(Broken));
  await clock.advance(1);
  assert.equal(codeOf(borrower), 'CREATE_FAILED');
  assert.equal(snapshotOf(optimizer).counters.createFailed, 1);
});

test('an adopted late success wakes nobody twice: two waiters, one late and one in time, get one each', async () => {
  const { optimizer, clock } = desk();
  const factory = gated();
  const Slow = agentClass({
    pool: { max: 2, createConcurrency: 2, createTimeoutMs: 1_000, waitMs: 60_000 },
    create: factory.create,
    destroy: factory.destroy,
  });
  const borrowers = await borrowAll(optimizer, Slow, 2);
  await clock.advance(1_020);
  await factory.open();
  await factory.open();
  assert.deepEqual(
    borrowers.map((borrower) => valueOf(borrower).resources.id),
    [1, 2],
  );
  await clock.advance(5_000);
  assert.deepEqual([snapshotOf(optimizer).leased, snapshotOf(optimizer).creating], [2, 0]);
});

test('creations that time out together with their waiters leave the queue intact', async () => {
  const { optimizer, clock } = desk();
  // Both limits fall on the same moment, as the defaults do: the creation's failure refuses waiters whose own time is up.
  const Hanging = agentClass({
    pool: { max: 4, createConcurrency: 1, createAttempts: 1, createTimeoutMs: 1_000, waitMs: 1_000 },
    create: () => new Promise<Thing>(() => undefined),
  });
  const first = watch(optimizer.pooled(Hanging));
  const second = watch(optimizer.pooled(Hanging));
  await clock.advance(1_020);
  assert.equal(first.state, 'rejected');
  assert.equal(second.state, 'rejected');
  assert.equal(snapshotOf(optimizer).waiting, 0);
  // The breaker is open for the pause after the failure; the borrower after it is the probe.
  await clock.advance(200);
  const third = watch(optimizer.pooled(Hanging));
  assert.equal(snapshotOf(optimizer).waiting, 1);
  await clock.advance(60_000);
  assert.equal(third.state, 'rejected');
  assert.equal(snapshotOf(optimizer).waiting, 0);
});

test('in an outage newcomers are told at once; after the pause one creation is the probe for all', async () => {
  const { optimizer, clock } = desk({ random: () => 1 });
  let isDown = true;
  let started = 0;
  const Flaky = agentClass({
    pool: { max: 4, createConcurrency: 4, createAttempts: 2 },
    create: () => {
      started += 1;
      return isDown ? Promise.reject(new Error('down')) : Promise.resolve({ id: started });
    },
  });
  const first = watch(optimizer.pooled(Flaky));
  await clock.advance(100);
  assert.equal(codeOf(first), 'CREATE_FAILED');
  const before = started;
  const newcomer = watch(optimizer.pooled(Flaky));
  await settle();
  assert.equal(codeOf(newcomer), 'CREATE_FAILED');
  assert.equal(started, before, 'no creation is started for a newcomer in an outage');
  await clock.advance(200);
  isDown = false;
  const gate = started;
  const probing = [1, 2, 3].map(() => watch(optimizer.pooled(Flaky)));
  assert.equal(snapshotOf(optimizer).creating, 1, 'one probe, whatever the concurrency');
  await clock.advance(1);
  for (const each of probing) valueOf(each);
  assert.ok(started > gate);
  await optimizer.close({ timeoutMs: 0 });
});

test('resources that came too late and say later that they ended are not lent again', async () => {
  const { optimizer, clock } = desk();
  const gate = Promise.withResolvers<Thing>();
  const retires: ((reason: string) => void)[] = [];
  const Support = agentClass({
    pool: { max: 1, createTimeoutMs: 1_000, waitMs: 60_000 },
    create: ({ retire }) => {
      retires.push(retire);
      return retires.length === 1 ? gate.promise : new Promise<Thing>(() => undefined);
    },
  });
  const borrower = watch(optimizer.pooled(Support));
  await clock.advance(1_020);
  gate.resolve({ id: 1 });
  await clock.advance(1);
  valueOf(borrower).release();
  retires[0]?.('its process has ended');
  await clock.advance(1);
  assert.equal(optimizer.tryPooled(Support), undefined);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { retired: 1 });
});

test('a close while static warm hangs destroys what was made, and a destroy that hangs is given up', async () => {
  for (const hangs of ['warm', 'destroy'] as const) {
    const { optimizer, clock } = desk();
    const destroyed: number[] = [];
    const never = (): Promise<never> => new Promise(() => undefined);
    const Support = agentClass({
      pool: { createTimeoutMs: 30_000 },
      warm: hangs === 'warm' ? never : () => undefined,
      destroy: ({ id }) => {
        destroyed.push(id);
        return hangs === 'destroy' ? never() : undefined;
      },
    });
    watch(optimizer.prewarm(Support, { count: 1 }));
    await clock.advance(100);
    const closing = watch(optimizer.close({ timeoutMs: 0 }));
    await clock.advance(200_000);
    assert.equal(closing.state, 'resolved', hangs);
    assert.deepEqual(destroyed, [1], hangs);
    assert.equal(snapshotOf(optimizer).destroying, 0, hangs);
    assert.equal(clock.pending, 0, hangs);
  }
});
