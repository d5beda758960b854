/** Entries end when they are too old, rested too long, used too often or too heavy, and the minimum is made anew. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { ManualClock, settle } from '@sophia-ai/core/testing';

import { agentClass, coded, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Desk, MadeClass, Recipe, TestAgent, Thing } from './support/agents.ts';

const destroyedOf = (optimizer: AgnoPerformanceOptimizer): object => snapshotOf(optimizer).counters.destroyed;

/** One lease that reads the resources. */
async function use({ optimizer }: Desk, Class: MadeClass): Promise<number> {
  const agent = await optimizer.pooled(Class);
  const { id } = agent.resources;
  agent.release();
  await settle();
  return id;
}

/** Hands out `count` agents and takes them back, so that so many entries are idle. */
async function fill(optimizer: AgnoPerformanceOptimizer, Class: MadeClass, count: number): Promise<void> {
  const held: TestAgent[] = [];
  for (let i = 0; i < count; i += 1) held.push(await optimizer.pooled(Class));
  for (const agent of held) agent.release();
}

test('an idle entry ends at maxAgeMs, less up to 5 % by chance', async () => {
  for (const [random, endsMs] of [
    [0, 10_000],
    [1, 9_500],
  ] as const) {
    const house = desk({ random: () => random });
    const Support = agentClass({ pool: { maxAgeMs: 10_000 } });
    await use(house, Support);
    await house.clock.advance(endsMs - 20);
    assert.equal(snapshotOf(house.optimizer).idle, 1, `random ${random}`);
    await house.clock.advance(1_100);
    assert.deepEqual(destroyedOf(house.optimizer), { expired: 1 });
  }
});

test('entries made together do not end together', async () => {
  const chances = [0, 0.5, 1];
  const { optimizer, clock } = desk({ random: () => chances.shift() ?? 0 });
  const events = record(optimizer, 'agent.destroyed');
  const endedAt: number[] = [];
  optimizer.on('agent.destroyed', () => void endedAt.push(clock.now()));
  const Support = agentClass({ pool: { max: 3, maxAgeMs: 200_000 } });
  await fill(optimizer, Support, 3);
  await clock.advance(230_000);
  assert.equal(events.length, 3);
  assert.ok(new Set(endedAt).size > 1, `all at ${endedAt.join()}`);
});

test('an entry that has expired since the last look is not handed out', async () => {
  const clock = new ManualClock();
  let nowMs = 0;
  const startTimer: ManualClock['startTimer'] = (...timer) => clock.startTimer(...timer);
  const optimizer = new AgnoPerformanceOptimizer({
    // No timer fires, so nobody looks.
    clock: { now: () => nowMs, wallTime: () => nowMs, startTimer },
    random: () => 0,
  });
  const Support = agentClass({ pool: { max: 1, maxAgeMs: 1_000 } });
  (await optimizer.pooled(Support)).release();
  nowMs = 999;
  optimizer.tryPooled(Support)?.release();
  assert.deepEqual(destroyedOf(optimizer), {});
  nowMs = 1_000;
  assert.equal(optimizer.tryPooled(Support), undefined);
  assert.deepEqual(destroyedOf(optimizer), { expired: 1 });
  assert.equal((await optimizer.pooled(Support)).resources.id, 2);
});

test('an entry that expires while leased serves its borrower to the end, and the waiter gets a new one', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1, maxAgeMs: 1_000 } });
  const agent = await optimizer.pooled(Support);
  const waiter = watch(optimizer.pooled(Support));
  await clock.advance(5_000);
  assert.equal(agent.resources.id, 1);
  assert.equal(waiter.state, 'pending');
  agent.release();
  await settle();
  assert.equal(valueOf(waiter).resources.id, 2);
  assert.deepEqual(destroyedOf(optimizer), { expired: 1 });
});

test('an entry that rested for maxIdleMs ends, never below minIdle', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 4, minIdle: 1, maxIdleMs: 1_000 } });
  await fill(optimizer, Support, 4);
  await clock.advance(900);
  assert.deepEqual(destroyedOf(optimizer), {});
  await clock.advance(300);
  assert.deepEqual([snapshotOf(optimizer).idle, destroyedOf(optimizer)], [1, { idle: 3 }]);
  await clock.advance(10_000);
  assert.deepEqual([snapshotOf(optimizer).idle, destroyedOf(optimizer)], [1, { idle: 3 }]);
});

test('the rest begins anew with every lease', async () => {
  const house = desk();
  const Support = agentClass({ pool: { max: 1, maxIdleMs: 1_000 } });
  for (let round = 0; round < 5; round += 1) {
    assert.equal(await use(house, Support), 1);
    await house.clock.advance(800);
  }
  assert.deepEqual(destroyedOf(house.optimizer), {});
});

test('a health check of an idle entry is no use of it: its rest goes on', async () => {
  const house = desk();
  const Support = agentClass({ pool: { max: 1, maxIdleMs: 1_000, validateEveryMs: 300 }, validate: () => true });
  await use(house, Support);
  await house.clock.advance(1_500);
  assert.deepEqual(destroyedOf(house.optimizer), { idle: 1 });
});

