/** Every refusal says in which state the pool was, why nobody could be served, and which setting to change where. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { AgnoPerformanceOptimizer, ERROR_CODES, SophiaError } from '@sophia-ai/core';
import type { Clock, ErrorCode, ExhaustionCause, PoolFacts, PoolOptions, Timer } from '@sophia-ai/core';
import { ManualClock, settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, desk, watch } from './support/agents.ts';
import type { Desk, MadeClass, Recipe, Watched } from './support/agents.ts';

const NEVER = new Promise<never>(() => undefined);

function factsOf(watched: Watched<unknown>): PoolFacts {
  assert.ok(watched.error instanceof SophiaError, `${watched.state}: ${String(watched.error)}`);
  const { facts } = watched.error;
  assert.ok(facts !== undefined, `${watched.error.code} carries facts`);
  return facts;
}

/** How each refusal of an acquire comes about; the pool has one place, held by `ada`, and one who waits behind. */
const REFUSALS: Partial<Record<ErrorCode, (front: Desk, Class: MadeClass) => Watched<unknown>>> = {
  ACQUIRE_ABORTED: ({ optimizer }, Class) => {
    const leaving = new AbortController();
    const waiter = watch(optimizer.pooled(Class, undefined, { signal: leaving.signal }));
    leaving.abort();
    return waiter;
  },
  ACQUIRE_TIMEOUT: ({ optimizer }, Class) => watch(optimizer.pooled(Class, undefined, { waitMs: 20 })),
  QUEUE_FULL: ({ optimizer }, Class) => {
    watch(optimizer.pooled(Class));
    return watch(optimizer.pooled(Class));
  },
  POOL_DRAINING: ({ optimizer }, Class) => {
    watch(optimizer.drain());
    return watch(optimizer.pooled(Class));
  },
  POOL_CLOSED: ({ optimizer }, Class) => {
    watch(optimizer.close());
    return watch(optimizer.pooled(Class));
  },
};

for (const [code, refuse] of Object.entries(REFUSALS)) {
  test(`${code} carries the counts, the oldest lease with its owner, and advice`, async () => {
    const front = desk();
    const Class = agentClass({ pool: { max: 1, maxWaiting: 2 } });
    const holder = await front.optimizer.pooled(Class, undefined, { owner: 'ada' });
    await front.clock.advance(70);
    const behind = watch(front.optimizer.pooled(Class));
    const refused = refuse(front, Class);
    await front.clock.advance(20);
    assert.equal(codeOf(refused), code);
    assert.equal((refused.error as SophiaError).phase, 'acquire');
    const { type, max, leased, idle, creating, resetting, oldestLease, waiting, advice } = factsOf(refused);
    assert.deepEqual(
      { type, max, leased, idle, creating, resetting },
      { type: 'test', max: 1, leased: 1, idle: 0, creating: 0, resetting: 0 },
    );
    assert.equal(oldestLease?.owner, 'ada');
    assert.ok((oldestLease?.heldMs as number) >= 70);
    assert.equal(waiting, { QUEUE_FULL: 2, POOL_CLOSED: 0 }[code] ?? 1, 'the refused is not counted');
    assert.match(advice, /\.$/);
    holder.release();
    await front.clock.advance(1);
    assert.notEqual(behind.state, 'pending');
  });
}

test('CREATE_FAILED, POOL_EXHAUSTED and NESTED_DEADLOCK carry facts, too', async () => {
  const { optimizer, clock } = desk();
  const failing = (): never => {
    throw new Error('no key');
  };
  const Broken = agentClass({ type: 'broken', pool: { createAttempts: 2 }, create: failing });
  const [first, second] = [watch(optimizer.pooled(Broken)), watch(optimizer.pooled(Broken, undefined, { owner: 'x' }))];
  await clock.advance(1_000);
  const later = watch(optimizer.pooled(Broken));
  await settle();
  for (const refused of [first, second, later]) {
    assert.deepEqual([codeOf(refused), (refused.error as SophiaError).phase], ['CREATE_FAILED', 'create']);
    const { lastCreateError, reason } = factsOf(refused);
    assert.deepEqual([lastCreateError, reason], ['no key', 'creation-failing']);
    assert.equal(((refused.error as SophiaError).cause as Error).message, 'no key');
  }
  const Strict = agentClass({ type: 'strict', pool: { max: 1, exhaustion: 'reject' } });
  const holder = await optimizer.pooled(Strict);
  const refused = watch(optimizer.pooled(Strict));
  const Self = agentClass({ type: 'self', pool: { max: 1 } });
  const nested = watch((await optimizer.pooled(Self)).borrow(Self));
  await settle();
  assert.deepEqual([codeOf(refused), codeOf(nested)], ['POOL_EXHAUSTED', 'NESTED_DEADLOCK']);
  assert.deepEqual([factsOf(refused).reason, factsOf(nested).reason], ['too-small', 'nested']);
  holder.release();
});

