/** Many keys under one cap: each is served, none starves or thrashes another, and those nobody uses are forgotten. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { settle } from '@sophia-ai/core/testing';
import type { ManualClock } from '@sophia-ai/core/testing';

import { codeOf, desk, keyedClass, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Account, Desk, MadeClass, Recipe, Thing } from './support/agents.ts';

/** Resolves when the clock has been turned so far. */
function pause(clock: ManualClock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.startTimer(resolve, ms));
}

/** A small generator with a seed, so that a failure can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Borrowers of one account, each of whom holds for 10 ms and comes back at once. @returns how often they were served. */
function keepBusy({ optimizer, clock }: Desk, Keyed: MadeClass, account: string, borrowers: number) {
  const served = { times: 0 };
  const borrow = async (): Promise<never> => {
    for (;;) {
      const agent = await optimizer.pooled(Keyed, { account });
      served.times += 1;
      await pause(clock, 10);
      agent.release();
    }
  };
  for (let index = 0; index < borrowers; index += 1) watch(borrow());
  return served;
}

test('1,000 keys on 20 places: everyone is served with their own, never more than 20 entries, nothing stays', async () => {
  const seed = 20_260_101;
  const random = randomFrom(seed);
  const { optimizer, clock } = desk({ random });
  const alive = { now: 0, most: 0 };
  const keys: WeakRef<object>[] = [];
  const { Keyed } = keyedClass({
    pool: { max: 20, maxIdleMs: 1_000, createConcurrency: 4, waitMs: 600_000 },
    create: async ({ key }) => {
      keys.push(new WeakRef(key as object));
      alive.now += 1;
      alive.most = Math.max(alive.most, alive.now);
      await pause(clock, random() * 5);
      return { id: keys.length, notes: [String((key as Account).account)] };
    },
    destroy: async () => {
      await pause(clock, random() * 2);
      alive.now -= 1;
    },
  });
  let served = 0;
  const borrow = async (index: number): Promise<void> => {
    const account = index % 1_000;
    await pause(clock, random() * 500);
    const agent = await optimizer.pooled(Keyed, { account });
    assert.deepEqual(agent.resources.notes, [`${account}`]);
    await pause(clock, random() * 3);
    assert.deepEqual(agent.resources.notes, [`${account}`]);
    served += 1;
    agent.release();
  };
  const all = watch(Promise.all(Array.from({ length: 2_000 }, (_, index) => borrow(index))));
  for (let step = 0; step < 200 && all.state === 'pending'; step += 1) await clock.advance(50);
  valueOf(all);
  assert.deepEqual([served, alive.most <= 20], [2_000, true]);
  assert.ok((snapshotOf(optimizer).keys?.count as number) <= 20);
  await clock.advance(3_000);
  assert.deepEqual([snapshotOf(optimizer).keys, alive.now], [{ count: 0, busiest: [] }, 0]);
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  await settle();
  runInNewContext('gc')();
  assert.equal(keys.filter((key) => key.deref() !== undefined).length, 0, 'keys kept in memory');
});

test('the key that was asked for longest ago gives way, and only for as many places as are needed', async () => {
  const { optimizer } = desk();
  const gone: unknown[] = [];
  const { Keyed } = keyedClass({ pool: { max: 3 }, destroy: ({ notes }) => void gone.push(...(notes ?? [])) });
  for (const account of ['ada', 'bob', 'cleo', 'ada']) (await optimizer.pooled(Keyed, { account })).release();
  const dan = await optimizer.pooled(Keyed, { account: 'dan' });
  assert.deepEqual(gone, ['bob']);
  const eve = await optimizer.pooled(Keyed, { account: 'eve' });
  assert.deepEqual(gone, ['bob', 'cleo']);
  const { counters, idle, leased } = snapshotOf(optimizer);
  assert.deepEqual([counters.destroyed, idle, leased], [{ 'gave-way': 2 }, 1, 2]);
  dan.release();
  eve.release();
});

for (const reuse of ['exclusive', 'single-use', 'shared'] as const) {
  test(`${reuse}: a key that waits is not starved by a busy key, and no entry is made in vain for it`, async () => {
    const front = desk();
    const { Keyed, made } = keyedClass({ pool: { max: 1, reuse, waitMs: 600_000 } });
    const busy = keepBusy(front, Keyed, 'busy', 3);
    await front.clock.advance(50);
    const waiter = watch(front.optimizer.pooled(Keyed, { account: 'quiet' }));
    await front.clock.advance(1_000);
    const unused = front.optimizer.snapshot()[0]?.counters.created ?? 0;
    assert.ok(unused - busy.times <= 1, `${unused} made for ${busy.times} borrowers`);
    valueOf(waiter).release();
    assert.equal(made.filter((account) => account === 'quiet').length, 1);
    const before = busy.times;
    await front.clock.advance(500);
    assert.ok(busy.times > before, 'and the busy key goes on');
  });
}

