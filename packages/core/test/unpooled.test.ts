/** Agents made with `new` are seen: how many, and where in the user's code; they are counted, warned of or refused. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { runInThisContext } from 'node:vm';

import { Agent } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { lease } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, desk, record, snapshotOf, watch } from './support/agents.ts';
import type { MadeClass } from './support/agents.ts';

const bare = (pool: PoolOptions = {}): MadeClass => agentClass({ pool });

/** The one place in this file that makes an agent with `new` for most tests. */
function makeOne(Class: new () => unknown): unknown {
  return new Class();
}

function makeOther(Class: new () => unknown): unknown {
  return new Class();
}

/** So many places in code that differ, each in a file of its own. */
function manySites(count: number): ((Class: new () => unknown) => unknown)[] {
  return Array.from({ length: count }, (_, index) => {
    return runInThisContext('(Class) => new Class()', { filename: `/elsewhere/site-${index}.js` }) as typeof makeOne;
  });
}

test('constructions with new are counted, with their places, most frequent first', () => {
  const { optimizer } = desk();
  const Support = bare();
  optimizer.register(Support);
  for (let i = 0; i < 3; i += 1) makeOne(Support);
  makeOther(Support);
  const { count, sites } = snapshotOf(optimizer).unpooled;
  assert.equal(count, 4);
  assert.deepEqual(
    sites.map(({ seen }) => seen),
    [3, 1],
  );
  assert.match(sites[0]?.site ?? '', /makeOne .*unpooled\.test\.ts:\d+:\d+/);
  assert.match(sites[1]?.site ?? '', /makeOther .*unpooled\.test\.ts:\d+:\d+/);
});

test('each is told as an event', () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'agent.unpooled');
  const Support = bare();
  optimizer.register(Support);
  makeOne(Support);
  makeOne(Support);
  assert.deepEqual(
    events.map(({ payload: { type, count } }) => [type, count]),
    [
      ['test', 1],
      ['test', 2],
    ],
  );
  assert.match(events[0]?.payload.site ?? '', /makeOne/);
});

test('what was made before the class was registered is counted too; pooled agents never are', async () => {
  const { optimizer } = desk();
  const Support = bare();
  makeOne(Support);
  const agent = await optimizer.pooled(Support);
  agent.release();
  await optimizer.prewarm(Support);
  assert.ok(optimizer.tryPooled(Support));
  assert.equal(snapshotOf(optimizer).unpooled.count, 1);
});

test('each class has a count of its own: that of a subclass is not its parent’s', () => {
  const { optimizer } = desk();
  const Support = bare();
  class Special extends Support {
    static override readonly type: string = 'special';
  }
  optimizer.register(Support);
  optimizer.register(Special);
  makeOne(Special);
  assert.equal(snapshotOf(optimizer, 'test').unpooled.count, 0);
  const { count, sites } = snapshotOf(optimizer, 'special').unpooled;
  assert.equal(count, 1);
  assert.match(sites[0]?.site ?? '', /makeOne .*unpooled\.test\.ts/, 'not a constructor on the way');
});

test('the place is the caller’s for a class without a name, and for one whose name was changed', () => {
  const nameless = ((Class: typeof Base) => Class)(
    class extends Base {
      static override readonly type: string = 'nameless';
      constructor() {
        super();
        this.extra = 1;
      }
    },
  );
  class Original extends Base {
    static override readonly type: string = 'renamed';
    constructor() {
      super();
      this.extra = 2;
    }
  }
  Object.defineProperty(Original, 'name', { value: 'Renamed' });
  const { optimizer } = desk();
  const sites = [nameless, Original].map((Class) => {
    optimizer.register(Class);
    makeOne(Class);
    return snapshotOf(optimizer, Class.type).unpooled.sites[0]?.site.split(' ')[0];
  });
  assert.deepEqual(sites, ['makeOne', 'makeOne']);
});

