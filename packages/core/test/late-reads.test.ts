import assert from 'node:assert/strict';
import test from 'node:test';
import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { ManualClock, settle } from '@sophia-ai/core/testing';

test('a run that first touches the resources after its abort, and then succeeds, leaves the lease dirty', async () => {
  const optimizer = new AgnoPerformanceOptimizer({ clock: new ManualClock() });
  const gate = Promise.withResolvers<void>();
  class LateReader extends Agent<void, { notes: string[] }, string, string> {
    static override readonly type: string = 'late-reader';
    static readonly reset = 'stateless';
    static create(): { notes: string[] } {
      return { notes: [] };
    }
    protected override async execute(note: string): Promise<string> {
      await gate.promise;
      this.resources.notes.push(note);
      return note;
    }
  }
  const agent = await optimizer.pooled(LateReader);
  const controller = new AbortController();
  const run = agent.run('late', { signal: controller.signal });
  await settle();
  controller.abort();
  await assert.rejects(run, { code: 'RUN_ABORTED' });
  gate.resolve();
  await settle();
  agent.release();
  await settle();
  assert.deepEqual(optimizer.snapshot()[0]?.counters.destroyed, { dirty: 1 });
  await optimizer.close();
});