test('the facts of those who are told together do not count the one who is told', async () => {
  const { optimizer, clock } = desk();
  const failing = (): never => {
    throw new Error('no key');
  };
  const Broken = agentClass({ type: 'broken', pool: { createAttempts: 1 }, create: failing });
  const alone = watch(optimizer.pooled(Broken));
  const Support = agentClass({ type: 'support', pool: { max: 1 } });
  const holder = await optimizer.pooled(Support);
  const waits = watch(optimizer.pooled(Support));
  const others = watch(optimizer.pooled(Support));
  await clock.advance(10);
  assert.deepEqual([codeOf(alone), factsOf(alone).waiting], ['CREATE_FAILED', 0]);
  const closed = watch(optimizer.close());
  await settle();
  assert.deepEqual([codeOf(waits), codeOf(others)], ['POOL_CLOSED', 'POOL_CLOSED']);
  assert.deepEqual([factsOf(waits).waiting, factsOf(others).waiting], [0, 0]);
  assert.equal(factsOf(waits).waitedMs, 10);
  assert.notEqual(waits.error, others.error, 'each has an error of their own');
  holder.release();
  await settle();
  assert.equal(closed.state, 'resolved');
});

interface Cause {
  readonly recipe?: Recipe;
  readonly pool?: PoolOptions;
  /** Holds, breaks or stops what there is. */
  readonly prepare?: (front: Desk, Class: MadeClass) => unknown;
  readonly owner?: string;
  readonly advice: RegExp;
}

