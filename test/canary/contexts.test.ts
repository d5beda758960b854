import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import test from 'node:test';
import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { Call } from '@sophia-ai/core';

const caller = new AsyncLocalStorage<string>();

/** Runs until its time is up, and notes in whose context it hears of that. */
class LateAgent extends Agent<{ name: string }, undefined, void, void> {
  static override readonly type: string = 'late';
  static readonly reset = 'stateless';
  static readonly heard: [name: string, context: string | undefined][] = [];

  protected override async execute(_input: void, { signal }: Call): Promise<void> {
    signal.addEventListener('abort', () => LateAgent.heard.push([this.config.name, caller.getStore()]));
    await once(signal, 'abort');
  }
}

test('a run whose time is up hears of it in nobody else’s async context', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  const borrow = (name: string, timeoutMs: number): Promise<void> =>
    caller.run(name, () =>
      optimizer.use(LateAgent, { name }, (agent) => assert.rejects(agent.run(undefined, { timeoutMs }))),
    );
  await Promise.all([borrow('ada', 10), borrow('bob', 20)]);
  assert.equal(LateAgent.heard.length, 2);
  for (const [name, context] of LateAgent.heard)
    assert.ok(context === name || context === undefined, `${name} was called in the context of ${context}`);
});