test('an entry ends after maxUses leases; one whose borrower was never made does not count', async () => {
  const house = desk();
  let fails = false;
  const Support = agentClass({
    pool: { max: 1, maxUses: 3 },
    construct: () => {
      if (fails) throw new Error('no');
    },
  });
  assert.equal(await use(house, Support), 1);
  fails = true;
  await assert.rejects(house.optimizer.pooled(Support), coded('CONSTRUCT_FAILED'));
  fails = false;
  assert.equal(await use(house, Support), 1);
  assert.deepEqual(destroyedOf(house.optimizer), {});
  assert.equal(await use(house, Support), 1);
  assert.deepEqual(destroyedOf(house.optimizer), { 'used-up': 1 });
  assert.equal(await use(house, Support), 2);
});

test('a lease that touched nothing is a use too', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1, maxUses: 1 } });
  (await optimizer.pooled(Support)).release();
  await settle();
  assert.deepEqual(destroyedOf(optimizer), { 'used-up': 1 });
});

test('an entry above maxMemoryKib ends after its lease and its reset; one at the limit stays', async () => {
  const house = desk();
  let bytes = 2_048;
  const steps: string[] = [];
  const Support = agentClass({
    pool: { max: 1, maxMemoryKib: 2 },
    reset: () => void steps.push('reset'),
    footprint: ({ id }) => {
      steps.push(`weigh ${id}`);
      return bytes;
    },
  });
  assert.equal(await use(house, Support), 1);
  assert.deepEqual(destroyedOf(house.optimizer), {});
  bytes = 2_049;
  assert.equal(await use(house, Support), 1);
  assert.deepEqual(destroyedOf(house.optimizer), { memory: 1 });
  assert.deepEqual(steps, ['reset', 'weigh 1', 'reset', 'weigh 1']);
  assert.equal(await use(house, Support), 2);
});

test('a footprint that throws, rejects or hangs keeps the entry and says so', async () => {
  const weigh: (() => number | Promise<number>)[] = [
    () => {
      throw new Error('no scales');
    },
    () => Promise.reject(new Error('no scales')),
    () => new Promise(() => undefined),
  ];
  for (const footprint of weigh) {
    const house = desk();
    const logs = record(house.optimizer, 'agent.log');
    const Support = agentClass({ pool: { max: 1, maxMemoryKib: 1, resetTimeoutMs: 100 }, footprint });
    await use(house, Support);
    await house.clock.advance(101);
    assert.match(logs[0]?.payload.message ?? '', /maxMemoryKib could not be checked/);
    assert.equal(await use(house, Support), 1);
  }
});

test('maxMemoryKib without a footprint is refused at registration', () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { maxMemoryKib: 1 } });
  assert.throws(() => optimizer.register(Support), coded('OPTION_INVALID', 'maxMemoryKib', 'footprint'));
});

/** How an entry is lost, one way each; `touch` reads the resources of a fresh lease. */
interface Loss {
  readonly pool?: PoolOptions;
  readonly recipe?: Recipe;
  readonly lose: (house: Desk, Class: MadeClass, touch: () => Promise<TestAgent>) => unknown;
}

const end = async (touch: () => Promise<TestAgent>): Promise<void> => (await touch()).release();
const flawed = (hook: 'reset' | 'validate' | 'verify'): Loss => ({
  recipe: { [hook]: ({ id }: Thing) => id > 1 },
  lose: (_house, _Class, touch) => end(touch),
});
const fails: Recipe['execute'] = (agent) => {
  assert.ok(agent.resources);
  throw new Error('half-way');
};

/** Filled by the creations of `retired`. */
const retiring: ((reason: string) => void)[] = [];

const LOSSES: Record<string, Loss> = {
  dirty: {
    recipe: { execute: fails },
    lose: async (_house, _Class, touch) => {
      const agent = await touch();
      await agent.run(1).catch(() => undefined);
      agent.release();
    },
  },
  discarded: { lose: async (_house, _Class, touch) => (await touch()).discard() },
  'reset-failed': flawed('reset'),
  'verify-failed': flawed('verify'),
  'validate-failed': { ...flawed('validate'), pool: { validateEveryMs: 50 }, lose: ({ clock }) => clock.advance(60) },
  expired: { pool: { maxAgeMs: 1_000 }, lose: ({ clock }) => clock.advance(1_100) },
  'used-up': { pool: { maxUses: 1 }, lose: (_house, _Class, touch) => end(touch) },
  memory: {
    pool: { maxMemoryKib: 1 },
    recipe: { footprint: ({ id }) => (id === 1 ? 10_000 : 1) },
    lose: (_house, _Class, touch) => end(touch),
  },
  revoked: {
    lose: async ({ optimizer }, Class, touch) => {
      await touch();
      optimizer.revoke(Class, snapshotOf(optimizer).holders[0]?.leaseId ?? -1);
    },
  },
  retired: {
    recipe: { create: (context) => ({ id: retiring.push(context.retire) }) },
    lose: async ({ clock }) => {
      await clock.advance(2_000);
      retiring[0]?.('its process has ended');
    },
  },
  renewed: { lose: ({ optimizer }, Class) => optimizer.renew(Class) },
  surplus: {
    pool: { max: 2, minIdle: 2 },
    lose: ({ optimizer }, Class) => {
      optimizer.resize(Class, 1);
      optimizer.resize(Class, 2);
    },
  },
};