const CAUSES: Partial<Record<ExhaustionCause, Cause>> = {
  'too-small': { prepare: ({ optimizer }, Class) => optimizer.pooled(Class), advice: /raise max \(from class now/ },
  'slow-holds': {
    prepare: async ({ optimizer, clock }, Class) => {
      for (let use = 0; use < 5; use += 1) {
        const agent = await optimizer.pooled(Class);
        await clock.advance(10);
        agent.release();
      }
      await optimizer.pooled(Class);
      await clock.advance(2_000);
    },
    advice: /leases leaseMs \(its default now; set it in/,
  },
  leak: {
    pool: { leakAfterMs: 1_000 },
    prepare: async ({ optimizer, clock }, Class) => {
      await optimizer.pooled(Class);
      await clock.advance(120_000);
    },
    advice: /1 leases? looks? forgotten.*set reclaimLeaks \(its default now/,
  },
  'creation-failing': {
    recipe: { create: () => Promise.reject(new Error('no key')) },
    advice: /no key.*raising max would not help/,
  },
  'creation-slow': { recipe: { create: () => NEVER }, advice: /raise minIdle \(its default now/ },
  'reset-slow': {
    recipe: { reset: () => NEVER },
    prepare: async ({ optimizer }, Class) => {
      const agent = await optimizer.pooled(Class);
      assert.ok(agent.resources);
      agent.release();
    },
    advice: /make static reset faster, or raise max/,
  },
  nested: {
    prepare: ({ optimizer }, Class) => optimizer.pooled(Class, undefined, { owner: 'ada' }),
    owner: 'ada',
    advice: /release the first before borrowing the second/,
  },
  suspended: {
    prepare: ({ optimizer }, Class) => {
      optimizer.register(Class);
      optimizer.suspend('test');
    },
    advice: /resume\(\)/,
  },
};

for (const [reason, { recipe, pool, prepare, owner, advice }] of Object.entries(CAUSES)) {
  test(`the reason '${reason}' is told, with what to change`, async () => {
    const front = desk();
    const Class = agentClass({ ...recipe, pool: { max: 1, ...pool } });
    await prepare?.(front, Class);
    const refused = watch(front.optimizer.pooled(Class, undefined, { waitMs: 50, owner }));
    await front.clock.advance(51);
    assert.equal(codeOf(refused), 'ACQUIRE_TIMEOUT');
    assert.equal(factsOf(refused).reason, reason);
    assert.match(factsOf(refused).advice, advice);
  });
}

test("the reasons 'draining' and 'closed' are told", async () => {
  for (const [how, reason] of [
    ['drain', 'draining'],
    ['close', 'closed'],
  ] as const) {
    const { optimizer } = desk();
    const Class = agentClass();
    optimizer.register(Class);
    await optimizer[how]();
    const refused = watch(optimizer.pooled(Class));
    await settle();
    assert.equal(factsOf(refused).reason, reason);
  }
});

test('who holds one agent and waits for a creation that fails is told of the failure, not of nesting', async () => {
  const { optimizer, clock } = desk();
  let made = 0;
  const Flaky = agentClass({
    pool: { max: 2 },
    create: () => {
      made += 1;
      if (made > 1) throw new Error('quota used up');
      return { id: 1 };
    },
  });
  await optimizer.pooled(Flaky, undefined, { owner: 'ada' });
  const refused = watch(optimizer.pooled(Flaky, undefined, { owner: 'ada', waitMs: 50 }));
  await clock.advance(50);
  assert.equal(factsOf(refused).reason, 'creation-failing');
});

/** A clock whose timers fire as late as it is told. */
class LateClock implements Clock {
  readonly manual = new ManualClock();
  lateMs = 0;

  now(): number {
    return this.manual.now();
  }

  wallTime(): number {
    return this.manual.wallTime();
  }

  startTimer(callback: () => void, delayMs: number): Timer {
    return this.manual.startTimer(callback, delayMs + this.lateMs);
  }
}

test("timers that fire late are told as 'event-loop-starved', but not long after they have recovered", async () => {
  const clock = new LateClock();
  const optimizer = new AgnoPerformanceOptimizer({ clock, random: () => 1 });
  const Support = agentClass({ pool: { max: 1 } });
  await optimizer.pooled(Support);
  clock.lateMs = 400;
  const starved = watch(optimizer.pooled(Support, undefined, { waitMs: 100 }));
  await clock.manual.advance(600);
  assert.equal(factsOf(starved).reason, 'event-loop-starved');
  assert.match(factsOf(starved).advice, /400 ms late.*synchronous work/);
  clock.lateMs = 0;
  await clock.manual.advance(3_600_000);
  const Strict = agentClass({ type: 'strict', pool: { max: 1, exhaustion: 'reject' } });
  await optimizer.pooled(Strict);
  const later = watch(optimizer.pooled(Strict));
  await settle();
  assert.equal(codeOf(later), 'POOL_EXHAUSTED');
  assert.equal(factsOf(later).reason, 'too-small', 'an hour after the timers were late');
});

test('the advice says from which layer the setting comes', async () => {
  const layers: Record<string, [PoolOptions | undefined, PoolOptions | undefined, PoolOptions | undefined, RegExp]> = {
    default: [undefined, undefined, undefined, /raise max \(its default now; set it in/],
    class: [{ max: 1 }, undefined, undefined, /raise max \(from class now/],
    config: [{ max: 1 }, { max: 1 }, undefined, /raise max \(from sophia\.config now.*SOPHIA_POOLS is stronger/],
    environment: [{ max: 1 }, { max: 1 }, { max: 1 }, /raise max \(from environment now; change it in SOPHIA_POOLS/],
  };
  for (const [name, [pool, config, environment, advice]] of Object.entries(layers)) {
    const clock = new ManualClock();
    const optimizer = new AgnoPerformanceOptimizer({
      clock,
      ...(config === undefined ? {} : { pools: { test: config } }),
      environment: JSON.stringify(environment === undefined ? {} : { test: environment }),
    });
    const Class = agentClass({ ...(pool === undefined ? {} : { pool }) });
    for (let lease = 0; lease < (pool?.max ?? 10); lease += 1) await optimizer.pooled(Class);
    const refused = watch(optimizer.pooled(Class, undefined, { waitMs: 10 }));
    await clock.advance(10);
    assert.match(factsOf(refused).advice, advice, name);
  }
  const { optimizer, clock } = desk();
  const Class = agentClass({ pool: { max: 5 } });
  optimizer.register(Class);
  optimizer.resize(Class, 1);
  await optimizer.pooled(Class);
  const refused = watch(optimizer.pooled(Class, undefined, { waitMs: 10 }));
  await clock.advance(10);
  assert.match(factsOf(refused).advice, /raise max \(from live now/);
});

test('every code has a phase', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const error = new SophiaError(code, 'why');
    assert.match(error.phase, /^(register|acquire|create|run|release|clean|destroy)$/, code);
    assert.deepEqual([error.code, error.facts], [code, undefined]);
  }
});
