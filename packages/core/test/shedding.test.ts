/** Under a queue that stands, whoever has waited far beyond the target is refused, so that the others are in time. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { PoolExhaustedError } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { Shedding } from '../src/shedding.ts';
import { agentClass, codeOf, coded, desk, keyedClass, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Desk, MadeClass, Watched } from './support/agents.ts';

interface Load {
  readonly everyMs: number;
  readonly holdMs: number;
  readonly forMs: number;
}

interface Visit {
  readonly cameMs: number;
  /** When it was served or refused. */
  leftMs: number;
  readonly watched: Watched<unknown>;
}

/** Borrowers that come at a steady pace, hold for a while and go. */
async function steady(
  { optimizer, clock }: Desk,
  Class: MadeClass,
  { everyMs, holdMs, forMs }: Load,
): Promise<Visit[]> {
  const visits: Visit[] = [];
  const endMs = clock.now() + forMs;
  while (clock.now() < endMs) {
    const visit = (agent: { release(): void }): void => {
      clock.startTimer(() => agent.release(), holdMs);
    };
    const watched = watch(optimizer.pooled(Class, { account: visits.length }));
    const came: Visit = { cameMs: clock.now(), leftMs: Number.NaN, watched };
    const left = (): void => {
      came.leftMs = clock.now();
    };
    watched.promise.then(visit, () => undefined).finally(left);
    visits.push(came);
    await clock.advance(everyMs);
  }
  return visits;
}

function waitedMs({ cameMs, leftMs }: Visit): number {
  return leftMs - cameMs;
}

function refusedOf(visits: readonly Visit[]): Visit[] {
  return visits.filter(({ watched }) => watched.state === 'rejected');
}

const OVERLOAD: Load = { everyMs: 50, holdMs: 100, forMs: 20_000 };

test('by default nobody is shed, however long the queue stands', async () => {
  const front = desk();
  const Support = agentClass({ pool: { max: 1, waitMs: 600_000 } });
  const visits = await steady(front, Support, OVERLOAD);
  assert.deepEqual(refusedOf(visits), []);
  const { isShedding, waiting } = snapshotOf(front.optimizer);
  assert.deepEqual([isShedding, waiting > 150], [false, true]);
});

test('a standing queue sheds those who waited over twice the target, and serves the others in time', async () => {
  const front = desk();
  const Support = agentClass({ pool: { max: 1, queueTargetMs: 200, waitMs: 600_000 } });
  const visits = await steady(front, Support, OVERLOAD);
  assert.equal(snapshotOf(front.optimizer).isShedding, true);
  const refused = refusedOf(visits);
  assert.ok(refused.length > 100, `${refused.length} refused`);
  for (const visit of refused) {
    assert.equal(codeOf(visit.watched), 'ACQUIRE_SHED');
    assert.ok(waitedMs(visit) > 400, `refused after ${waitedMs(visit)} ms`);
    assert.ok(visit.leftMs >= 2_000, 'not in the first interval');
  }
  const late = visits.filter(({ cameMs, watched }) => cameMs > 10_000 && watched.state === 'resolved');
  assert.ok(late.length > 50 && late.every((visit) => waitedMs(visit) <= 400), 'those who are served, are so in time');
});

test('the refusal is a PoolExhaustedError with facts that do not count the refused', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, queueTargetMs: 100, waitMs: 600_000 } });
  await optimizer.pooled(Support, undefined, { owner: 'stuck' });
  const waiter = watch(optimizer.pooled(Support));
  for (let step = 0; step < 60 && waiter.state === 'pending'; step += 1) await clock.advance(100);
  const { error } = waiter;
  assert.ok(error instanceof PoolExhaustedError);
  assert.deepEqual([error.code, error.phase, error.facts.waiting], ['ACQUIRE_SHED', 'acquire', 0]);
  assert.deepEqual(error.facts.oldestLease?.owner, 'stuck');
  assert.ok(error.facts.waitedMs > 200);
  assert.match(error.message, /refused so that others are served in time/);
  assert.equal(snapshotOf(optimizer).counters.failures.ACQUIRE_SHED, 1);
});

test('nobody served in a whole interval is a standing queue, too', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, queueTargetMs: 100, waitMs: 600_000 } });
  await optimizer.pooled(Support);
  const waiters = Array.from({ length: 10 }, () => watch(optimizer.pooled(Support)));
  await clock.advance(1_900);
  assert.ok(waiters.every(({ state }) => state === 'pending'));
  await clock.advance(4_200);
  assert.ok(waiters.every((waiter) => codeOf(waiter) === 'ACQUIRE_SHED'));
});