test('two saturated keys on one place take turns without a creation for each lease', async () => {
  const front = desk();
  const { Keyed, made } = keyedClass({ pool: { max: 1, waitMs: 600_000 } });
  const ada = keepBusy(front, Keyed, 'ada', 3);
  const bob = keepBusy(front, Keyed, 'bob', 3);
  await front.clock.advance(10_000);
  const times = ada.times + bob.times;
  assert.ok(times > 900, `${times} leases of 1,000 possible`);
  assert.ok(Math.min(ada.times, bob.times) > 200, `${ada.times} and ${bob.times}`);
  assert.ok(made.length < times / 5, `${made.length} creations for ${times} leases`);
});

test('a key whose create fails holds up no other, is told its own error, and is forgotten after the pause', async () => {
  const { optimizer, clock } = desk();
  const tried: number[] = [];
  const { Keyed } = keyedClass({
    pool: { max: 2 },
    create: ({ key }) => {
      if ((key as Account).account !== 'bad') return { id: 1 };
      tried.push(clock.now());
      throw new Error('no such account');
    },
  });
  const bad = watch(optimizer.pooled(Keyed, { account: 'bad' }));
  for (let account = 0; account < 20; account += 1) {
    const good = watch(optimizer.pooled(Keyed, { account }));
    await settle();
    valueOf(good).release();
  }
  await clock.advance(2_000);
  assert.equal(codeOf(bad), 'CREATE_FAILED');
  assert.equal(tried.length, 3);
  const told = watch(optimizer.pooled(Keyed, { account: 'bad' }));
  await clock.advance(60_000);
  assert.equal(told.state, 'rejected');
  assert.ok(tried.length <= 4 + 8, `${tried.length} attempts`);
  assert.equal(snapshotOf(optimizer).keys?.busiest.filter(({ entries }) => entries === 0).length, 0);
});

test('failures of a key are remembered though its borrowers leave before each', async () => {
  const { optimizer, clock } = desk();
  let started = 0;
  const { Keyed } = keyedClass({
    pool: { max: 2, createConcurrency: 1 },
    create: async () => {
      started += 1;
      await pause(clock, 20);
      throw new Error('down');
    },
  });
  for (let borrower = 0; borrower < 50; borrower += 1) {
    watch(optimizer.pooled(Keyed, { account: 'ada' }, { waitMs: 10 }));
    await clock.advance(30);
  }
  assert.ok(started <= 6, `${started} attempts in 1.5 s, with no pause between them`);
  await clock.advance(60_000);
  assert.equal(snapshotOf(optimizer).keys?.count, 0);
});

test('a key whose create hangs holds up no other as long as there are places', async () => {
  const { optimizer, clock } = desk();
  const { Keyed } = keyedClass({
    pool: { max: 12, createConcurrency: 2 },
    create: ({ key }) => ((key as Account).account === 'hangs' ? new Promise<Thing>(() => undefined) : { id: 1 }),
  });
  for (let waiter = 0; waiter < 50; waiter += 1)
    watch(optimizer.pooled(Keyed, { account: 'hangs' }, { waitMs: 5_000 }));
  await settle();
  assert.equal(snapshotOf(optimizer).creating, 2);
  for (let account = 0; account < 40; account += 1) {
    const other = watch(optimizer.pooled(Keyed, { account }));
    await settle();
    valueOf(other).release();
  }
  await clock.advance(31_000);
  await clock.advance(60_000);
  assert.equal(snapshotOf(optimizer).creating, 0);
});

test('creations under way stay within four times createConcurrency, however many keys ask', async () => {
  const { optimizer, clock } = desk();
  let underWay = 0;
  let most = 0;
  const { Keyed } = keyedClass({
    pool: { max: 100, createConcurrency: 3 },
    create: async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await pause(clock, 10);
      underWay -= 1;
      return { id: 1 };
    },
  });
  const all = Array.from({ length: 60 }, (_, account) => watch(optimizer.pooled(Keyed, { account })));
  await clock.advance(100);
  assert.ok(all.every(({ state }) => state === 'resolved'));
  assert.equal(most, 12);
});

