import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { ManualClock, settle } from '@sophia-ai/core/testing';

interface Session {
  readonly id: number;
  readonly end: () => void;
}

/** Sessions that can end by themselves, as a child process does. */
function sessions(pool: PoolOptions) {
  const state = { made: 0, destroyed: [] as number[] };
  class SessionAgent extends Agent<void, Session> {
    static override readonly type: string = 'session';
    static override readonly pool: PoolOptions = pool;
    static readonly reset = 'stateless';
    static create({ retire }: { retire: (reason: string) => void }): Session {
      state.made += 1;
      return { id: state.made, end: () => retire('the process ended') };
    }
    static destroy(session: Session): void {
      state.destroyed.push(session.id);
    }
  }
  return { SessionAgent, state };
}

test('an idle entry whose resources ended is destroyed at once and not handed out', async () => {
  const optimizer = new AgnoPerformanceOptimizer({ clock: new ManualClock() });
  const { SessionAgent, state } = sessions({ max: 2, minIdle: 1 });
  optimizer.register(SessionAgent);
  await settle();
  const first = await optimizer.pooled(SessionAgent);
  const { end } = first.resources;
  first.release();
  end();
  await settle();
  assert.ok(state.destroyed.includes(1));
  const next = await optimizer.pooled(SessionAgent);
  assert.notEqual(next.resources.id, 1);
  assert.equal(optimizer.snapshot()[0]?.counters.destroyed.retired, 1);
  next.release();
  await optimizer.close();
});

test('a leased entry whose resources ended is destroyed when its lease ends', async () => {
  const optimizer = new AgnoPerformanceOptimizer({ clock: new ManualClock() });
  const { SessionAgent, state } = sessions({ max: 1 });
  const agent = await optimizer.pooled(SessionAgent);
  agent.resources.end();
  await settle();
  assert.deepEqual(state.destroyed, []);
  agent.release();
  await settle();
  assert.deepEqual(state.destroyed, [1]);
  const next = await optimizer.pooled(SessionAgent);
  assert.equal(next.resources.id, 2);
  next.release();
  await optimizer.close();
});

test('a shared entry whose resources ended takes no new lease and ends with its last one', async () => {
  const optimizer = new AgnoPerformanceOptimizer({ clock: new ManualClock() });
  const { SessionAgent, state } = sessions({ reuse: 'shared', max: 3 });
  const [one, two] = [await optimizer.pooled(SessionAgent), await optimizer.pooled(SessionAgent)];
  one.resources.end();
  const three = await optimizer.pooled(SessionAgent);
  assert.equal(three.resources.id, 2);
  one.release();
  await settle();
  assert.deepEqual(state.destroyed, []);
  two.release();
  await settle();
  assert.deepEqual(state.destroyed, [1]);
  three.release();
  await optimizer.close();
});

test('resources that end after their entry was destroyed change nothing', async () => {
  const optimizer = new AgnoPerformanceOptimizer({ clock: new ManualClock() });
  const { SessionAgent, state } = sessions({});
  const agent = await optimizer.pooled(SessionAgent);
  const { end } = agent.resources;
  agent.discard();
  await settle();
  end();
  await settle();
  assert.deepEqual(state.destroyed, [1]);
  await optimizer.close();
});

test('a reset that answers false destroys the entry', async () => {
  const optimizer = new AgnoPerformanceOptimizer({ clock: new ManualClock() });
  class Stubborn extends Agent<void, object> {
    static override readonly type: string = 'stubborn';
    static create(): object {
      return {};
    }
    static reset(): boolean {
      return false;
    }
  }
  const agent = await optimizer.pooled(Stubborn);
  assert.ok(agent.resources);
  agent.release();
  await settle();
  assert.deepEqual(optimizer.snapshot()[0]?.counters.destroyed, { 'reset-failed': 1 });
  await optimizer.close();
});
