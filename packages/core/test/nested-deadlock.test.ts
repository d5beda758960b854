/** Nested borrowers: who could only be served after going on is refused at once, who merely queues is left alone. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { PoolExhaustedError } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { trackNesting } from '@sophia-ai/core/node';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { MadeClass, TestAgent, Watched } from './support/agents.ts';

/** A class whose runs borrow whatever they are given, run it with the rest of the list, and give it back. */
function chainClass(type: string, pool: PoolOptions = { max: 1 }): MadeClass {
  return agentClass({
    type,
    pool,
    execute: async (agent, input) => {
      const [next, ...rest] = input as MadeClass[];
      if (next === undefined) return 'done';
      const inner = await agent.borrow(next);
      try {
        return await inner.run(rest);
      } finally {
        inner.release();
      }
    },
  });
}

function chainOf(watched: Watched<unknown>): readonly string[] {
  assert.equal(codeOf(watched), 'NESTED_DEADLOCK');
  assert.ok(watched.error instanceof PoolExhaustedError);
  assert.equal(watched.error.facts.reason, 'nested');
  for (const link of watched.error.chain) assert.ok(watched.error.message.includes(link), watched.error.message);
  return watched.error.chain;
}

test('a run that borrows of its own full pool is refused at once, with the chain', async () => {
  const { optimizer } = desk();
  const Self = chainClass('self');
  const agent = await optimizer.pooled(Self, undefined, { owner: 'ada' });
  const run = watch(agent.run([Self]));
  await settle();
  assert.deepEqual(chainOf(run), ["'self' lease 1 of ada waits for 'self', held by 'self' lease 1 of ada"]);
  assert.match((run.error as Error).message, /raise max/);
  const { waiting, counters } = snapshotOf(optimizer, 'self');
  assert.deepEqual([waiting, counters.failures.NESTED_DEADLOCK], [0, 1]);
  agent.release();
  await settle();
  assert.equal(snapshotOf(optimizer, 'self').leased, 0);
});

test('two roots that each hold what the other wants: the second to ask is refused, the first is served', async () => {
  const { optimizer } = desk();
  const [A, B] = [chainClass('a'), chainClass('b')];
  const [a, b] = [await optimizer.pooled(A, undefined, { owner: 'ada' }), await optimizer.pooled(B)];
  const first = watch(a.run([B]));
  await settle();
  assert.equal(first.state, 'pending');
  const second = watch(b.run([A]));
  await settle();
  assert.deepEqual(chainOf(second), [
    "'b' lease 1 waits for 'a', held by 'a' lease 1 of ada",
    "'a' lease 1 of ada waits for 'b', held by 'b' lease 1",
  ]);
  b.release();
  await settle();
  assert.equal(valueOf(first), 'done');
});

test('a circle of three roots over three types is found by the one that closes it', async () => {
  const { optimizer } = desk();
  const classes = ['a', 'b', 'c'].map((type) => chainClass(type));
  const agents = await Promise.all(classes.map((each) => optimizer.pooled(each)));
  const runs: Watched<unknown>[] = [];
  for (const [index, agent] of agents.entries()) {
    runs.push(watch(agent.run([classes[(index + 1) % 3] as MadeClass])));
    await settle();
  }
  assert.deepEqual(
    runs.map(({ state }) => state),
    ['pending', 'pending', 'rejected'],
  );
  assert.equal(chainOf(runs[2] as Watched<unknown>).length, 3);
});

for (const depth of [2, 3]) {
  test(`one run that comes back to its own type over ${depth} types is refused`, async () => {
    const { optimizer } = desk();
    const classes = ['a', 'b', 'c'].slice(0, depth).map((type) => chainClass(type));
    const [First, ...others] = classes as [MadeClass, ...MadeClass[]];
    const agent = await optimizer.pooled(First);
    const run = watch(agent.run([...others, First]));
    await settle();
    assert.match(chainOf(run).join('; '), /'a' lease 1/);
    for (const { type, leased, waiting } of optimizer.snapshot()) {
      assert.deepEqual([leased, waiting], [type === 'a' ? 1 : 0, 0], type);
    }
  });
}

test('a run that borrows down three types and comes back to none is served', async () => {
  const { optimizer } = desk();
  const [A, B, C] = [chainClass('a'), chainClass('b'), chainClass('c')];
  const agents = [await optimizer.pooled(A), await optimizer.pooled(B)];
  const runs = [watch(agents[0]?.run([B, C]) as Promise<unknown>), watch(agents[1]?.run([C]) as Promise<unknown>)];
  await settle();
  for (const agent of agents) agent.release();
  await settle();
  assert.equal(valueOf(runs[1] as Watched<unknown>), 'done');
});