test('grow: an idle entry of another key gives way before an entry beyond max is made', async () => {
  const { optimizer } = desk();
  const { Keyed, made } = keyedClass({ pool: { max: 1, exhaustion: 'grow', maxOverflow: 1 } });
  for (const account of ['ada', 'bob', 'bob', 'bob']) {
    (await optimizer.pooled(Keyed, { account })).release();
    await settle();
  }
  assert.deepEqual(made, ['ada', 'bob']);
});

test('resize: down ends surplus entries of the longest unused keys, up serves waiting keys at once', async () => {
  const { optimizer } = desk();
  const { Keyed } = keyedClass({ pool: { max: 4 } });
  for (const account of ['ada', 'bob', 'cleo', 'dan']) (await optimizer.pooled(Keyed, { account })).release();
  optimizer.resize(Keyed, 2);
  await settle();
  assert.equal(optimizer.tryPooled(Keyed, { account: 'ada' }), undefined);
  const [cleo, dan] = ['cleo', 'dan'].map((account) => optimizer.tryPooled(Keyed, { account }));
  assert.ok(cleo !== undefined && dan !== undefined);
  const waiting = ['eve', 'fay'].map((account) => watch(optimizer.pooled(Keyed, { account })));
  await settle();
  assert.deepEqual(
    waiting.map(({ state }) => state),
    ['pending', 'pending'],
  );
  optimizer.resize(Keyed, 4);
  await settle();
  for (const watched of waiting) valueOf(watched).release();
  optimizer.resize(Keyed, 1);
  await settle();
  for (const agent of [cleo, dan]) agent.release();
  await settle();
  const { idle, leased } = snapshotOf(optimizer);
  assert.deepEqual([idle, leased], [1, 0]);
});

/** What may leave a key behind that nobody uses. */
const LAST_USES: Record<string, { recipe?: Recipe; use: (front: ReturnType<typeof desk>, Keyed: never) => unknown }> = {
  'a tryPooled that found nothing': {
    use: ({ optimizer }, Keyed) => optimizer.tryPooled(Keyed, { account: 'ada' }),
  },
  'a borrower that was refused by the policy': {
    recipe: { pool: { max: 1, exhaustion: 'reject' } },
    use: ({ optimizer }, Keyed) => watch(optimizer.pooled(Keyed, { account: 'ada' })),
  },
  'a borrower that was refused by the full queue': {
    recipe: { pool: { max: 1, maxWaiting: 0 } },
    use: ({ optimizer }, Keyed) => watch(optimizer.pooled(Keyed, { account: 'ada' })),
  },
  'a waiter that timed out': {
    use: ({ optimizer }, Keyed) => watch(optimizer.pooled(Keyed, { account: 'ada' }, { waitMs: 10 })),
  },
  'a prewarming without room': {
    use: ({ optimizer }, Keyed) => optimizer.prewarm(Keyed, { config: { account: 'ada' } }),
  },
};

for (const [name, { recipe, use }] of Object.entries(LAST_USES)) {
  test(`a key is forgotten after ${name}`, async () => {
    const front = desk();
    const { Keyed } = keyedClass({ pool: { max: 1 }, ...recipe });
    const holder = await front.optimizer.pooled(Keyed, { account: 'the holder' });
    await use(front, Keyed as never);
    await front.clock.advance(10);
    assert.equal(snapshotOf(front.optimizer).keys?.count, 1, 'only that of the holder');
    holder.discard();
    await settle();
    assert.equal(snapshotOf(front.optimizer).keys?.count, 0);
  });
}

test('drain serves the waiters of every key, close refuses them; neither leaves a key behind', async () => {
  for (const way of ['drain', 'close'] as const) {
    const { optimizer, clock } = desk();
    const { Keyed } = keyedClass({ pool: { max: 2 } });
    const holder = await optimizer.pooled(Keyed, { account: 0 });
    const others = Array.from({ length: 50 }, (_, account) =>
      watch(optimizer.use(Keyed, { account }, ({ resources }) => assert.deepEqual(resources.notes, [`${account}`]))),
    );
    const ended = watch<unknown>(way === 'drain' ? optimizer.drain() : optimizer.close());
    await clock.advance(1);
    holder.release();
    await clock.advance(1);
    assert.equal(ended.state, 'resolved', way);
    await optimizer.close();
    const served = others.filter(({ state }) => state === 'resolved').length;
    assert.ok(way === 'close' || served === 50, `${served} of 50 served`);
    assert.ok(way === 'drain' || others.slice(2).every((other) => codeOf(other) === 'POOL_CLOSED'));
    assert.equal(snapshotOf(optimizer).keys?.count, 0, `keys after ${way}`);
  }
});
