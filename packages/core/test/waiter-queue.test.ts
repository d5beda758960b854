/** The queue of one shelf: first come first served within a tenant, turns by weight among tenants. */

import assert from 'node:assert/strict';
import test from 'node:test';

import fc from 'fast-check';
import { ManualClock } from '@sophia-ai/core/testing';

import { Deadlines } from '../src/base/deadlines.ts';
import { Waiter, WaiterQueue } from '../src/waiter-queue.ts';
import { countedSignal } from './support/agents.ts';

function queue(weights: Readonly<Record<string, number>> = {}) {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, true);
  const waiters = new WaiterQueue(deadlines, weights);
  let lastName = 0;
  const late: string[] = [];
  /** Each waiter's owner is its tenant and its number. */
  const join = (
    tenant?: string,
    { waitMs = 1_000, startMs = lastName }: { waitMs?: number; startMs?: number } = {},
  ) => {
    lastName += 1;
    const borrower = { owner: `${tenant ?? ''}${lastName}`, tenant, leaseMs: undefined, origin: new Error('here') };
    const waiter = new Waiter(startMs, borrower, undefined, (gone) => {
      waiters.remove(gone);
      late.push(nameOf(gone));
    });
    waiters.push(waiter, waitMs, undefined, () => undefined);
    return waiter;
  };
  return { clock, deadlines, waiters, join, late };
}

function nameOf(waiter: Waiter | undefined): string {
  return waiter?.borrower.owner ?? 'nobody';
}

test('without tenants it is first come, first served', () => {
  const { waiters, join } = queue();
  for (let index = 0; index < 5; index += 1) join();
  assert.deepEqual(
    Array.from({ length: 6 }, () => nameOf(waiters.shift())),
    ['1', '2', '3', '4', '5', 'nobody'],
  );
  assert.deepEqual([waiters.size, waiters.oldest], [0, undefined]);
});

test('one turn of a tenant is as many as its weight; fractions are saved up', () => {
  const { waiters, join } = queue({ a: 2, b: 0.5 });
  for (let index = 0; index < 12; index += 1) for (const tenant of ['a', 'b', 'c']) join(tenant);
  const order = Array.from({ length: 14 }, () => nameOf(waiters.shift())[0]).join('');
  assert.equal(order, 'aacaabcaacaabc');
});

test('a tenant that may not be served is passed over, keeps its order, and loses nothing of its share', () => {
  const { waiters, join } = queue();
  for (const tenant of ['a', 'a', 'b', 'b']) join(tenant);
  const notA = (tenant: string | undefined): boolean => tenant !== 'a';
  assert.deepEqual([nameOf(waiters.shift(notA)), nameOf(waiters.shift(notA))], ['b3', 'b4']);
  assert.equal(waiters.shift(notA), undefined);
  assert.equal(
    waiters.shift(() => false),
    undefined,
  );
  assert.deepEqual([nameOf(waiters.shift()), nameOf(waiters.shift())], ['a1', 'a2']);
});

test('a tenant that leaves and comes back cannot serve itself more than its share', () => {
  const { waiters, join } = queue();
  for (let index = 0; index < 10; index += 1) join('patient');
  join('sly');
  const order: string[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const waiter = waiters.shift();
    order.push(waiter?.borrower.tenant ?? 'nobody');
    if (waiter?.borrower.tenant === 'sly') join('sly');
  }
  assert.equal(order.filter((tenant) => tenant === 'sly').length, 5, order.join());
});

test('the oldest is that of any tenant, also after others have left', () => {
  const { waiters, join } = queue();
  const [first, second] = [join('b', { startMs: 5 }), join('a', { startMs: 7 })];
  join('b', { startMs: 9 });
  assert.equal(waiters.oldest, first);
  waiters.remove(first);
  assert.equal(waiters.oldest, second);
  assert.deepEqual(
    [...waiters.counts()],
    [
      ['b', 1],
      ['a', 1],
    ],
  );
});

test('takeOlder takes, of every tenant, those who came before, and nobody else', () => {
  const { waiters, join, deadlines } = queue();
  for (const [tenant, startMs] of [
    ['a', 1],
    ['b', 2],
    ['a', 10],
    ['c', 9],
    ['b', 11],
  ] as const) {
    join(tenant, { startMs });
  }
  assert.deepEqual(waiters.takeOlder(10).map(nameOf).toSorted(), ['a1', 'b2', 'c4']);
  assert.deepEqual(waiters.takeOlder(10), []);
  assert.deepEqual([waiters.size, deadlines.size, [...waiters.counts()].length], [2, 2, 2]);
});

test('whoever leaves, in whatever way, leaves no deadline and no listener', async () => {
  const { waiters, join, deadlines, clock, late } = queue();
  const { controller, signal, listeners } = countedSignal();
  const gone: Waiter[] = [];
  const withSignal = (): Waiter => {
    const borrower = { owner: 's', tenant: 's', leaseMs: undefined, origin: new Error('here') };
    const waiter = new Waiter(0, borrower, undefined, () => undefined);
    waiters.push(waiter, 1_000, signal, (aborted) => {
      waiters.remove(aborted);
      gone.push(aborted);
    });
    return waiter;
  };
  const [served, removed, aborted] = [withSignal(), withSignal(), withSignal()];
  assert.equal(waiters.shift(), served);
  waiters.remove(removed);
  assert.deepEqual([listeners(), deadlines.size, waiters.size], [1, 1, 1]);
  controller.abort();
  assert.deepEqual([gone, listeners(), deadlines.size, waiters.size], [[aborted], 0, 0, 0]);
  join('t', { waitMs: 20 });
  await clock.advance(20);
  assert.deepEqual([late, waiters.size, deadlines.size], [['t1'], 0, 0]);
});