test('minIdle is restored after every kind of removal', async () => {
  for (const [reason, { pool = {}, recipe = {}, lose }] of Object.entries(LOSSES)) {
    const house = desk();
    const { optimizer, clock } = house;
    const Support = agentClass({ pool: { max: 1, minIdle: 1, ...pool }, ...recipe });
    optimizer.register(Support);
    await settle();
    const floor = pool.minIdle ?? 1;
    assert.equal(snapshotOf(optimizer).idle, floor, `before ${reason}`);
    const touch = async (): Promise<TestAgent> => {
      const agent = await optimizer.pooled(Support);
      assert.ok(agent.resources);
      return agent;
    };
    await lose(house, Support, touch);
    await clock.advance(20);
    const { idle, counters } = snapshotOf(optimizer);
    assert.ok(reason in counters.destroyed, `${reason}: ${JSON.stringify(counters.destroyed)}`);
    assert.equal(idle, floor, `after ${reason}`);
  }
});

test('single-use entries made ahead expire and are replaced', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { reuse: 'single-use', max: 2, minIdle: 2, maxAgeMs: 1_000 } });
  optimizer.register(Support);
  await clock.advance(1_200);
  assert.deepEqual([snapshotOf(optimizer).idle, destroyedOf(optimizer)], [2, { expired: 2 }]);
});

const SHARED: PoolOptions = { reuse: 'shared', max: 2 };

test('a shared entry that expires takes no new lease, and ends with its last one', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { ...SHARED, maxAgeMs: 1_000 } });
  const holder = await optimizer.pooled(Support);
  await clock.advance(1_200);
  assert.equal(holder.resources.id, 1);
  assert.equal((await optimizer.pooled(Support)).resources.id, 2);
  holder.release();
  await settle();
  assert.deepEqual(destroyedOf(optimizer), { expired: 1 });
});

test('an idle shared entry that expires ends, and minIdle makes another', async () => {
  const house = desk();
  const Support = agentClass({ pool: { ...SHARED, minIdle: 1, maxAgeMs: 1_000 } });
  await use(house, Support);
  await house.clock.advance(1_200);
  assert.deepEqual(destroyedOf(house.optimizer), { expired: 1 });
  assert.equal(house.optimizer.tryPooled(Support)?.resources.id, 2);
});

test('a shared entry serves no more than maxUses leases, even if it is never free in between', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { ...SHARED, maxUses: 3 } });
  let last = await optimizer.pooled(Support);
  const ids = [last.resources.id];
  for (let lease = 2; lease <= 4; lease += 1) {
    const next = await optimizer.pooled(Support);
    ids.push(next.resources.id);
    last.release();
    await settle();
    last = next;
  }
  assert.deepEqual(ids, [1, 1, 1, 2]);
  assert.deepEqual(destroyedOf(optimizer), { 'used-up': 1 });
});

test('a shared entry that rested for maxIdleMs ends', async () => {
  const house = desk();
  const Support = agentClass({ pool: { ...SHARED, maxIdleMs: 1_000 } });
  await use(house, Support);
  await house.clock.advance(1_200);
  assert.deepEqual(destroyedOf(house.optimizer), { idle: 1 });
});

test('a shared entry above maxMemoryKib is replaced', async () => {
  const house = desk();
  const Support = agentClass({ pool: { ...SHARED, maxMemoryKib: 1 }, footprint: ({ id }) => (id === 1 ? 10_000 : 1) });
  assert.equal(await use(house, Support), 1);
  assert.equal(await use(house, Support), 2);
  assert.deepEqual(destroyedOf(house.optimizer), { memory: 1 });
});

test('a shared entry that has ended already is not weighed', async () => {
  const house = desk();
  const weighed: unknown[] = [];
  const footprint = (thing: Thing): number => weighed.push(thing);
  const Support = agentClass({ pool: { ...SHARED, maxUses: 1, maxMemoryKib: 1 }, footprint });
  await use(house, Support);
  assert.deepEqual(destroyedOf(house.optimizer), { 'used-up': 1 });
  assert.deepEqual(weighed, []);
});

test('looking after lives keeps no process alive', async () => {
  const house = desk();
  const Support = agentClass({
    pool: { max: 2, minIdle: 1, maxAgeMs: 1_000, maxIdleMs: 500, maxMemoryKib: 1 },
    footprint: () => 1,
  });
  await use(house, Support);
  await house.clock.advance(2_000);
  assert.equal(house.clock.holding, 0);
});
