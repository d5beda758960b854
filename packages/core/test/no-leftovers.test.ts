/** What one borrower left behind never reaches the next: a lease is clean, or its entry is destroyed. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { InputError, SophiaError } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, desk, record, schema, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { MadeClass, Recipe, TestAgent } from './support/agents.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);

/** What becomes of the entry after one lease that `work` used. */
async function fateOf(recipe: Recipe, work: (agent: TestAgent) => unknown, pool = {}): Promise<'kept' | string> {
  const { optimizer, clock } = desk();
  const Support: MadeClass = agentClass({ pool: { max: 1, ...pool }, ...recipe });
  const agent = await optimizer.pooled(Support);
  await work(agent);
  agent.release();
  await clock.advance(1);
  const { destroyed } = snapshotOf(optimizer).counters;
  const reasons = Object.keys(destroyed);
  if (reasons.length > 0) return reasons.join();
  assert.equal(snapshotOf(optimizer).idle, 1);
  return 'kept';
}

const swallow = (): undefined => undefined;

test('clean: every call settled without error', async () => {
  const execute: Recipe['execute'] = (agent, input) => `${agent.resources.id}:${String(input)}`;
  const work = async (agent: TestAgent): Promise<void> => {
    assert.equal(await agent.run('a'), '1:a');
    assert.equal(await agent.stream('b').result, '1:b');
  };
  assert.equal(await fateOf({ execute }, work), 'kept');
});

test('dirty: a call failed after the resources were read', async () => {
  const execute: Recipe['execute'] = (agent) => {
    assert.ok(agent.resources);
    throw new Error('half-way');
  };
  assert.equal(await fateOf({ execute }, (agent) => agent.run(1).catch(swallow)), 'dirty');
  assert.equal(await fateOf({ execute }, (agent) => agent.stream(1).result.catch(swallow)), 'dirty');
});

test('dirty: a later call was fine, but an earlier one had failed', async () => {
  const execute: Recipe['execute'] = (agent, input) => {
    assert.ok(agent.resources);
    if (input === 'bad') throw new Error('half-way');
  };
  const work = async (agent: TestAgent): Promise<void> => {
    await agent.run('bad').catch(swallow);
    await agent.run('good');
  };
  assert.equal(await fateOf({ execute }, work), 'dirty');
});

test('dirty: a call was aborted by its signal', async () => {
  const execute: Recipe['execute'] = (agent) => agent.resources && forever();
  const work = async (agent: TestAgent): Promise<void> => {
    const controller = new AbortController();
    const run = watch(agent.run(1, { signal: controller.signal }));
    await settle();
    controller.abort();
    await settle();
    assert.equal(codeOf(run), 'RUN_ABORTED');
  };
  assert.equal(await fateOf({ execute }, work), 'dirty');
});

test('dirty: a call was aborted, even if execute heeded the signal and returned as if nothing had been', async () => {
  const execute: Recipe['execute'] = (agent, _input, call) => {
    assert.ok(agent.resources);
    return new Promise((resolve) => {
      call.signal.addEventListener('abort', () => resolve('partial'));
    });
  };
  const work = async (agent: TestAgent): Promise<void> => {
    const controller = new AbortController();
    const run = watch(agent.run(1, { signal: controller.signal }));
    await settle();
    controller.abort();
    await settle();
    assert.equal(codeOf(run), 'RUN_ABORTED');
  };
  assert.equal(await fateOf({ execute }, work), 'dirty');
});

test('dirty: a call did not settle within timeoutMs', async () => {
  const { optimizer, clock } = desk();
  const Support = agentClass({ pool: { max: 1 }, execute: (agent) => agent.resources && forever() });
  const agent = await optimizer.pooled(Support);
  const run = watch(agent.run(1, { timeoutMs: 50 }));
  await clock.advance(50);
  assert.equal(codeOf(run), 'RUN_TIMEOUT');
  agent.release();
  await settle();
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { dirty: 1 });
});

test('dirty: a call was still open at release', async () => {
  const execute: Recipe['execute'] = (agent) => agent.resources && forever();
  const work = async (agent: TestAgent): Promise<void> => {
    watch(agent.run(1));
    await settle();
  };
  assert.equal(await fateOf({ execute }, work), 'dirty');
});

test('dirty: an aborted call whose execute still goes on at release, though survives() accepts the abort', async () => {
  const execute: Recipe['execute'] = (agent) => agent.resources && forever();
  const work = async (agent: TestAgent): Promise<void> => {
    const controller = new AbortController();
    watch(agent.run(1, { signal: controller.signal }));
    await settle();
    controller.abort();
    await settle();
  };
  assert.equal(await fateOf({ execute, survives: () => true }, work), 'dirty');
});