test('a constructor of another class that builds the agent is the place', () => {
  const { optimizer } = desk();
  const Support = bare();
  class Service {
    readonly support = 1;
    constructor() {
      assert.ok(new Support());
    }
  }
  optimizer.register(Support);
  makeOne(Service);
  assert.match(snapshotOf(optimizer).unpooled.sites[0]?.site ?? '', /^new Service .*unpooled\.test\.ts/);
});

class Base extends Agent {
  static override readonly type: string = 'base';
  static readonly reset = 'stateless';
  extra = 0;
}

test('at most so many places are kept, and a flood of one place goes on being counted', () => {
  const { optimizer } = desk();
  const Support = bare();
  optimizer.register(Support);
  for (const make of manySites(60)) make(Support);
  for (let i = 0; i < 5_000; i += 1) makeOne(Support);
  const { count, sites } = snapshotOf(optimizer).unpooled;
  assert.equal(count, 5_060);
  assert.ok(sites.length <= 20, `${sites.length} places`);
});

// ---- warn

test('"warn" prints once for each place', (context) => {
  const warn = context.mock.method(console, 'warn', () => undefined);
  const { optimizer } = desk();
  const Support = bare({ unpooled: 'warn' });
  optimizer.register(Support);
  for (let i = 0; i < 3; i += 1) makeOne(Support);
  makeOther(Support);
  const lines = warn.mock.calls.map(({ arguments: [line] }) => String(line as unknown));
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /'test'.*makeOne .*unpooled\.test\.ts/);
  assert.match(lines[1] ?? '', /makeOther/);
});

test('"warn" prints no place twice, however many there are', (context) => {
  const warn = context.mock.method(console, 'warn', () => undefined);
  const { optimizer } = desk();
  const Support = bare({ unpooled: 'warn' });
  optimizer.register(Support);
  for (const make of manySites(25)) for (let i = 0; i < 3; i += 1) make(Support);
  const lines = warn.mock.calls.map(({ arguments: [line] }) => String(line as unknown));
  assert.equal(lines.length, new Set(lines).size);
  assert.ok(lines.length >= 20);
});

test('a place that was only counted before "warn" came into force is warned of once', (context) => {
  const warn = context.mock.method(console, 'warn', () => undefined);
  const { optimizer } = desk({ pools: { test: { unpooled: 'warn' } } });
  const Support = bare();
  makeOne(Support);
  assert.equal(warn.mock.callCount(), 0);
  optimizer.register(Support);
  makeOne(Support);
  makeOne(Support);
  assert.equal(warn.mock.callCount(), 1);
});

// ---- throw

test('"throw" refuses with the place and the way out, and pooled agents are made as ever', async () => {
  const { optimizer } = desk();
  const Support = bare({ unpooled: 'throw', max: 1 });
  optimizer.register(Support);
  assert.throws(() => makeOne(Support), coded('UNPOOLED', "'test'", /makeOne .*unpooled\.test\.ts/, 'pooled'));
  const agent = await optimizer.pooled(Support);
  assert.throws(() => makeOne(Support), coded('UNPOOLED'));
  assert.equal(agent.resources.id, 1);
  agent.release();
  assert.ok(optimizer.tryPooled(Support));
  assert.equal(snapshotOf(optimizer).unpooled.count, 2);
});

test('"throw" names the place every time, not only in a sample', () => {
  const Support = bare({ unpooled: 'throw' });
  for (let i = 0; i < 150; i += 1) assert.throws(() => makeOne(Support), coded('UNPOOLED', 'makeOne'), `time ${i + 1}`);
});

test('"throw" of the class itself holds before it is registered, and after its front desk was closed', async () => {
  const Support = bare({ unpooled: 'throw' });
  assert.throws(() => makeOne(Support), coded('UNPOOLED'));
  const { optimizer } = desk();
  optimizer.register(Support);
  await optimizer.close();
  assert.throws(() => makeOne(Support), coded('UNPOOLED'));
});

