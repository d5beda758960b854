/** An agent that borrows another hands down its front desk, its signal and what is left of its time. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, desk, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Watched } from './support/agents.ts';

/** An outer agent whose run borrows an inner one of a pool that has none to give. */
async function nested(options?: unknown): Promise<
  ReturnType<typeof desk> & {
    outer: InstanceType<ReturnType<typeof agentClass>>;
    inner: () => Watched<unknown>;
    holder: { release(): void };
  }
> {
  const front = desk();
  const Inner = agentClass({ type: 'inner', pool: { max: 1, waitMs: 10_000 } });
  let borrowed: Watched<unknown> | undefined;
  const Outer = agentClass({
    type: 'outer',
    execute: async (agent) => {
      borrowed = watch((async () => agent.borrow(Inner, 'cfg', options))());
      return borrowed.promise;
    },
  });
  const holder = await front.optimizer.pooled(Inner);
  const outer = await front.optimizer.pooled(Outer);
  return {
    ...front,
    outer,
    holder,
    inner: () => {
      assert.ok(borrowed);
      return borrowed;
    },
  };
}

test('the inner agent comes from the same front desk, with its own config', async () => {
  const { outer, inner, holder, optimizer } = await nested();
  watch(outer.run(1));
  await settle();
  holder.release();
  await settle();
  const agent = valueOf(inner()) as { config: unknown };
  assert.equal(agent.config, 'cfg');
  assert.equal(snapshotOf(optimizer, 'inner').leased, 1);
});

test('it waits no longer than what is left of the run', async () => {
  const { outer, inner, clock } = await nested();
  watch(outer.run(1, { timeoutMs: 100 }));
  await clock.advance(100);
  assert.equal(inner().state, 'rejected');
});

test('its own waitMs counts when that is shorter, its own signal beside the run’s', async () => {
  const short = await nested({ waitMs: 20 });
  watch(short.outer.run(1, { timeoutMs: 100 }));
  await short.clock.advance(21);
  assert.equal(codeOf(short.inner()), 'ACQUIRE_TIMEOUT');

  const controller = new AbortController();
  const signalled = await nested({ signal: controller.signal });
  watch(signalled.outer.run(1));
  await settle();
  controller.abort();
  await settle();
  assert.equal(codeOf(signalled.inner()), 'ACQUIRE_ABORTED');
});

test('it is given up when the run is aborted', async () => {
  const { outer, inner, optimizer } = await nested();
  const controller = new AbortController();
  watch(outer.run(1, { signal: controller.signal }));
  await settle();
  assert.equal(snapshotOf(optimizer, 'inner').waiting, 1);
  controller.abort();
  await settle();
  assert.equal(codeOf(inner()), 'ACQUIRE_ABORTED');
  assert.equal(snapshotOf(optimizer, 'inner').waiting, 0);
});

test('it is given up when the outer lease ends, in a run and outside of one', async () => {
  const { outer, inner } = await nested();
  watch(outer.run(1));
  await settle();
  outer.release();
  await settle();
  assert.equal(codeOf(inner()), 'ACQUIRE_ABORTED');

  const { optimizer } = desk();
  const Inner = agentClass({ type: 'inner', pool: { max: 1 } });
  const holder = await optimizer.pooled(Inner);
  const agent = await optimizer.pooled(agentClass({ type: 'outer' }));
  const waiting = watch(agent.borrow(Inner));
  await settle();
  agent.release();
  await settle();
  assert.equal(codeOf(waiting), 'ACQUIRE_ABORTED');
  holder.release();
});

test('a wrong option is refused, not dropped', async () => {
  for (const options of [
    { waitMs: 'soon' },
    { waitMs: Number.NaN },
    { waitMs: -1 },
    { signal: 5 },
    { wait: 5 },
    null,
    'x',
  ]) {
    const { outer, inner } = await nested(options);
    watch(outer.run(1, { timeoutMs: 1_000 }));
    await settle();
    assert.equal(codeOf(inner()), 'ARGUMENT_INVALID', JSON.stringify(options));
  }
});

test('chains of agents work three deep, each level released', async () => {
  const { optimizer } = desk();
  const Leaf = agentClass({ type: 'leaf', execute: (_agent, input) => `leaf(${String(input)})` });
  const Middle = agentClass({
    type: 'middle',
    execute: async (agent, input) => {
      await using leaf = await agent.borrow(Leaf);
      return `middle(${String(await leaf.run(input))})`;
    },
  });
  const Root = agentClass({
    type: 'root',
    execute: async (agent, input) => {
      await using middle = await agent.borrow(Middle);
      return `root(${String(await middle.run(input))})`;
    },
  });
  assert.equal(await optimizer.use(Root, undefined, (agent) => agent.run('x')), 'root(middle(leaf(x)))');
  assert.ok(optimizer.snapshot().every(({ leased, idle }) => leased === 0 && idle === 1));
});

test('an agent made with new cannot borrow for itself', async () => {
  const Support = agentClass();
  await assert.rejects(async () => new Support().borrow(Support), coded('LEASE_FOREIGN'));
});

test('no listener of a finished nested acquire is left on the run’s signal', async () => {
  const { optimizer } = desk();
  const Inner = agentClass({ type: 'inner', pool: { max: 1 } });
  let signals = 0;
  const Outer = agentClass({
    type: 'outer',
    execute: async (agent, _input, call) => {
      const add = call.signal.addEventListener.bind(call.signal);
      const remove = call.signal.removeEventListener.bind(call.signal);
      call.signal.addEventListener = (...args: Parameters<typeof add>) => {
        signals += 1;
        add(...args);
      };
      call.signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        signals -= 1;
        remove(...args);
      };
      for (let index = 0; index < 5; index += 1) {
        const inner = await agent.borrow(Inner);
        inner.discard();
      }
    },
  });
  await optimizer.use(Outer, undefined, (agent) => agent.run(1));
  assert.equal(signals, 0);
});
