/** Tenants take turns by weight, within their limits, and no place stands empty while someone may have it. */

import assert from 'node:assert/strict';
import test from 'node:test';

import fc from 'fast-check';
import type { PoolExhaustedError } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, desk, keyedClass, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Desk, MadeClass, TestAgent, Watched } from './support/agents.ts';

/** Lines up borrowers, one per letter, each named after its tenant; they note who was served, and hold. */
function lineUp({ optimizer }: Desk, Class: MadeClass, tenants: string) {
  const order: string[] = [];
  const held: TestAgent[] = [];
  const waiters = Array.from(tenants, (tenant, index) => {
    const waiter = watch<TestAgent>(optimizer.pooled(Class, undefined, { tenant, owner: `${tenant}${index}` }));
    waiter.promise.then(
      (agent) => {
        order.push(tenant);
        held.push(agent);
      },
      () => undefined,
    );
    return waiter;
  });
  /** Gives back the lease that was granted first, `times` in a row. */
  const serve = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      held.shift()?.release();
      await settle();
    }
  };
  return { order, held, waiters, serve };
}

test('waiters of different tenants take turns, those of one tenant go in their order', async () => {
  const front = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const holder = await front.optimizer.pooled(Support);
  const line = lineUp(front, Support, 'aaaabbc');
  holder.release();
  await settle();
  await line.serve(6);
  assert.equal(line.order.join(''), 'abcabaa');
  const served = line.waiters.slice(0, 4).map((waiter) => valueOf(waiter));
  assert.deepEqual(served.length, 4);
});

test('tenantWeights share the places; whoever is not named has weight 1', async () => {
  const front = desk();
  const Support = agentClass({ pool: { max: 1, tenantWeights: { a: 3, b: 0.5 } } });
  const holder = await front.optimizer.pooled(Support);
  const line = lineUp(front, Support, 'a'.repeat(80) + 'b'.repeat(80) + 'c'.repeat(80));
  holder.release();
  await settle();
  await line.serve(89);
  const count = (tenant: string): number => line.order.filter((each) => each === tenant).length;
  assert.ok(Math.abs(count('a') - 60) <= 3, `a: ${count('a')} of 90`);
  assert.ok(Math.abs(count('b') - 10) <= 1, `b: ${count('b')} of 90`);
  assert.ok(Math.abs(count('c') - 20) <= 1, `c: ${count('c')} of 90`);
});

test('a tenant with 1,000 waiters delays the first waiter of another by no more than its turn', async () => {
  const front = desk();
  const Support = agentClass({ pool: { max: 2 } });
  const noisy = lineUp(front, Support, 'n'.repeat(1_002));
  await settle();
  const quiet = lineUp(front, Support, 'q');
  await noisy.serve(2);
  assert.deepEqual(quiet.order, ['q']);
});

test('tenantMax holds while others wait, tenantBurst while nobody else does', async () => {
  const front = desk();
  const Support = agentClass({ pool: { max: 4, tenantMax: 2, tenantBurst: 3 } });
  const a = lineUp(front, Support, 'aaaaa');
  await settle();
  assert.equal(a.order.length, 3, 'nobody else waits, so up to the burst');
  const b = lineUp(front, Support, 'bb');
  await settle();
  assert.equal(b.order.length, 1, 'the fourth place');
  await a.serve(1);
  assert.deepEqual([a.order.length, b.order.length], [3, 2], 'a is at its tenantMax while b waits');
  const { tenants, leased, waiting } = snapshotOf(front.optimizer);
  assert.deepEqual([leased, waiting], [4, 2]);
  assert.deepEqual(tenants, [
    { tenant: 'a', leased: 2, waiting: 2 },
    { tenant: 'b', leased: 2, waiting: 0 },
  ]);
  await b.serve(2);
  assert.deepEqual(
    [a.order.length, snapshotOf(front.optimizer).idle],
    [4, 1],
    'and no further, though a place is free',
  );
});

test('tenantMax alone gives every free place to whoever wants it while nobody else does', async () => {
  const front = desk();
  const Support = agentClass({ pool: { max: 3, tenantMax: 1 } });
  const a = lineUp(front, Support, 'aaa');
  await settle();
  assert.equal(a.order.length, 3);
});

