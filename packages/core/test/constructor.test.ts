/** The constructor is the borrower's own moment: light, with config at hand, and harmless when it throws. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { TestAgent, agentClass, codeOf, coded, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Thing } from './support/agents.ts';

test('a throwing constructor fails the acquire with its cause and puts the entry back untouched', async () => {
  const { optimizer } = desk();
  const cause = new Error('bad field');
  let resets = 0;
  let broken = true;
  const Support = agentClass({
    type: 'support',
    pool: { max: 1 },
    reset: () => (resets += 1),
    construct: () => {
      if (broken) throw cause;
    },
  });
  await optimizer.prewarm(Support);
  for (const attempt of [() => optimizer.pooled(Support), async () => optimizer.tryPooled(Support)]) {
    const failed = watch(attempt());
    await settle();
    assert.equal(codeOf(failed), 'CONSTRUCT_FAILED');
    assert.equal((failed.error as Error).cause, cause);
    coded('CONSTRUCT_FAILED', "'support'", 'bad field')(failed.error);
  }
  const { idle, leased, counters } = snapshotOf(optimizer, 'support');
  assert.deepEqual([idle, leased, resets, counters.handOuts], [1, 0, 0, 0]);
  assert.deepEqual(counters.failures, { CONSTRUCT_FAILED: 2 });
  broken = false;
  assert.equal((await optimizer.pooled(Support)).resources.id, 1);
});

test('a constructor that throws for a waiter gives the entry to the next waiter', async () => {
  const { optimizer } = desk();
  let broken = 1;
  const Support = agentClass({
    pool: { max: 1 },
    construct: () => {
      broken -= 1;
      if (broken === 0) throw new Error('once');
    },
  });
  broken = 2;
  const holder = await optimizer.pooled(Support);
  const first = watch(optimizer.pooled(Support));
  const second = watch(optimizer.pooled(Support));
  await settle();
  holder.release();
  await settle();
  assert.equal(codeOf(first), 'CONSTRUCT_FAILED');
  assert.equal(valueOf(second).resources.id, 1);
});

test('config is there in the constructor and in fields, and resources too', async () => {
  const { optimizer } = desk();
  class Support extends Agent<{ tenant: string }, Thing> {
    static override readonly type: string = 'support';
    static readonly reset = 'stateless';
    static create(): Thing {
      return { id: 9 };
    }
    readonly greeting = `Hello ${this.config.tenant}`;
    readonly seen: number;
    constructor() {
      super();
      this.seen = this.resources.id;
    }
  }
  const agent = await optimizer.pooled(Support, { tenant: 'acme' });
  assert.equal(agent.greeting, 'Hello acme');
  assert.equal(agent.seen, 9);
});

test('other agents made with new, before or after super(), do not take the lease', async () => {
  const { optimizer } = desk();
  const Helper = agentClass({ type: 'helper' });
  let before: InstanceType<typeof Helper> | undefined;
  let after: InstanceType<typeof Helper> | undefined;
  class Outer extends TestAgent {
    static override readonly type: string = 'outer';
    static readonly reset = 'stateless';
    static create(): Thing {
      return { id: 3 };
    }
    constructor() {
      before = new Helper();
      super();
      after = new Helper();
    }
  }
  const agent = await optimizer.pooled(Outer, { tenant: 'acme' });
  assert.equal(agent.resources.id, 3);
  for (const helper of [before, after]) {
    assert.equal(helper?.config, undefined);
    assert.throws(() => helper?.resources, coded('LEASE_FOREIGN'));
  }
});

test('another agent borrowed inside a constructor, before or after super(), does not take the lease either', async () => {
  const { optimizer } = desk();
  const Helper = agentClass({ type: 'helper', pool: { max: 2 } });
  await optimizer.prewarm(Helper);
  const helpers: (InstanceType<typeof Helper> | undefined)[] = [];
  class Outer extends TestAgent {
    static override readonly type: string = 'outer';
    static readonly reset = 'stateless';
    static create(): Thing {
      return { id: 3 };
    }
    constructor() {
      helpers.push(optimizer.tryPooled(Helper, 'for before'));
      super();
      helpers.push(optimizer.tryPooled(Helper, 'for after'));
    }
  }
  const agent = await optimizer.pooled(Outer, 'for outer');
  assert.equal(agent.resources.id, 3);
  assert.equal(agent.config, 'for outer');
  assert.deepEqual(
    helpers.map((helper) => helper?.config),
    ['for before', 'for after'],
  );
  agent.release();
  assert.equal(snapshotOf(optimizer, 'outer').leased, 0);
});

test('a constructor that releases its own lease and then throws frees one place, not two', async () => {
  const { optimizer } = desk();
  let broken = true;
  const Support = agentClass({
    pool: { max: 1 },
    construct: (agent) => {
      if (!broken) return;
      agent.release();
      throw new Error('after release');
    },
  });
  const failed = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(codeOf(failed), 'CONSTRUCT_FAILED');
  assert.deepEqual([snapshotOf(optimizer).leased, snapshotOf(optimizer).idle], [0, 1]);
  broken = false;
  const first = await optimizer.pooled(Support);
  const second = watch(optimizer.pooled(Support));
  await settle();
  assert.equal(second.state, 'pending');
  first.release();
  await settle();
  valueOf(second);
});

test('a class that extends a pooled class has a lease, config and pool of its own', async () => {
  const { optimizer } = desk();
  class Base extends TestAgent {
    static override readonly type: string = 'base';
    static readonly reset: 'stateless' = 'stateless';
    static create(): Thing {
      return { id: 1 };
    }
  }
  class Special extends Base {
    static override readonly type: string = 'special';
  }
  const [base, special] = await Promise.all([optimizer.pooled(Base, 'a'), optimizer.pooled(Special, 'b')]);
  assert.ok(special instanceof Base);
  assert.deepEqual([base.config, special.config], ['a', 'b']);
  assert.equal(snapshotOf(optimizer, 'base').leased, 1);
  assert.equal(snapshotOf(optimizer, 'special').leased, 1);
});