test('refuseAll refuses everyone, each with an error of their own', async () => {
  const { waiters, join } = queue();
  const all = [join('a'), join(), join('b')];
  const told = Promise.allSettled(all.map(({ settled }) => settled.promise));
  waiters.refuseAll((waiter) => new Error(nameOf(waiter)));
  const reasons = (await told).map((result) => (result.status === 'rejected' ? String(result.reason) : 'served'));
  assert.deepEqual(reasons, ['Error: a1', 'Error: 2', 'Error: b3']);
  assert.equal(waiters.size, 0);
});

test('names of object members are tenants like any other', () => {
  const { waiters, join } = queue(JSON.parse('{"a":5}') as Record<string, number>);
  for (const tenant of ['constructor', '__proto__', 'constructor', '__proto__']) join(tenant);
  const order = Array.from({ length: 4 }, () => waiters.shift()?.borrower.tenant);
  assert.deepEqual(order, ['constructor', '__proto__', 'constructor', '__proto__']);
});

test('over a long saturated time each tenant gets its share by weight, give or take a round', (t) => {
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const weight = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(0.1, 0.25, 0.5, 1.5, 2.75));
  const world = fc.record({
    weights: fc.array(weight, { minLength: 1, maxLength: 6 }),
    rounds: fc.integer({ min: 20, max: 60 }),
  });
  const holds = fc.property(world, ({ weights, rounds }) => {
    const named = Object.fromEntries(weights.map((each, index) => [`t${index}`, each]));
    const { waiters, join } = queue(named);
    const total = weights.reduce((sum, each) => sum + each, 0);
    const leases = Math.floor(rounds * total);
    // Enough of each that nobody's line ends.
    for (const [tenant, each] of Object.entries(named)) {
      for (let index = 0; index < each * (rounds + 3) + 2; index += 1) join(tenant);
    }
    const served = new Map<string, number>();
    for (let lease = 0; lease < leases; lease += 1) {
      const tenant = waiters.shift()?.borrower.tenant as string;
      served.set(tenant, (served.get(tenant) ?? 0) + 1);
    }
    for (const [tenant, each] of Object.entries(named)) {
      const got = served.get(tenant) ?? 0;
      const fair = (leases * each) / total;
      assert.ok(Math.abs(got - fair) <= Math.max(each, 1) + 1, `${tenant} of weight ${each}: ${got}, fair ${fair}`);
    }
  });
  fc.assert(holds, { seed, numRuns: 200 });
});

const WEIGHTS = { a: 2, b: 0.5 } as const;

function weightOf(tenant: string | undefined): number {
  return tenant === 'a' || tenant === 'b' ? WEIGHTS[tenant] : 1;
}

/** Arrays in place of lists and no shared counts: the turns of the tenants, each with its credit and its line. */
class NaiveQueue {
  #turns: { tenant: string | undefined; credit: number; line: Waiter[] }[] = [];

  get all(): Waiter[] {
    return this.#turns.flatMap(({ line }) => line);
  }

  push(waiter: Waiter): void {
    const { tenant } = waiter.borrower;
    const turn = this.#turns.find((known) => known.tenant === tenant);
    if (turn === undefined) this.#turns.push({ tenant, credit: weightOf(tenant), line: [waiter] });
    else turn.line.push(waiter);
  }

  remove(waiter: Waiter): void {
    for (const turn of this.#turns) turn.line = turn.line.filter((each) => each !== waiter);
    this.#turns = this.#turns.filter(({ line }) => line.length > 0);
  }

  shift(mayServe: (tenant: string | undefined) => boolean): Waiter | undefined {
    if (!this.#turns.some(({ tenant }) => mayServe(tenant))) return undefined;
    for (;;) {
      const turn = this.#turns[0];
      const waiter = turn?.line[0];
      if (turn === undefined || waiter === undefined) return undefined;
      if (mayServe(turn.tenant)) {
        if (turn.credit >= 1) {
          turn.credit -= 1;
          this.remove(waiter);
          return waiter;
        }
        turn.credit += weightOf(turn.tenant);
      }
      this.#turns = [...this.#turns.slice(1), turn];
    }
  }
}

test('against a naive model: whatever joins, leaves and is barred, the same waiter is served', (t) => {
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const step = fc.oneof(
    fc.record({ does: fc.constant('join' as const), tenant: fc.constantFrom('a', 'b', 'c', undefined) }),
    fc.record({ does: fc.constant('leave' as const), which: fc.nat(30) }),
    fc.record({ does: fc.constant('serve' as const), barred: fc.subarray(['a', 'b', 'c']) }),
  );
  const holds = fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
    const { waiters, join, deadlines } = queue(WEIGHTS);
    const naive = new NaiveQueue();
    for (const each of steps) {
      if (each.does === 'join') naive.push(join(each.tenant));
      else if (each.does === 'leave') {
        const { all } = naive;
        const leaver = all[each.which % Math.max(1, all.length)];
        if (leaver === undefined) continue;
        waiters.remove(leaver);
        naive.remove(leaver);
      } else {
        const mayServe = (tenant: string | undefined): boolean => tenant === undefined || !each.barred.includes(tenant);
        assert.equal(nameOf(waiters.shift(mayServe)), nameOf(naive.shift(mayServe)));
      }
      const { length } = naive.all;
      assert.deepEqual([waiters.size, deadlines.size], [length, length]);
    }
  });
  fc.assert(holds, { seed, numRuns: 300 });
});
