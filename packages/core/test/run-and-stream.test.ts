/** `run` and `stream`: input checked, limits kept, events in order and no faster than their reader. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent, InputError } from '@sophia-ai/core';
import type { Call } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, desk, schema, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { Recipe, TestAgent } from './support/agents.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);

async function agentOf(recipe: Recipe): Promise<{ agent: TestAgent } & ReturnType<typeof desk>> {
  const front = desk();
  return { ...front, agent: await front.optimizer.pooled(agentClass(recipe)) };
}

test('run gives execute its input and returns its output, sync or async', async () => {
  const { agent } = await agentOf({ execute: (_agent, input) => (input === 1 ? 'sync' : Promise.resolve('async')) });
  assert.equal(await agent.run(1), 'sync');
  assert.equal(await agent.run(2), 'async');
});

test('run rejects with exactly what execute threw, Error or not', async () => {
  const thrown = [new TypeError('x'), 'text', undefined, null, 0];
  const { agent } = await agentOf({
    execute: (_agent, input) => {
      throw thrown[input as number];
    },
  });
  for (const [index, error] of thrown.entries()) {
    const run = watch(agent.run(index));
    await settle();
    assert.equal(run.state, 'rejected');
    assert.equal(run.error, error);
  }
});

test('several runs of one agent may overlap', async () => {
  const { agent, clock } = await agentOf({
    execute: (_agent, input) => new Promise((resolve) => void clock.startTimer(() => resolve(input), input as number)),
  });
  const runs = [30, 10, 20].map((ms) => watch(agent.run(ms)));
  await clock.advance(15);
  assert.deepEqual(
    runs.map(({ state }) => state),
    ['pending', 'resolved', 'pending'],
  );
  await clock.advance(15);
  assert.deepEqual(
    runs.map((run) => valueOf(run)),
    [30, 10, 20],
  );
});

test('the caller’s signal reaches execute, and the caller is answered even if execute never looks', async () => {
  const reasons: unknown[] = [];
  const { agent } = await agentOf({
    execute: (_agent, _input, call) => {
      call.signal.addEventListener('abort', () => reasons.push(call.signal.reason));
      return forever();
    },
  });
  const controller = new AbortController();
  const run = watch(agent.run(1, { signal: controller.signal }));
  await settle();
  const why = new Error('client gone');
  controller.abort(why);
  await settle();
  assert.equal(codeOf(run), 'RUN_ABORTED');
  assert.equal((run.error as Error).cause, why);
  assert.equal((run.error as Error).name, 'AbortError');
  assert.deepEqual(reasons, [run.error]);
});

test('timeoutMs limits the run, remainingMs counts down to it, Infinity without one', async () => {
  let call: Call | undefined;
  const { agent, clock } = await agentOf({
    execute: (_agent, _input, given) => {
      call = given;
      return forever();
    },
  });
  const run = watch(agent.run(1, { timeoutMs: 200 }));
  await clock.advance(50);
  assert.equal(call?.remainingMs(), 150);
  await clock.advance(149);
  assert.equal(run.state, 'pending');
  await clock.advance(1);
  assert.equal(codeOf(run), 'RUN_TIMEOUT');
  assert.equal(call.signal.aborted, true);
  assert.equal(call.remainingMs(), 0);
  await clock.advance(100);
  assert.equal(call.remainingMs(), 0, 'never negative');
  watch(agent.run(1));
  await settle();
  assert.equal(call?.remainingMs(), Number.POSITIVE_INFINITY);
});

test('a call may end itself with abort(reason)', async () => {
  const reason = new Error('budget used up');
  const { agent } = await agentOf({
    execute: (_agent, _input, call) => {
      call.abort(reason);
      call.abort(new Error('second'));
      return forever();
    },
  });
  const run = watch(agent.run(1));
  await settle();
  assert.equal(run.error, reason);
});

test('a plain run ignores what execute emits', async () => {
  const { agent } = await agentOf({
    execute: async (_agent, _input, call) => {
      assert.equal(call.emit('x'), undefined);
      await call.emit('y');
      return 'done';
    },
  });
  assert.equal(await agent.run(1), 'done');
});

test('stream yields events in the order of emit, then ends, and result is the output', async () => {
  const { agent } = await agentOf({
    execute: async (_agent, input, call) => {
      for (let index = 0; index < 200; index += 1) await call.emit(index);
      return `said ${String(input)}`;
    },
  });
  const stream = agent.stream('it');
  const events: unknown[] = [];
  for await (const event of stream) events.push(event);
  assert.deepEqual(
    events,
    Array.from({ length: 200 }, (_, index) => index),
  );
  assert.equal(await stream.result, 'said it');
});

test('events that were emitted before the reader came, and right before the end, are not lost', async () => {
  const { agent } = await agentOf({
    execute: (_agent, _input, call) => {
      void call.emit('a');
      void call.emit('b');
    },
  });
  const stream = agent.stream(1);
  await stream.result;
  await settle();
  const events: unknown[] = [];
  for await (const event of stream) events.push(event);
  assert.deepEqual(events, ['a', 'b']);
});

test('a writer that awaits emit goes no faster than the reader', async () => {
  let written = 0;
  const { agent } = await agentOf({
    execute: async (_agent, _input, call) => {
      for (; written < 1_000; written += 1) await call.emit(written);
    },
  });
  const stream = agent.stream(1)[Symbol.asyncIterator]();
  assert.equal((await stream.next()).value, 0);
  await settle();
  const ahead = written;
  assert.ok(ahead < 100, `${ahead} events wait in memory`);
  await settle();
  assert.equal(written, ahead, 'the writer is paused');
  for (let read = 1; read <= 10; read += 1) assert.equal((await stream.next()).value, read);
  await settle();
  assert.ok(written > ahead && written <= ahead + 10, 'and goes on as events are taken');
  let last: unknown;
  for (let next = await stream.next(); next.done !== true; next = await stream.next()) last = next.value;
  assert.equal(last, 999);
});

test('a writer that awaits emit is not stopped when only the result of the stream is awaited', async () => {
  const { agent } = await agentOf({
    execute: async (_agent, _input, call) => {
      for (let index = 0; index < 1_000; index += 1) await call.emit(index);
      return 'done';
    },
  });
  assert.equal(await agent.stream(1).result, 'done');
});

test('a failing stream yields what was emitted before, then throws; result rejects with the same', async () => {
  const failure = new Error('half-way');
  const { agent } = await agentOf({
    execute: async (_agent, _input, call) => {
      await call.emit('before');
      throw failure;
    },
  });
  const stream = agent.stream(1);
  const events: unknown[] = [];
  await assert.rejects(async () => {
    for await (const event of stream) events.push(event);
  }, failure);
  assert.deepEqual(events, ['before']);
  await assert.rejects(stream.result, failure);
});

test('leaving the loop early aborts the run', async () => {
  let call: Call | undefined;
  const { agent } = await agentOf({
    execute: async (_agent, _input, given) => {
      call = given;
      for (let index = 0; ; index += 1) {
        await given.emit(index);
        if (given.signal.aborted) return 'stopped';
      }
    },
  });
  const stream = agent.stream(1);
  for await (const event of stream) if (event === 3) break;
  assert.equal(call?.signal.aborted, true);
  await assert.rejects(stream.result, coded('RUN_ABORTED', 'cancelled the stream'));
});

test('cancel ends the stream once; after the end it does nothing', async () => {
  const { agent } = await agentOf({ execute: (_agent, input) => (input === 'ends' ? 'done' : forever()) });
  const open = agent.stream('open');
  open.cancel();
  open.cancel();
  await assert.rejects(open.result, coded('RUN_ABORTED'));
  const ended = agent.stream('ends');
  assert.equal(await ended.result, 'done');
  await settle();
  ended.cancel();
  assert.equal(await ended.result, 'done');
});

test('a stream that nobody reads or awaits raises no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const seen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', seen);
  try {
    const { agent } = await agentOf({ execute: () => Promise.reject(new Error('nobody looks')) });
    agent.stream(1);
    agent.stream(2, { signal: AbortSignal.abort() });
    agent.stream(3).cancel();
    await settle();
    await new Promise((resolve) => void setImmediate(resolve));
    assert.deepEqual(unhandled, []);
  } finally {
    process.off('unhandledRejection', seen);
  }
});

test('two readers of one stream share its events, each event once', async () => {
  const { agent } = await agentOf({
    execute: async (_agent, _input, call) => {
      for (let index = 0; index < 10; index += 1) await call.emit(index);
    },
  });
  const stream = agent.stream(1);
  const events: unknown[] = [];
  const read = async (): Promise<void> => {
    for await (const event of stream) events.push(event);
  };
  await Promise.all([read(), read()]);
  assert.deepEqual(
    (events as number[]).toSorted((a, b) => a - b),
    Array.from({ length: 10 }, (_, index) => index),
  );
});

for (const isAsync of [false, true]) {
  const kind = isAsync ? 'asynchronous' : 'synchronous';

  test(`an ${kind} input schema refuses with InputError before execute, and its value is what execute gets`, async () => {
    const given: unknown[] = [];
    const input = schema(
      (value) => {
        if (typeof value !== 'string') throw new Error('must be text');
        return value.trim();
      },
      { isAsync, path: ['question'] },
    );
    const { agent } = await agentOf({ input, execute: (_agent, checked) => given.push(checked) });
    await agent.run('  hello ');
    assert.deepEqual(given, ['hello']);
    const refused = watch(agent.run(5));
    await settle();
    assert.ok(refused.error instanceof InputError);
    coded('INPUT_INVALID', 'question: must be text')(refused.error);
    assert.equal(refused.error.field, 'question');
    await assert.rejects(agent.stream(5).result, coded('INPUT_INVALID'));
    assert.equal(given.length, 1);
  });

  test(`an ${kind} output schema checks and converts what execute returns`, async () => {
    const output = schema(
      (value) => {
        if (typeof value !== 'number') throw new Error('must be a number');
        return value * 2;
      },
      { isAsync },
    );
    const { agent } = await agentOf({ output, execute: (_agent, input) => input });
    assert.equal(await agent.run(21), 42);
    await assert.rejects(agent.run('x'), coded('OUTPUT_INVALID', "'test'", 'must be a number'));
  });
}

test('a schema that reports thousands of issues is told in a few words', async () => {
  const issues = Array.from({ length: 10_000 }, (_, index) => ({ message: 'bad', path: [index, { key: 'x' }] }));
  const input = {
    '~standard': { version: 1, vendor: 'by-hand', validate: () => ({ issues }) },
  } as unknown as NonNullable<Recipe['input']>;
  const { agent } = await agentOf({ input, execute: () => 1 });
  const run = watch(agent.run(1));
  await settle();
  const { message } = run.error as Error;
  assert.ok(message.length < 500);
  assert.match(message, /0\.x: bad; .* and 9995 more/);
});

test('a schema that throws fails the run with what it threw', async () => {
  const input = {
    '~standard': {
      version: 1,
      vendor: 'by-hand',
      validate: () => {
        throw new RangeError('schema bug');
      },
    },
  } as unknown as NonNullable<Recipe['input']>;
  const { agent, optimizer } = await agentOf({ input, execute: () => 1 });
  await assert.rejects(agent.run(1), RangeError);
  agent.release();
  assert.equal(snapshotOf(optimizer).idle, 1);
});

test('a class without execute is not runnable and says what to do', async () => {
  class Tool extends Agent {
    static override readonly type: string = 'tool';
    static readonly reset = 'stateless';
    own(): string {
      return 'own method';
    }
  }
  const { optimizer } = desk();
  const agent = await optimizer.pooled(Tool);
  assert.equal(agent.own(), 'own method');
  await assert.rejects(agent.run('x'), coded('NOT_RUNNABLE', "'tool'", 'execute'));
  assert.throws(() => agent.stream('x'), coded('NOT_RUNNABLE'));
  agent.release();
  assert.equal(snapshotOf(optimizer, 'tool').idle, 1);
});

test('runs are counted and timed, failures by code or name, names without end under one', async () => {
  const { agent, clock, optimizer } = await agentOf({
    execute: async (_agent, input) => {
      await new Promise<void>((resolve) => void clock.startTimer(resolve, 20));
      if (input === 'ok') return 1;
      const error = new Error('x');
      error.name = String(input);
      throw error;
    },
  });
  const names = Array.from({ length: 80 }, (_, index) => `Error${index}`);
  for (const input of ['ok', 'ok', ...names]) watch(agent.run(input));
  watch(agent.run('slow', { timeoutMs: 10 }));
  await clock.advance(25);
  const { counters, window } = snapshotOf(optimizer);
  assert.equal(counters.runs, 83);
  assert.equal(window.timings.run.count, 83);
  const failures = Object.values(counters.runFailures).reduce((sum, count) => sum + count, 0);
  assert.equal(failures, 81);
  assert.equal(counters.runFailures['RUN_TIMEOUT'], 1);
  assert.ok(Object.keys(counters.runFailures).length <= 51);
  assert.ok((counters.runFailures['other'] ?? 0) > 0);
  assert.ok(Math.abs((window.timings.run.p50Us ?? 0) - 20_000) < 200);
});