test('dirty: the output did not match its schema', async () => {
  const output = schema(() => {
    throw new Error('no number');
  });
  const execute: Recipe['execute'] = (agent) => agent.resources.id;
  const work = async (agent: TestAgent): Promise<void> => {
    const run = watch(agent.run(1));
    await settle();
    assert.equal(codeOf(run), 'OUTPUT_INVALID');
  };
  assert.equal(await fateOf({ execute, output }, work), 'dirty');
});

test('dirty: use() whose work throws after it saw the resources, though no run failed', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const failure = new Error('in the borrower’s own code');
  const used = watch(
    optimizer.use(Support, undefined, (agent) => {
      assert.ok(agent.resources);
      throw failure;
    }),
  );
  await settle();
  assert.equal(used.error, failure);
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { dirty: 1 });
  assert.equal(snapshotOf(optimizer).leased, 0);
});

test('clean: use() returns what its work returns and gives the agent back', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  assert.equal(await optimizer.use(Support, undefined, async (agent) => agent.resources.id), 1);
  assert.equal(await optimizer.use(Support, undefined, (agent) => agent.resources.id), 1);
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('discard destroys, whatever happened, even an agent that was never used', async () => {
  assert.equal(await fateOf({}, (agent) => agent.discard()), 'discarded');
  assert.equal(await fateOf({}, (agent) => agent.resources && agent.discard()), 'discarded');
});

test('revoked leases are destroyed', async () => {
  const { optimizer } = desk();
  const agent = await optimizer.pooled(agentClass());
  assert.ok(agent.resources);
  await optimizer.close({ timeoutMs: 0 });
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, { revoked: 1 });
});

test('clean: the input was refused by the schema', async () => {
  const input = schema(
    () => {
      throw new Error('must be text');
    },
    { path: ['question', 0] },
  );
  const work = async (agent: TestAgent): Promise<void> => {
    assert.ok(agent.resources);
    const run = watch(agent.run(1));
    await settle();
    assert.ok(run.error instanceof InputError);
    assert.equal(run.error.field, 'question.0');
    assert.match(run.error.message, /must be text/);
  };
  assert.equal(await fateOf({ input, execute: () => assert.fail('must not run') }, work), 'kept');
});

test('clean: execute threw InputError itself after it read the resources', async () => {
  const execute: Recipe['execute'] = (agent) => {
    assert.ok(agent.resources);
    throw new InputError('no such order', { field: 'order' });
  };
  assert.equal(await fateOf({ execute }, (agent) => agent.run(1).catch(swallow)), 'kept');
});

test('clean: the call failed before the resources were read', async () => {
  const execute: Recipe['execute'] = () => {
    throw new Error('before');
  };
  assert.equal(await fateOf({ execute }, (agent) => agent.run(1).catch(swallow)), 'kept');
});

test('clean: an open call at release that never read the resources, and cannot any more', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  let seen: unknown;
  const Support = agentClass({
    pool: { max: 1 },
    execute: async (agent) => {
      await gate.promise;
      try {
        return agent.resources;
      } catch (error) {
        seen = error;
        throw error;
      }
    },
  });
  const agent = await optimizer.pooled(Support);
  const run = watch(agent.run(1));
  await settle();
  agent.release();
  gate.resolve();
  await settle();
  assert.equal(codeOf(run), 'LEASE_RELEASED');
  assert.ok(seen instanceof SophiaError && seen.code === 'LEASE_RELEASED');
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('survives() vouches for the errors it knows, and only for those', async () => {
  const execute: Recipe['execute'] = (agent, input) => {
    assert.ok(agent.resources);
    throw new Error(String(input));
  };
  const survives = (error: unknown): boolean => (error as Error).message === 'rate limit';
  assert.equal(await fateOf({ execute, survives }, (agent) => agent.run('rate limit').catch(swallow)), 'kept');
  assert.equal(await fateOf({ execute, survives }, (agent) => agent.run('crash').catch(swallow)), 'dirty');
});

test('a survives() that throws or answers something else than true vouches for nothing', async () => {
  const execute: Recipe['execute'] = (agent) => {
    assert.ok(agent.resources);
    throw new Error('x');
  };
  const throws = (): boolean => {
    throw new Error('in survives');
  };
  const truthy = (() => 'yes') as never;
  for (const survives of [throws, truthy]) {
    assert.equal(await fateOf({ execute, survives }, (agent) => agent.run(1).catch(swallow)), 'dirty');
  }
});

test('errors of the class’s own methods are not seen; use() is the way to have them seen', async () => {
  const work = (agent: TestAgent): void => {
    assert.throws(() => {
      assert.ok(agent.resources);
      throw new Error('own method');
    });
  };
  assert.equal(await fateOf({}, work), 'kept');
});

test('reset runs between two borrowers, off the first one’s path, before the second one’s turn', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const steps: string[] = [];
  const Support = agentClass({
    pool: { max: 1 },
    reset: async (thing) => {
      steps.push('reset begins');
      await gate.promise;
      delete thing.notes;
      steps.push('reset ends');
    },
  });
  const first = await optimizer.pooled(Support);
  first.resources.notes = ['secret of the first'];
  const second = watch(optimizer.pooled(Support));
  first.release();
  steps.push('release returned');
  await settle();
  assert.deepEqual(steps, ['release returned', 'reset begins']);
  assert.equal(second.state, 'pending');
  gate.resolve();
  await settle();
  assert.equal(valueOf(second).resources.notes, undefined);
});