test('3 roots that borrow one each of their own pool of 3: the last is refused, then the others go on', async () => {
  const { optimizer } = desk();
  const Self = chainClass('self', { max: 3 });
  const roots = await Promise.all([1, 2, 3].map(() => optimizer.pooled(Self)));
  const runs = roots.map((root) => watch(root.run([Self])));
  await settle();
  assert.deepEqual(
    runs.map(({ state }) => state),
    ['pending', 'pending', 'rejected'],
  );
  chainOf(runs[2] as Watched<unknown>);
  roots[2]?.release();
  await settle();
  assert.deepEqual([valueOf(runs[0] as Watched<unknown>), valueOf(runs[1] as Watched<unknown>)], ['done', 'done']);
});

test('a fan-out over more than the inner pool has queues, and all of it is served', async () => {
  const { optimizer, clock } = desk();
  const Inner = agentClass({
    type: 'inner',
    pool: { max: 2 },
    execute: (_agent, input) => new Promise((resolve) => void clock.startTimer(() => resolve(input), 10)),
  });
  const Outer = agentClass({
    type: 'outer',
    execute: (agent) =>
      Promise.all(
        Array.from({ length: 10 }, async (_, part) => {
          using inner = await agent.borrow(Inner);
          return await inner.run(part);
        }),
      ),
  });
  const outers = [await optimizer.pooled(Outer), await optimizer.pooled(Outer)];
  const runs = outers.map((outer) => watch(outer.run(undefined)));
  await clock.advance(200);
  for (const run of runs) assert.deepEqual(valueOf(run), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('a fan-out of a run over its own pool is served as long as one place is not its own', async () => {
  const { optimizer } = desk();
  const Self = agentClass({
    pool: { max: 2 },
    execute: async (agent, parts) => {
      const borrow = async (): Promise<number> => {
        using inner = await agent.borrow(Self as MadeClass);
        return inner.resources.id;
      };
      return (await Promise.all(Array.from({ length: parts as number }, borrow))).length;
    },
  });
  const agent = await optimizer.pooled(Self);
  assert.equal(await agent.run(5), 5);
});

test('nothing is refused while the pool may still grow, be it by a creation under way or by overflow', async () => {
  const { optimizer } = desk();
  const Grows = chainClass('grows', { max: 1, exhaustion: 'grow', maxOverflow: 2 });
  const agent = await optimizer.pooled(Grows);
  assert.equal(await agent.run([Grows, Grows]), 'done');
  const Two = chainClass('two', { max: 2 });
  const root = await optimizer.pooled(Two);
  assert.equal(await root.run([Two]), 'done');
});

test('nothing is refused while a lease of the pool belongs to someone who does not wait', async () => {
  const { optimizer } = desk();
  const Self = chainClass('self', { max: 2 });
  const [root, other] = [await optimizer.pooled(Self), await optimizer.pooled(Self)];
  const run = watch(root.run([Self]));
  await settle();
  assert.equal(run.state, 'pending');
  other.release();
  await settle();
  assert.equal(valueOf(run), 'done');
});

test('whoever has stopped waiting, by abort or time-out, blocks nobody: not even in the same tick', async () => {
  const { optimizer, clock } = desk();
  const Self = chainClass('self', { max: 2 });
  const [one, other] = [await optimizer.pooled(Self), await optimizer.pooled(Self)];
  const leaving = new AbortController();
  const aborted = watch(one.borrow(Self, undefined, { signal: leaving.signal }));
  leaving.abort();
  const waits = watch(other.borrow(Self, undefined, { waitMs: 100 }));
  await clock.advance(150);
  assert.deepEqual([codeOf(aborted), codeOf(waits)], ['ACQUIRE_ABORTED', 'ACQUIRE_TIMEOUT']);
  const again = watch(one.borrow(Self));
  await settle();
  assert.equal(again.state, 'pending');
  const refused = watch(other.borrow(Self));
  await settle();
  chainOf(refused);
});

test('a lease that has ended, also by force, is no longer part of any chain', async () => {
  const { optimizer } = desk();
  const Self = chainClass('self', { max: 2 });
  const [one, other] = [await optimizer.pooled(Self), await optimizer.pooled(Self)];
  const waits = watch(one.run([Self]));
  await settle();
  optimizer.revoke('self', 1);
  await settle();
  assert.equal(waits.state, 'rejected');
  assert.equal(snapshotOf(optimizer, 'self').waiting, 0);
  assert.equal(await other.run([Self]), 'done');
});

/** A desk that tracks nesting, with a class whose run does as it is told. */
function tracked(pool: PoolOptions = { max: 1 }) {
  const front = desk();
  const stop = trackNesting(front.optimizer);
  const Plain = agentClass({ type: 'plain', pool });
  const Outer = agentClass({ type: 'outer', execute: (_agent, work) => (work as () => unknown)() });
  return { ...front, stop, Plain, Outer };
}

test('with trackNesting, any borrowing inside execute or use is nested', async () => {
  const { optimizer, Plain } = tracked();
  const inUse = watch(optimizer.use(Plain, undefined, () => optimizer.use(Plain, undefined, () => 'never')));
  await settle();
  chainOf(inUse);
  const Self = agentClass({ type: 'self', pool: { max: 1 }, execute: () => optimizer.pooled(Self as MadeClass) });
  const agent: TestAgent = await optimizer.pooled(Self);
  const inRun = watch(agent.run(undefined));
  await settle();
  chainOf(inRun);
  const failed = snapshotOf(optimizer, 'plain');
  assert.deepEqual([failed.leased, failed.waiting], [0, 0]);
});

test('with trackNesting, two uses that each hold what the other wants: the second is refused', async () => {
  const { optimizer, Plain } = tracked();
  const Other = agentClass({ type: 'other', pool: { max: 1 } });
  const gate = Promise.withResolvers<void>();
  const first = watch(
    optimizer.use(Plain, undefined, async () => {
      await gate.promise;
      return optimizer.use(Other, undefined, () => 'first');
    }),
  );
  const second = watch(
    optimizer.use(Other, undefined, async () => {
      await gate.promise;
      return optimizer.use(Plain, undefined, () => 'second');
    }),
  );
  await settle();
  gate.resolve();
  await settle();
  chainOf(second);
  assert.equal(valueOf(first), 'first');
});

test('with trackNesting, what runs on after its lease has ended borrows like anyone else', async () => {
  const { optimizer, Plain } = tracked();
  const late = Promise.withResolvers<void>();
  let afterwards: Watched<TestAgent> | undefined;
  await optimizer.use(Plain, undefined, () => {
    void late.promise.then(() => {
      afterwards = watch<TestAgent>(optimizer.pooled(Plain));
    });
  });
  const holder = await optimizer.pooled(Plain);
  late.resolve();
  await settle();
  assert.equal(afterwards?.state, 'pending');
  holder.release();
  await settle();
  valueOf(afterwards as Watched<TestAgent>);
});

test('without trackNesting, or after its end, only this.pooled is known to be nested', async () => {
  const { optimizer, clock, Plain, stop } = tracked({ max: 1, waitMs: 100 });
  stop();
  const use = watch(optimizer.use(Plain, undefined, () => optimizer.use(Plain, undefined, () => 'never')));
  await clock.advance(50);
  assert.equal(use.state, 'pending');
  await clock.advance(100);
  assert.equal(codeOf(use), 'ACQUIRE_TIMEOUT');
});

test('a lease that borrows again and again keeps nothing of what it asked for', async () => {
  const { optimizer } = desk();
  const told = record(optimizer, 'acquire.failed');
  const Inner = agentClass({ type: 'inner', pool: { max: 1 } });
  const Outer = agentClass({ type: 'outer', pool: { max: 2 } });
  const [one, other] = [await optimizer.pooled(Outer), await optimizer.pooled(Outer)];
  for (let turn = 0; turn < 200; turn += 1) {
    const holder = await other.borrow(Inner);
    const waits = watch(one.borrow(Inner));
    const leaves = watch(one.borrow(Inner, undefined, { signal: AbortSignal.abort() }));
    await settle();
    holder.release();
    await settle();
    valueOf(waits).release();
    assert.equal(codeOf(leaves), 'ACQUIRE_ABORTED');
  }
  assert.equal(told.length, 200);
  // Had it kept a waiter, it would count as waiting for `inner`, whose only lease asks for the last of `outer`.
  const inner = await optimizer.pooled(Inner);
  const asks = watch(inner.borrow(Outer));
  await settle();
  assert.equal(asks.state, 'pending');
  one.release();
  await settle();
  valueOf(asks).release();
});
