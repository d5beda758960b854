import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { Call } from '@sophia-ai/core';

test('a stream of which only the result is awaited does not wait for a reader', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  class Talker extends Agent<void, undefined, number, string, number> {
    static override readonly type: string = 'talker';
    static readonly reset = 'stateless';
    protected override async execute(events: number, call: Call<number>) {
      for (let event = 0; event < events; event += 1) await call.emit(event);
      return 'done';
    }
  }
  await using _optimizer = optimizer;
  await using agent = await optimizer.pooled(Talker);
  assert.equal(await agent.stream(1_000).result, 'done');
});