test('a reset that rejects, throws or hangs destroys the entry, and the waiter gets a new one', async () => {
  const resets: Record<string, () => unknown> = {
    rejects: () => Promise.reject(new Error('rejected')),
    throws: () => {
      throw new Error('thrown');
    },
    hangs: forever,
  };
  for (const [type, reset] of Object.entries(resets)) {
    const { optimizer, clock } = desk();
    const events = record(optimizer, 'agent.reset-failed');
    const destroyed: number[] = [];
    const Support = agentClass({
      type,
      pool: { max: 1, resetTimeoutMs: 500 },
      reset,
      destroy: ({ id }) => void destroyed.push(id),
    });
    const first = await optimizer.pooled(Support);
    assert.ok(first.resources);
    const second = watch(optimizer.pooled(Support));
    first.release();
    await clock.advance(520);
    assert.equal(valueOf(second).resources.id, 2, type);
    assert.deepEqual(destroyed, [1]);
    assert.deepEqual(snapshotOf(optimizer, type).counters.destroyed, { 'reset-failed': 1 });
    assert.equal(events.length, 1);
    if (type === 'hangs') assert.equal((events[0]?.payload.error as SophiaError).code, 'RESET_TIMEOUT');
  }
});

test('a reset that succeeds after its time-out does not bring the entry back', async () => {
  const { optimizer, clock } = desk();
  const gate = Promise.withResolvers<void>();
  const Support = agentClass({ pool: { max: 1, resetTimeoutMs: 100 }, reset: () => gate.promise });
  const first = await optimizer.pooled(Support);
  assert.ok(first.resources);
  first.release();
  await clock.advance(101);
  gate.resolve();
  await settle();
  const { idle, resetting } = snapshotOf(optimizer);
  assert.deepEqual([idle, resetting], [0, 0]);
});

test('a lease that never read its resources is put back without a reset', async () => {
  let resets = 0;
  const reset = (): void => {
    resets += 1;
  };
  assert.equal(await fateOf({ reset }, () => undefined), 'kept');
  assert.equal(resets, 0);
  assert.equal(await fateOf({ reset }, (agent) => void agent.resources), 'kept');
  assert.equal(resets, 1);
});

test('a dirty entry is destroyed without being reset first', async () => {
  let resets = 0;
  const execute: Recipe['execute'] = (agent) => {
    assert.ok(agent.resources);
    throw new Error('x');
  };
  assert.equal(await fateOf({ execute, reset: () => (resets += 1) }, (agent) => agent.run(1).catch(swallow)), 'dirty');
  assert.equal(resets, 0);
});

test('own fields and config of one borrower are not those of the next: each gets an agent of its own', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  const first = await optimizer.pooled(Support, { tenant: 'acme' });
  first.scratch = 'written by acme';
  first.release();
  const second = await optimizer.pooled(Support, { tenant: 'globex' });
  assert.notEqual(first, second);
  assert.equal(second.scratch, 'own field');
  assert.deepEqual(second.config, { tenant: 'globex' });
  assert.deepEqual(first.config, { tenant: 'acme' });
});

test('a run whose signal is aborted already does not run at all, and costs no entry', async () => {
  let runs = 0;
  const execute: Recipe['execute'] = (agent) => {
    assert.ok(agent.resources);
    runs += 1;
  };
  const work = async (agent: TestAgent): Promise<void> => {
    assert.ok(agent.resources);
    const run = watch(agent.run(1, { signal: AbortSignal.abort() }));
    const stream = watch(agent.stream(1, { signal: AbortSignal.abort() }).result);
    await settle();
    assert.equal(codeOf(run), 'RUN_ABORTED');
    assert.equal(codeOf(stream), 'RUN_ABORTED');
  };
  await fateOf({ execute }, work);
  assert.equal(runs, 0);
});
