/** After release the agent is a record of what it was: readable, and unable to act. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, countedSignal, desk, snapshotOf, watch } from './support/agents.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);

test('run, stream, resources and signal throw LEASE_RELEASED; config and own fields stay readable', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ type: 'support', execute: () => 'answer' });
  const agent = await optimizer.pooled(Support, { tenant: 'acme' });
  agent.scratch = 'mine';
  agent.release();
  await assert.rejects(agent.run('x'), coded('LEASE_RELEASED', "'support'", 'it was released', 'pooled()'));
  assert.throws(() => agent.stream('x'), coded('LEASE_RELEASED'));
  assert.throws(() => agent.resources, coded('LEASE_RELEASED', 'read its resources'));
  assert.throws(() => agent.signal, coded('LEASE_RELEASED', 'read its signal'));
  await assert.rejects(async () => agent.borrow(Support), coded('LEASE_RELEASED'));
  assert.deepEqual(agent.config, { tenant: 'acme' });
  assert.equal(agent.scratch, 'mine');
});

test('the agent’s signal is aborted by release, with the reason', async () => {
  const { optimizer } = desk();
  const agent = await optimizer.pooled(agentClass());
  const { signal } = agent;
  assert.equal(signal.aborted, false);
  agent.release();
  assert.equal(signal.aborted, true);
  coded('LEASE_RELEASED')(signal.reason);
});

test('an open run is aborted by release: its promise rejects, its call signal too, though execute goes on', async () => {
  const { optimizer } = desk();
  let seen: AbortSignal | undefined;
  const Support = agentClass({
    execute: (_agent, _input, call) => {
      seen = call.signal;
      return forever();
    },
  });
  const agent = await optimizer.pooled(Support);
  const run = watch(agent.run('x'));
  await settle();
  agent.release();
  await settle();
  assert.equal(codeOf(run), 'LEASE_RELEASED');
  assert.equal(seen?.aborted, true);
});

test('an open stream is aborted by release and makes the lease dirty', async () => {
  const { optimizer } = desk();
  const Support = agentClass({
    execute: async (agent, _input, call) => {
      assert.ok(agent.resources);
      await call.emit('first');
      return forever();
    },
  });
  const agent = await optimizer.pooled(Support);
  const stream = agent.stream('x');
  const events: unknown[] = [];
  const reading = watch(
    (async () => {
      for await (const event of stream) events.push(event);
    })(),
  );
  await settle();
  agent.release();
  await settle();
  assert.deepEqual(events, ['first']);
  assert.equal(codeOf(reading), 'LEASE_RELEASED');
  await assert.rejects(stream.result, coded('LEASE_RELEASED'));
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { dirty: 1 });
});

test('work that goes on after release cannot read the resources any more, nor emit to anyone', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const found: unknown[] = [];
  const Support = agentClass({
    execute: async (agent, _input, call) => {
      assert.ok(agent.resources);
      await gate.promise;
      found.push(call.emit('late'), call.signal.aborted);
      try {
        found.push(agent.resources);
      } catch (error) {
        found.push((error as { code: string }).code);
      }
    },
  });
  const agent = await optimizer.pooled(Support);
  const stream = agent.stream('x');
  await settle();
  agent.release();
  gate.resolve();
  await settle();
  assert.deepEqual(found, [undefined, true, 'LEASE_RELEASED']);
  await assert.rejects(stream.result);
});

test('a run that ended leaves no listener on its caller’s signal and no timer', async () => {
  const { optimizer, clock } = desk();
  const { signal, listeners } = countedSignal();
  const Support = agentClass({
    execute: (_agent, input) => {
      if (input === 'bad') throw new Error('bad');
      return input;
    },
  });
  const agent = await optimizer.pooled(Support);
  await agent.run('good', { signal, timeoutMs: 50 });
  await agent.run('bad', { signal, timeoutMs: 50 }).catch(() => undefined);
  await agent.stream('good', { signal, timeoutMs: 50 }).result;
  assert.equal(listeners(), 0);
  assert.equal(clock.holding, 0);
});

test('using and await using release at the end of the block, also when it throws', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  {
    using agent = await optimizer.pooled(Support);
    assert.ok(agent.resources);
  }
  assert.equal(snapshotOf(optimizer).leased, 0);
  await assert.rejects(async () => {
    await using agent = await optimizer.pooled(Support);
    assert.ok(agent.resources);
    throw new Error('in the block');
  }, /in the block/);
  assert.equal(snapshotOf(optimizer).leased, 0);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, {}, '`await using` cannot see the error; use() can');
});
