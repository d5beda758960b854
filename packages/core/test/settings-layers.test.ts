/** Settings come in layers: default < class < sophia.config < SOPHIA_POOLS < resize(); each is checked, and says where from. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { AgnoPerformanceOptimizer, DEFAULT_POOL_MAX } from '@sophia-ai/core';
import type { ErrorCode, OptimizerOptions, PoolSnapshot } from '@sophia-ai/core';
import { ManualClock } from '@sophia-ai/core/testing';

import { agentClass, coded, snapshotOf } from './support/agents.ts';
import type { Recipe } from './support/agents.ts';

function front(options: OptimizerOptions = {}): AgnoPerformanceOptimizer {
  return new AgnoPerformanceOptimizer({ clock: new ManualClock(), environment: '', ...options });
}

function settingsOf(options: OptimizerOptions, recipe: Recipe = {}): PoolSnapshot {
  const optimizer = front(options);
  optimizer.register(agentClass(recipe));
  return snapshotOf(optimizer);
}

test('what nobody sets has its default, and no other source', () => {
  const { options, sources, max } = settingsOf({});
  assert.deepEqual([max, options.max, options.waitMs, options.maxOverflow], [DEFAULT_POOL_MAX, 10, 30_000, 10]);
  assert.deepEqual(sources, { max: 'default' });
});

test('each layer is stronger than those before, setting by setting', () => {
  const { options, sources } = settingsOf(
    {
      pools: { test: { max: 3, waitMs: 3_000, maxWaiting: 30 } },
      environment: '{"test":{"max":4,"maxWaiting":40}}',
    },
    { pool: { max: 2, waitMs: 2_000, maxUses: 2, leaseMs: 2_000 } },
  );
  const { max, waitMs, maxWaiting, maxUses, leaseMs, createTimeoutMs } = options;
  assert.deepEqual([max, waitMs, maxWaiting, maxUses, leaseMs, createTimeoutMs], [4, 3_000, 40, 2, 2_000, 30_000]);
  assert.deepEqual(sources, {
    max: 'environment',
    maxWaiting: 'environment',
    waitMs: 'sophia.config',
    maxUses: 'class',
    leaseMs: 'class',
  });
});

test('resize is the strongest layer and says so', () => {
  const optimizer = front({ environment: '{"test":{"max":4}}' });
  optimizer.register(agentClass({ pool: { max: 2, waitMs: 5 } }));
  optimizer.resize('test', 7);
  const { max, options, sources } = snapshotOf(optimizer);
  assert.deepEqual([max, options.max], [7, 7]);
  assert.deepEqual(sources, { max: 'live', waitMs: 'class' });
});

test('undefined counts as not given in every layer', () => {
  const { options, sources } = settingsOf(
    { pools: { test: { max: undefined } as never } },
    { pool: { max: 2, waitMs: undefined } as never },
  );
  assert.deepEqual([options.max, options.waitMs, sources], [2, 30_000, { max: 'class' }]);
});

test('settings of one type reach no other', () => {
  const optimizer = front({ pools: { one: { max: 1 } }, environment: '{"two":{"max":2}}' });
  for (const type of ['one', 'two', 'three']) optimizer.register(agentClass({ type }));
  const maxOf = (type: string): number => snapshotOf(optimizer, type).max;
  assert.deepEqual([maxOf('one'), maxOf('two'), maxOf('three')], [1, 2, DEFAULT_POOL_MAX]);
});

test('maxOverflow follows the strongest max, tenantMax is never above tenantBurst', () => {
  const { options } = settingsOf(
    { environment: '{"test":{"max":4,"tenantBurst":2}}' },
    { pool: { max: 2, tenantMax: 3, exhaustion: 'grow' } },
  );
  assert.deepEqual([options.maxOverflow, options.tenantMax, options.tenantBurst], [4, 2, 2]);
});

test('no text at all is no settings: empty, blank, an empty object', () => {
  for (const environment of ['', '  \n', '{}']) assert.equal(settingsOf({ environment }).max, DEFAULT_POOL_MAX);
});

const WRONG: readonly [environment: string, code: ErrorCode, ...words: string[]][] = [
  ['{', 'OPTION_INVALID', 'SOPHIA_POOLS cannot be read', '{"support":{"max":20}}'],
  ['max=20', 'OPTION_INVALID', 'SOPHIA_POOLS cannot be read'],
  ['null', 'OPTION_INVALID', 'it is no object'],
  ['5', 'OPTION_INVALID', 'it is no object'],
  ['[{"max":5}]', 'OPTION_INVALID', 'it is no object'],
  ['{"test":5}', 'OPTION_INVALID', "'test'", 'must be an object'],
  ['{"test":null}', 'OPTION_INVALID', "'test'", 'must be an object'],
  ['{"test":[]}', 'OPTION_INVALID', "'test'", 'must be an object'],
  ['{"test":{"maxx":5}}', 'OPTION_UNKNOWN', "'test'", "'maxx'", 'max,'],
  ['{"test":{"max":"5"}}', 'OPTION_INVALID', "'test'", "'max'", '"5"', 'a whole number from 1 to 100000'],
  ['{"test":{"max":0}}', 'OPTION_INVALID', "'max'"],
  ['{"test":{"max":null}}', 'OPTION_INVALID', "'max'"],
  ['{"test":{"reuse":"exklusive"}}', 'OPTION_INVALID', "'reuse'", "'exclusive'"],
  ['{"never registered":{"waitMs":-1}}', 'OPTION_INVALID', "'never registered'", "'waitMs'"],
  ['{"test":{"__proto__":{"max":5}}}', 'OPTION_UNKNOWN', "'__proto__'"],
  ['{"test":{"constructor":5}}', 'OPTION_UNKNOWN', "'constructor'"],
];

for (const [environment, code, ...words] of WRONG) {
  test(`refused at construction: ${environment}`, () => {
    assert.throws(() => front({ environment }), coded(code, ...words));
    let pools: unknown;
    try {
      pools = JSON.parse(environment);
    } catch {
      return;
    }
    assert.throws(() => front({ pools: pools as never }), coded(code), 'the same as pools');
  });
}

test('a wrong setting in the environment names SOPHIA_POOLS, so that it is found', () => {
  assert.throws(() => front({ environment: '{"test":{"max":0}}' }), coded('OPTION_INVALID', 'SOPHIA_POOLS'));
});

test('settings that fit alone but not together are refused at registration', () => {
  const optimizer = front({ environment: '{"test":{"max":1}}' });
  const Class = agentClass({ pool: { minIdle: 2 } });
  assert.throws(() => optimizer.register(Class), coded('OPTION_INVALID', "'minIdle'", 'at most max, which is 1'));
  assert.deepEqual(optimizer.snapshot(), []);
});

test('names of object members are types like any other, and reach no other type', () => {
  for (const layer of ['pools', 'environment'] as const) {
    const text = '{"__proto__":{"max":3},"constructor":{"max":4},"toString":{"max":5}}';
    const optimizer = front(layer === 'pools' ? { pools: JSON.parse(text) as never } : { environment: text });
    for (const type of ['constructor', 'toString', 'valueOf', 'test']) optimizer.register(agentClass({ type }));
    const maxOf = (type: string): number => snapshotOf(optimizer, type).max;
    assert.deepEqual([maxOf('constructor'), maxOf('toString')], [4, 5]);
    assert.deepEqual([maxOf('valueOf'), maxOf('test')], [DEFAULT_POOL_MAX, DEFAULT_POOL_MAX]);
  }
  assert.equal(({} as Record<string, unknown>)['max'], undefined, 'and the prototype of all objects is as it was');
});

test('what the caller does to pools after construction changes no pool that is open', () => {
  const mine = { max: 2, tenantWeights: { a: 2 } };
  const optimizer = front({ pools: { test: mine } });
  optimizer.register(agentClass());
  mine.max = 50;
  mine.tenantWeights.a = 0;
  const { max, options } = snapshotOf(optimizer);
  assert.deepEqual([max, options.max, options.tenantWeights], [2, 2, { a: 2 }]);
});

test('SOPHIA_POOLS of the process is read unless the option environment is given', (t) => {
  const before = process.env['SOPHIA_POOLS'];
  t.after(() => {
    if (before === undefined) delete process.env['SOPHIA_POOLS'];
    else process.env['SOPHIA_POOLS'] = before;
  });
  process.env['SOPHIA_POOLS'] = '{"test":{"max":6}}';
  const optimizer = new AgnoPerformanceOptimizer({ clock: new ManualClock() });
  optimizer.register(agentClass());
  assert.deepEqual([snapshotOf(optimizer).max, snapshotOf(optimizer).sources], [6, { max: 'environment' }]);
  assert.equal(settingsOf({ environment: '' }).max, DEFAULT_POOL_MAX);
  process.env['SOPHIA_POOLS'] = '{"test":';
  assert.throws(() => new AgnoPerformanceOptimizer(), coded('OPTION_INVALID', 'SOPHIA_POOLS'));
});