for (const how of ['released', 'discarded', 'reset'] as const) {
  test(`a lease ${how} by a tenant at its cap serves its own next waiter, at once or when there is an entry`, async () => {
    const front = desk();
    const gate = Promise.withResolvers<void>();
    const Support = agentClass({
      pool: { max: 2, tenantBurst: 1 },
      reset: () => (how === 'reset' ? gate.promise : undefined),
    });
    await front.optimizer.prewarm(Support, { count: how === 'reset' ? 2 : 1 });
    const a = lineUp(front, Support, 'aa');
    await settle();
    assert.equal(a.order.length, 1);
    const [first] = a.held;
    assert.ok(first?.resources);
    if (how === 'discarded') first.discard();
    else first.release();
    await settle();
    assert.equal(a.order.length, 2);
    gate.resolve();
  });
}

test('waiters at their tenant’s cap keep no other borrower from a free entry: not with pooled, not with tryPooled', async () => {
  const front = desk();
  const { optimizer } = front;
  const Support = agentClass({ pool: { max: 4, tenantBurst: 1, maxWaiting: 5 } });
  await optimizer.prewarm(Support);
  const noisy = lineUp(front, Support, 'n'.repeat(9));
  await settle();
  assert.equal(noisy.order.length, 1);
  const tried = optimizer.tryPooled(Support, undefined, { tenant: 't' });
  const others = [watch(optimizer.pooled(Support, undefined, { tenant: 'q' })), watch(optimizer.pooled(Support))];
  await settle();
  for (const other of others) valueOf(other);
  assert.ok(tried !== undefined);
});

test('who is kept waiting by the own limit is told so, with the setting to change', async () => {
  for (const exhaustion of ['wait', 'reject'] as const) {
    const { optimizer, clock } = desk();
    const Support = agentClass({ pool: { max: 5, tenantBurst: 1, exhaustion } });
    await optimizer.pooled(Support, undefined, { tenant: 'a' });
    const refused = watch(optimizer.pooled(Support, undefined, { tenant: 'a', waitMs: 20 }));
    await clock.advance(20);
    assert.equal(codeOf(refused), exhaustion === 'wait' ? 'ACQUIRE_TIMEOUT' : 'POOL_EXHAUSTED');
    const { facts } = refused.error as PoolExhaustedError;
    assert.equal(facts.reason, 'tenant-limit');
    assert.match(facts.advice, /raise tenantBurst \(from class now; change it in `static pool`/);
    const other = watch(optimizer.pooled(Support, undefined, { tenant: 'b' }));
    await settle();
    valueOf(other);
  }
});

test('an idle entry that served the same tenant last is preferred, else the one used last', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 3 } });
  const hold = (tenant: string): Promise<TestAgent> => optimizer.pooled(Support, undefined, { tenant });
  const [a, b, c] = [await hold('a'), await hold('b'), await hold('c')];
  for (const agent of [a, b, c]) agent.release();
  const [again, other] = [await hold('a'), await hold('z')];
  assert.deepEqual([again.resources.id, other.resources.id], [1, 3]);
});

test('this.pooled hands the tenant down, unless it says another', async () => {
  const { optimizer } = desk();
  const Inner = agentClass({ type: 'inner' });
  const Outer = agentClass({
    type: 'outer',
    execute: async (agent, options) => {
      await agent.borrow(Inner, undefined, options);
    },
  });
  const outer = await optimizer.pooled(Outer, undefined, { tenant: 'acme' });
  for (const options of [{}, { owner: 'me' }, { tenant: undefined }, { tenant: 'other' }]) await outer.run(options);
  const tenants = snapshotOf(optimizer, 'inner').holders.map(({ tenant }) => tenant);
  assert.deepEqual(tenants, ['acme', 'acme', 'acme', 'other']);
});

test('tenants may have the names of object members', async () => {
  const front = desk();
  const Support = agentClass({ pool: { max: 1, tenantBurst: 1, tenantWeights: { a: 2 } } });
  const names = ['constructor', '__proto__', 'toString', ''];
  const waiters = names.map((tenant) => watch(front.optimizer.pooled(Support, undefined, { tenant })));
  for (const waiter of waiters) {
    await settle();
    valueOf(waiter).release();
  }
  await settle();
  assert.deepEqual(snapshotOf(front.optimizer).tenants, []);
});

