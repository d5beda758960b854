import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { hasCode, readAll } from '../test-support.ts';
import { OrderAgent, createLoop } from './agent.ts';
import { ScriptedModel } from './scripted-model.ts';

type StreamCall = Parameters<ScriptedModel['doStream']>[0];
type StreamResult = Awaited<ReturnType<ScriptedModel['doStream']>>;

/** Says one word, then falls silent until it is aborted. */
class SilentModel extends ScriptedModel {
  readonly heardAbort = Promise.withResolvers<unknown>();

  override async doStream({ abortSignal }: StreamCall): Promise<StreamResult> {
    const stream: StreamResult['stream'] = new ReadableStream({
      start: (controller) => {
        controller.enqueue({ type: 'text-start', id: 'text-1' });
        controller.enqueue({ type: 'text-delta', id: 'text-1', delta: 'Well' });
        abortSignal?.addEventListener('abort', () => {
          controller.error(abortSignal.reason);
          this.heardAbort.resolve(abortSignal.reason);
        });
      },
    });
    return { stream };
  }
}

class FailingModel extends ScriptedModel {
  override async doStream(): Promise<StreamResult> {
    throw new Error('the provider is down');
  }
}

function agentWith(model: ScriptedModel) {
  return class TestAgent extends OrderAgent {
    static override readonly type = 'orders-test';
    static override readonly create = () => createLoop(model);
  };
}

test('runs the tool and answers', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  await using agent = await optimizer.pooled(OrderAgent, { tenant: 'acme', instructions: 'Politely:' });
  assert.equal(await agent.run('Where is order A17?'), 'Politely: Order A17 of acme is on its way.');
});

test('streams the answer word by word, and the result beside it', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  await using agent = await optimizer.pooled(OrderAgent, { tenant: 'acme', instructions: 'Politely:' });
  const stream = agent.stream('Where is order B2?');
  const deltas = await readAll(stream);
  assert.ok(deltas.length > 5);
  assert.equal(deltas.join(''), 'Politely: Order B2 of acme is on its way.');
  assert.equal(await stream.result, deltas.join(''));
});

test('50 tenants at once share one loop and never see each other', async () => {
  await using optimizer = new AgnoPerformanceOptimizer({ pools: { orders: { max: 5 } } });
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      await using agent = await optimizer.pooled(OrderAgent, { tenant: `t${index}`, instructions: `Voice ${index}:` });
      return (await readAll(agent.stream(`Where is order X${index}?`))).join('');
    }),
  );
  for (const [index, answer] of answers.entries()) {
    assert.equal(answer, `Voice ${index}: Order X${index} of t${index} is on its way.`);
  }
  const [pool] = optimizer.snapshot();
  assert.equal(pool?.counters.created, 1);
  assert.equal(pool?.leased, 0);
});

test('refuses a config without a tenant before anything is borrowed', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  await assert.rejects(optimizer.pooled(OrderAgent, { tenant: '', instructions: '' }), hasCode('CONFIG_INVALID'));
});

test('an aborted stream ends at once and the model hears of it', { timeout: 10_000 }, async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  const model = new SilentModel();
  await using agent = await optimizer.pooled(agentWith(model), { tenant: 'acme', instructions: '' });
  const controller = new AbortController();
  const stream = agent.stream('Where is order A17?', { signal: controller.signal });
  const read = async (): Promise<void> => {
    for await (const word of stream) {
      assert.equal(word, 'Well');
      controller.abort();
    }
  };
  await assert.rejects(read(), hasCode('RUN_ABORTED'));
  await assert.rejects(stream.result, hasCode('RUN_ABORTED'));
  assert.ok(hasCode('RUN_ABORTED')(await model.heardAbort.promise));
});

test('a reader that leaves early aborts the run', { timeout: 10_000 }, async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  const model = new SilentModel();
  await using agent = await optimizer.pooled(agentWith(model), { tenant: 'acme', instructions: '' });
  for await (const word of agent.stream('Where is order A17?')) {
    assert.equal(word, 'Well');
    break;
  }
  await model.heardAbort.promise;
});

test('a failure of the provider reaches the borrower, and the others keep the loop', async (t) => {
  // The SDK prints every stream error unless told otherwise; here it is expected.
  t.mock.method(console, 'error', () => undefined);
  await using optimizer = new AgnoPerformanceOptimizer();
  const FailingAgent = agentWith(new FailingModel());
  await using agent = await optimizer.pooled(FailingAgent, { tenant: 'acme', instructions: '' });
  await assert.rejects(agent.run('Where is order A17?'), /provider is down/);
  await using other = await optimizer.pooled(FailingAgent, { tenant: 'globex', instructions: '' });
  assert.equal(other.resources, agent.resources);
});

test('after release the agent is dead, its config readable', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  const agent = await optimizer.pooled(OrderAgent, { tenant: 'acme', instructions: '' });
  agent.release();
  await assert.rejects(agent.run('Where is order A17?'), hasCode('LEASE_RELEASED'));
  assert.throws(() => agent.stream('Where is order A17?'), hasCode('LEASE_RELEASED'));
  assert.equal(agent.config.tenant, 'acme');
});
