/** A mistake in a class is refused when it is registered, in a sentence that names it and says what is allowed. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent, AgnoPerformanceOptimizer, DEFAULT_POOL_MAX } from '@sophia-ai/core';
import type { AnyAgentClass, ErrorCode, PoolOptions } from '@sophia-ai/core';

import { TestAgent, agentClass, coded, desk, record, schema, snapshotOf } from './support/agents.ts';
import type { Thing } from './support/agents.ts';

function refused(agentClassGiven: unknown, code: ErrorCode, ...words: (string | RegExp)[]): void {
  const { optimizer } = desk();
  assert.throws(() => optimizer.register(agentClassGiven as never), coded(code, ...words));
  assert.deepEqual(optimizer.classes(), []);
  assert.deepEqual(optimizer.snapshot(), []);
}

class Fine extends TestAgent {
  static override readonly type: string = 'fine';
  static readonly reset: 'stateless' = 'stateless';
  static create(): Thing {
    return { id: 1 };
  }
}

test('an exclusive class must say how it is reset; shared and single-use need not', () => {
  class NoReset extends TestAgent {
    static override readonly type: string = 'no-reset';
    static create(): Thing {
      return { id: 1 };
    }
  }
  refused(NoReset, 'RESET_MISSING', "'no-reset'", 'NoReset', "'stateless'", 'shared');
  const pools = { 'no-reset': { reuse: 'shared' } } as const;
  new AgnoPerformanceOptimizer({ pools }).register(NoReset);
  new AgnoPerformanceOptimizer({ pools: { 'no-reset': { reuse: 'single-use' } } }).register(NoReset);
});

test('every class says its own type', () => {
  class Inherits extends Fine {}
  refused(Inherits, 'TYPE_INHERITED', 'Inherits', "'fine'");
  class SaysNothing extends Agent {
    static readonly reset = 'stateless';
  }
  refused(SaysNothing, 'TYPE_INHERITED', 'SaysNothing');
});

test('a type is a short plain name', () => {
  for (const type of ['a', 'A1', 'call-analysis', 'x.y_z', 'a'.repeat(64)])
    desk().optimizer.register(agentClass({ type }));
  for (const type of ['', ' ', 'ä', 'a b', '-a', '.a', 'a/b', 'a'.repeat(65), '__proto__', 5, null, undefined, {}]) {
    refused(Object.defineProperty(class extends Fine {}, 'type', { value: type }), 'TYPE_INVALID', /1 to 64/);
  }
});

test('types that are names of Object.prototype are types like any other', async () => {
  const { optimizer } = desk();
  for (const type of ['constructor', 'toString', 'hasOwnProperty']) {
    const agent = await optimizer.pooled(agentClass({ type }));
    agent.release();
    assert.equal(snapshotOf(optimizer, type).idle, 1);
  }
});

test('a type belongs to one class', () => {
  const { optimizer } = desk();
  optimizer.register(Fine);
  optimizer.register(Fine);
  class Other extends TestAgent {
    static override readonly type: string = 'fine';
    static readonly reset: 'stateless' = 'stateless';
    static create(): Thing {
      return { id: 1 };
    }
  }
  assert.throws(() => optimizer.register(Other), coded('TYPE_TAKEN', 'Other', 'Fine', "'fine'"));
  assert.deepEqual(optimizer.classes(), [Fine]);
});

test('what is no agent class is refused', () => {
  for (const junk of [undefined, null, 5, 'support', {}, [], class {}, () => undefined, Symbol('x'), new Date()]) {
    refused(junk, 'ARGUMENT_INVALID', 'extends Agent');
  }
  refused(Agent, 'ARGUMENT_INVALID');
});

test('each hook must be of its kind', () => {
  const wrong = [5, 'text', {}, null, true, []];
  for (const hook of ['create', 'validate', 'destroy', 'warm', 'survives', 'footprint', 'reset']) {
    for (const value of wrong) {
      refused(withStatic(hook, value), 'HOOK_INVALID', `static ${hook}`, 'a function');
    }
  }
  for (const hook of ['config', 'input', 'output']) {
    for (const value of [...wrong, () => undefined, { '~standard': { version: 2, validate: () => undefined } }]) {
      refused(withStatic(hook, value), 'HOOK_INVALID', `static ${hook}`, 'Standard Schema');
    }
    desk().optimizer.register(
      withStatic(
        hook,
        schema((value) => value),
      ) as typeof Fine,
    );
  }
  for (const value of [5, {}, null]) refused(withStatic('description', value), 'HOOK_INVALID', 'text');
  for (const value of [5, {}, null, 'x']) refused(withStatic('examples', value), 'HOOK_INVALID', 'an array');
});

function withStatic(name: string, value: unknown): AnyAgentClass {
  class Bad extends Fine {
    static override readonly type: string = 'bad';
  }
  return Object.defineProperty(Bad, name, { value }) as AnyAgentClass;
}

const LONGEST_MS = 7 * 24 * 3_600_000;
const LIMITS: Record<string, readonly [least: number, most: number]> = {
  max: [1, 100_000],
  minIdle: [0, 100_000],
  maxOverflow: [1, 100_000],
  maxWaiting: [0, 1_000_000],
  createConcurrency: [1, 1_000],
  createAttempts: [1, 1_000],
  waitMs: [0, LONGEST_MS],
  createTimeoutMs: [1, LONGEST_MS],
  resetTimeoutMs: [1, LONGEST_MS],
  validateTimeoutMs: [1, LONGEST_MS],
  validateEveryMs: [1, LONGEST_MS],
  destroyTimeoutMs: [1, LONGEST_MS],
};

for (const [option, [least, most]] of Object.entries(LIMITS)) {
  test(`${option} takes ${least} to ${most}, and the refusal names it, what was given and what is allowed`, () => {
    const room: PoolOptions = option === 'minIdle' ? { max: 100_000 } : {};
    for (const value of [least, most, undefined]) {
      // Registered, and never made: a floor of 100,000 entries is not the point here.
      const pool = { ...room, [option]: value, createConcurrency: option === 'createConcurrency' ? value : 1 };
      desk().optimizer.register(
        agentClass({ pool: pool as PoolOptions, create: () => new Promise<Thing>(() => undefined) }),
      );
    }
    const isWhole = !option.endsWith('Ms');
    const bad = [least - 1, most + 1, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, {}, [], true];
    for (const value of isWhole ? [...bad, least + 0.5] : bad) {
      refused(
        agentClass({ pool: { [option]: value } as PoolOptions }),
        'OPTION_INVALID',
        `'${option}'`,
        "'test'",
        `from ${least} to ${most}`,
      );
    }
  });
}

test('reuse and exhaustion take their words only', () => {
  for (const value of ['exclusiv', '', null, 5, 'Shared']) {
    refused(agentClass({ pool: { reuse: value as never } }), 'OPTION_INVALID', "'reuse'", "'single-use'");
    refused(agentClass({ pool: { exhaustion: value as never } }), 'OPTION_INVALID', "'exhaustion'", "'grow'");
  }
});

test('options that do not fit each other are refused', () => {
  refused(agentClass({ pool: { max: 2, minIdle: 3 } }), 'OPTION_INVALID', "'minIdle'", 'at most max, which is 2');
  refused(agentClass({ pool: { reuse: 'shared', exhaustion: 'grow' } }), 'OPTION_INVALID', "'exhaustion'", 'shared');
  desk().optimizer.register(agentClass({ pool: { max: 2, minIdle: 2 } }));
});

test('an unknown option is refused with the list of known ones', () => {
  refused(agentClass({ pool: { maxx: 3 } as never }), 'OPTION_UNKNOWN', "'maxx'", 'max, minIdle');
  refused(agentClass({ pool: { __proto__: null, toString: 3 } as never }), 'OPTION_UNKNOWN', "'toString'");
});

test('pool itself must be an object', () => {
  for (const pool of [5, 'x', null, []]) refused(agentClass({ pool: pool as never }), 'OPTION_INVALID', 'an object');
});

test('settings of the optimizer are stronger than those of the class, and the class’s than the default', () => {
  const max = (pools: Record<string, PoolOptions>, pool: PoolOptions): number => {
    const { optimizer } = desk({ pools });
    optimizer.register(agentClass({ pool }));
    return snapshotOf(optimizer).max;
  };
  assert.equal(max({}, {}), DEFAULT_POOL_MAX);
  assert.equal(DEFAULT_POOL_MAX, 10);
  assert.equal(max({}, { max: 3 }), 3);
  assert.equal(max({ test: { max: 5 } }, { max: 3 }), 5);
  assert.equal(max({ test: { max: undefined as never } }, { max: 3 }), 3);
  assert.equal(max({ other: { max: 5 } }, { max: 3 }), 3);
});

test('pool is replaced by a subclass, not merged', () => {
  class Base extends Fine {
    static override readonly type: string = 'base';
    static override readonly pool: PoolOptions = { max: 3, waitMs: 5 };
  }
  class Derived extends Base {
    static override readonly type: string = 'derived';
    static override readonly pool: PoolOptions = { max: 7 };
  }
  const { optimizer } = desk();
  optimizer.register(Base);
  optimizer.register(Derived);
  assert.equal(snapshotOf(optimizer, 'base').options.waitMs, 5);
  assert.equal(snapshotOf(optimizer, 'derived').options.waitMs, 30_000);
});

test('wrong settings of the optimizer are refused when it is made', () => {
  const make = (options: unknown) => () => new AgnoPerformanceOptimizer(options as never);
  assert.throws(make({ pools: { support: { max: 0 } } }), coded('OPTION_INVALID', "'support'", "'max'"));
  assert.throws(make({ pools: { support: { nope: 1 } } }), coded('OPTION_UNKNOWN', "'nope'"));
  assert.throws(make({ poools: {} }), coded('OPTION_UNKNOWN', "'poools'"));
  assert.throws(make({ pools: 5 }), coded('OPTION_INVALID', "'pools'"));
  assert.throws(make({ clock: 5 }), coded('OPTION_INVALID', "'clock'"));
  assert.throws(make({ clock: { now: () => 0 } }), coded('OPTION_INVALID', "'clock'"));
  assert.throws(make({ random: 0.5 }), coded('OPTION_INVALID', "'random'"));
  for (const junk of [null, 5, 'x', []]) assert.throws(make(junk), coded('OPTION_INVALID'));
});

test('a class of a second copy of the package is named as such', async () => {
  const copy = new URL('../src/index.ts?second-copy', import.meta.url);
  const second = (await import(copy.href)) as typeof import('@sophia-ai/core');
  // The query makes a second copy of the door alone; the module that defines Agent needs one too.
  const agent = (await import(new URL('../src/agent.ts?second-copy', import.meta.url).href)) as { Agent: typeof Agent };
  assert.ok(second.AgnoPerformanceOptimizer);
  class Foreign extends (agent.Agent as typeof Agent) {
    static override readonly type: string = 'foreign';
    static readonly reset = 'stateless';
  }
  refused(Foreign, 'DUPLICATE_CORE', 'Foreign', 'npm ls @sophia-ai/core');
});

test('registering tells, lists the type before its first use, and starts nothing that nobody asked for', () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'pool.registered');
  optimizer.register(Fine);
  assert.deepEqual(events[0]?.payload, { type: 'fine' });
  const { size, leased, counters } = snapshotOf(optimizer, 'fine');
  assert.deepEqual([size, leased, counters.created], [0, 0, 0]);
});

test('a refused class may be corrected and registered later', () => {
  const { optimizer } = desk();
  const Bad = agentClass({ pool: { max: 0 } });
  assert.throws(() => optimizer.register(Bad));
  assert.throws(() => optimizer.tryPooled(Bad));
  optimizer.register(agentClass({ pool: { max: 1 } }));
  assert.equal(snapshotOf(optimizer).max, 1);
});