test('one short wait in each interval is a good queue: bursts are not shed', async () => {
  const front = desk();
  const { optimizer, clock } = front;
  const Support = agentClass({ pool: { max: 1, queueTargetMs: 200, waitMs: 600_000 } });
  const all: Visit[] = [];
  for (let burst = 0; burst < 10; burst += 1) {
    // Ten at once, the last of whom waits for 900 ms; then rest.
    all.push(...(await steady(front, Support, { everyMs: 1, holdMs: 100, forMs: 10 })));
    await clock.advance(1_500);
  }
  assert.deepEqual(refusedOf(all), []);
  assert.ok(all.every(({ watched }) => watched.state === 'resolved'));
  assert.ok(Math.max(...all.map(waitedMs)) > 800);
  assert.equal(snapshotOf(optimizer).isShedding, false);
});

test('shedding ends when the queue has emptied: who comes then waits as ever', async () => {
  const front = desk();
  const { optimizer, clock } = front;
  const Support = agentClass({ pool: { max: 1, queueTargetMs: 200, waitMs: 600_000 } });
  await steady(front, Support, { ...OVERLOAD, forMs: 10_050 });
  assert.equal(snapshotOf(optimizer).isShedding, true);
  while (snapshotOf(optimizer).waiting > 0 || snapshotOf(optimizer).leased > 0) await clock.advance(10);
  assert.equal(snapshotOf(optimizer).isShedding, false, 'the queue is empty');
  const holder = await optimizer.pooled(Support);
  const next = watch(optimizer.pooled(Support));
  await clock.advance(500);
  holder.release();
  await settle();
  valueOf(next);
});

test('shedding ends after an interval with a good wait', async () => {
  const front = desk();
  const { optimizer, clock } = front;
  const Support = agentClass({ pool: { max: 1, queueTargetMs: 200, waitMs: 600_000 } });
  await steady(front, Support, { ...OVERLOAD, forMs: 10_000 });
  assert.equal(snapshotOf(optimizer).isShedding, true);
  await steady(front, Support, { everyMs: 120, holdMs: 100, forMs: 10_000 });
  assert.equal(snapshotOf(optimizer).isShedding, false);
  await clock.advance(10_000);
});

test("'auto' follows the hold times: a tenth of the median, at least 50 ms", async () => {
  const auto = (holdMs: number): Shedding => new Shedding('auto', () => holdMs);
  assert.deepEqual([auto(0).targetMs, auto(400).targetMs, auto(5_000).targetMs], [50, 50, 500]);
  assert.deepEqual([auto(0).intervalMs, auto(5_000).intervalMs], [2_000, 10_000]);
  const front = desk();
  const Support = agentClass({ pool: { max: 1, queueTargetMs: 'auto', waitMs: 600_000 } });
  const visits = await steady(front, Support, OVERLOAD);
  const refused = refusedOf(visits);
  assert.ok(refused.length > 100 && refused.every((visit) => waitedMs(visit) > 100));
});

test('with keys: a queue that stands on many keys with one waiter each is shed like any other', async () => {
  const front = desk();
  const { Keyed } = keyedClass({ pool: { max: 1, queueTargetMs: 200, waitMs: 600_000 } });
  const visits = await steady(front, Keyed, OVERLOAD);
  assert.equal(snapshotOf(front.optimizer).isShedding, true);
  assert.ok(refusedOf(visits).length > 100, `${refusedOf(visits).length} refused`);
  assert.ok((snapshotOf(front.optimizer).keys?.count as number) < 50, 'and their keys are forgotten');
});

test('a tenant that its own limit keeps waiting makes no standing queue for the others', async () => {
  const front = desk();
  const { optimizer, clock } = front;
  const Support = agentClass({ pool: { max: 3, tenantBurst: 1, queueTargetMs: 100, waitMs: 600_000 } });
  await optimizer.prewarm(Support);
  await optimizer.pooled(Support, undefined, { tenant: 'a' });
  const own = watch(optimizer.pooled(Support, undefined, { tenant: 'a' }));
  for (let second = 0; second < 10; second += 1) {
    const other = watch(optimizer.pooled(Support, undefined, { tenant: 'b' }));
    await clock.advance(1_000);
    valueOf(other).release();
  }
  assert.equal(snapshotOf(optimizer).isShedding, false);
  assert.equal(own.state, 'pending');
});

test('drain ends though those who wait are shed, and close in the middle of shedding refuses the rest', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, queueTargetMs: 100, waitMs: 600_000 } });
  const holder = await optimizer.pooled(Support);
  const waiters = Array.from({ length: 5 }, () => watch(optimizer.pooled(Support)));
  const drained = watch(optimizer.drain({ timeoutMs: 60_000 }));
  await clock.advance(10_000);
  assert.ok(waiters.every((waiter) => codeOf(waiter) === 'ACQUIRE_SHED'));
  holder.release();
  await settle();
  assert.equal(valueOf(drained)[0]?.drained, true);
  await optimizer.close();
  assert.equal(clock.pending, 0);
});

test('the target is milliseconds, auto or Infinity', () => {
  for (const queueTargetMs of [0, -1, Number.NaN, 'fast', null, '100']) {
    const { optimizer } = desk();
    const Support = agentClass({ pool: { queueTargetMs } as PoolOptions });
    assert.throws(() => optimizer.register(Support), coded('OPTION_INVALID', "'queueTargetMs'", "'auto'"));
  }
});