test('the `pools` of a front desk are stronger than the class, both ways, while it is open', async () => {
  const Free = bare();
  const { optimizer } = desk({ pools: { test: { unpooled: 'throw' } } });
  assert.ok(makeOne(Free), 'nobody has forbidden it yet');
  optimizer.register(Free);
  assert.throws(() => makeOne(Free), coded('UNPOOLED'));
  await optimizer.close();
  assert.ok(makeOne(Free));
  const Strict = bare({ unpooled: 'throw' });
  const other = desk({ pools: { test: { unpooled: 'count' } } });
  other.optimizer.register(Strict);
  assert.ok(makeOne(Strict));
});

test('an agent that another one’s constructor builds, before or after super(), is refused; the outer one is lent', async () => {
  for (const when of ['before', 'after'] as const) {
    const { optimizer } = desk();
    const Inner = agentClass({ type: 'inner', pool: { unpooled: 'throw' } });
    const seen: unknown[] = [];
    class Outer extends Agent {
      static override readonly type: string = 'outer';
      static readonly reset = 'stateless';
      constructor() {
        if (when === 'before') attempt();
        super();
        if (when === 'after') attempt();
      }
    }
    const attempt = (): void => {
      try {
        makeOne(Inner);
      } catch (error) {
        seen.push(error);
      }
    };
    optimizer.register(Inner);
    const outer = await optimizer.pooled(Outer);
    assert.equal(seen.length, 1);
    assert.ok(coded('UNPOOLED')(seen[0]));
    assert.equal(outer.resources, undefined);
    outer.release();
    assert.equal(snapshotOf(optimizer, 'outer').unpooled.count, 0, when);
    assert.equal(snapshotOf(optimizer, 'outer').idle, 1);
  }
});

test('a constructor that does not catch it fails the acquire, and the entry stays', async () => {
  const { optimizer } = desk();
  const Inner = agentClass({ type: 'inner', pool: { unpooled: 'throw' } });
  let builds = true;
  const Outer = agentClass({ type: 'outer', construct: () => void (builds && makeOne(Inner)) });
  const failing = watch(optimizer.pooled(Outer));
  await failing.promise.catch(() => undefined);
  assert.equal(codeOf(failing), 'CONSTRUCT_FAILED');
  assert.ok(coded('UNPOOLED')((failing.error as Error).cause));
  builds = false;
  assert.equal((await optimizer.pooled(Outer)).resources.id, 1);
});

test('inside execute, new is refused and pooled works', async () => {
  const { optimizer } = desk();
  const Inner = agentClass({ type: 'inner', pool: { unpooled: 'throw' } });
  optimizer.register(Inner);
  const Outer = agentClass({
    type: 'outer',
    execute: async (agent, input) => {
      if (input === 'new') return makeOne(Inner);
      using inner = await agent.borrow(Inner);
      return inner.resources.id;
    },
  });
  const outer = await optimizer.pooled(Outer);
  await assert.rejects(outer.run('new'), coded('UNPOOLED', 'makeOne'));
  assert.equal(await outer.run('pooled'), 1);
  assert.equal(snapshotOf(optimizer, 'inner').unpooled.count, 1);
});

test('lease() of the testing door makes agents of such a class', async () => {
  const Support = bare({ unpooled: 'throw' });
  using agent = await lease(Support, { config: undefined, resources: { id: 7 } });
  assert.equal(agent.resources.id, 7);
});

test('a listener that throws is told of, and disturbs nobody', () => {
  const { optimizer } = desk();
  const failed = record(optimizer, 'listener.failed');
  const Support = bare();
  optimizer.register(Support);
  optimizer.on('agent.unpooled', () => {
    throw new Error('in the listener');
  });
  assert.ok(makeOne(Support));
  assert.equal(failed.length, 1);
});