test('a wrong weight or limit is refused', () => {
  const wrong = [
    { tenantWeights: { a: 0 } },
    { tenantWeights: { a: Number.NaN } },
    { tenantWeights: { a: Infinity } },
    { tenantWeights: { a: '1' } },
    { tenantWeights: [1, 2] },
    { tenantWeights: null },
    { tenantMax: 0 },
    { tenantMax: 1.5 },
    { tenantBurst: 0 },
  ];
  for (const pool of wrong) {
    const { optimizer } = desk();
    assert.throws(
      () => optimizer.register(agentClass({ pool: pool as never })),
      coded('OPTION_INVALID', 'tenant'),
      JSON.stringify(pool),
    );
  }
});

for (const exhaustion of ['wait', 'grow'] as const) {
  test(`${exhaustion}: creations end while waiters are kept waiting by their limit`, async () => {
    const front = desk();
    const { optimizer, clock } = front;
    const Plain = agentClass({ type: 'plain', pool: { max: 3, tenantMax: 1, tenantBurst: 2, exhaustion } });
    const { Keyed } = keyedClass({ type: 'keyed', pool: { max: 1, tenantBurst: 1, exhaustion } });
    const a = lineUp(front, Plain, 'aaaaaa');
    for (const account of [1, 2, 3]) watch(optimizer.pooled(Keyed, { account }, { tenant: 'a' }));
    await clock.advance(1_000);
    const [plain, keyed] = [snapshotOf(optimizer, 'plain'), snapshotOf(optimizer, 'keyed')];
    assert.deepEqual([plain.counters.created, plain.leased, plain.counters.destroyed], [2, 2, {}]);
    assert.equal(keyed.leased, 1);
    assert.ok(keyed.counters.created <= 2, `${keyed.counters.created} made on two places at most`);
    await a.serve(1);
    assert.ok(snapshotOf(optimizer, 'plain').counters.created <= 4);
  });
}

test('whatever comes: limits hold, and nobody waits while an idle entry is there that they may have', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const limit = fc.integer({ min: 1, max: 4 });
  const step = fc.oneof(
    fc.record({ does: fc.constant('borrow' as const), tenant: fc.constantFrom('a', 'b', 'c', undefined) }),
    fc.record({ does: fc.constantFrom('release' as const, 'discard' as const), which: fc.nat(20) }),
  );
  const world = fc.record({
    max: fc.integer({ min: 1, max: 5 }),
    tenantMax: limit,
    tenantBurst: limit,
    exhaustion: fc.constantFrom('wait' as const, 'grow' as const),
    steps: fc.array(step, { maxLength: 40 }),
  });
  const holds = fc.asyncProperty(world, async ({ steps, ...pool }) => {
    const { optimizer } = desk();
    const Support = agentClass({ pool });
    optimizer.register(Support);
    const borrowers: { tenant: string | undefined; watched: Watched<TestAgent> }[] = [];
    for (const each of steps) {
      if (each.does === 'borrow') {
        const { tenant } = each;
        borrowers.push({ tenant, watched: watch(optimizer.pooled(Support, undefined, { tenant })) });
      } else {
        const held = borrowers.filter(({ watched }) => watched.state === 'resolved');
        const [gone] = held.splice(each.which % Math.max(1, held.length), 1);
        if (gone !== undefined) borrowers.splice(borrowers.indexOf(gone), 1);
        gone?.watched.value?.[each.does]();
      }
      await settle();
      const { idle, leased, tenants } = snapshotOf(optimizer);
      const waiting = borrowers.filter(({ watched }) => watched.state === 'pending').map(({ tenant }) => tenant);
      for (const { leased: held } of tenants) assert.ok(held <= pool.tenantBurst);
      const room = pool.max * (pool.exhaustion === 'grow' ? 2 : 1) - leased;
      for (const tenant of waiting) {
        const held = tenants.find((known) => known.tenant === tenant)?.leased ?? 0;
        const mayHave = tenant === undefined || held < pool.tenantBurst;
        assert.ok(!mayHave || (idle === 0 && room <= 0), `'${tenant}' holds ${held}, ${idle} idle, room for ${room}`);
      }
    }
  });
  await fc.assert(holds, { seed, numRuns: 100 });
});
