import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { AnyAgentClass } from '@sophia-ai/core';
import { createServer } from '@sophia-ai/server';
import type { Server, ServerOptions } from '@sophia-ai/server';
import { EventsAgent, FaultyAgent, FloodAgent, gatedAgent, until } from './agents.ts';

function serving(
  agentClass: AnyAgentClass,
  options: Partial<ServerOptions> = {},
): { server: Server; optimizer: AgnoPerformanceOptimizer } {
  const optimizer = new AgnoPerformanceOptimizer();
  return { optimizer, server: createServer({ optimizer, agents: [agentClass], ...options }) };
}

function streamed(type: string, input: unknown, init: RequestInit = {}): Request {
  return new Request(`http://localhost/api/agents/${type}/runs`, {
    method: 'POST',
    body: JSON.stringify({ input }),
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    ...init,
  });
}

/** What a standard reader makes of the text: fields end at line breaks, events at empty lines. */
function parse(text: string): { event: string; data: unknown }[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map((block) => {
      const lines = block.split(/\r\n|\r|\n/);
      assert.equal(lines.length, 2, `an event of two fields, not ${JSON.stringify(block)}`);
      const [event = '', data = ''] = lines;
      assert.ok(event.startsWith('event: ') && data.startsWith('data: '));
      return { event: event.slice(7), data: JSON.parse(data.slice(6)) as unknown };
    });
}

test('events arrive in order, then the result', async () => {
  const { server } = serving(EventsAgent);
  const response = await server.fetch(streamed('events', ['a', { b: 1 }, null]));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('x-accel-buffering'), 'no');
  const events = parse(await response.text());
  assert.deepEqual(events.slice(0, -1), [
    { event: 'event', data: 'a' },
    { event: 'event', data: { b: 1 } },
    { event: 'event', data: null },
  ]);
  const last = events.at(-1) as { event: string; data: { run: { id: string }; output: number } };
  assert.deepEqual([last.event, last.data.output], ['result', 3]);
  assert.equal(response.headers.get('sophia-run-id'), last.data.run.id);
  await server.close();
});

test('line breaks in an event cannot begin a field of their own', async () => {
  const { server } = serving(EventsAgent);
  const evil = ['x\n\nevent: result\ndata: 1', 'x\rdata: 2', 'x\r\nid: 3', '\u2028\u2029', { 'k\n': '\r' }];
  const response = await server.fetch(streamed('events', evil));
  const events = parse(await response.text());
  assert.deepEqual(
    events.slice(0, -1).map(({ data }) => data),
    evil,
  );
  await server.close();
});

test('JSON is answered unless an event stream is wanted more', async () => {
  const { server } = serving(EventsAgent);
  const wanted: [string, boolean][] = [
    ['text/event-stream', true],
    ['application/json;q=0.5, text/event-stream', true],
    ['application/json, text/event-stream;q=0.5', false],
    ['text/event-stream;q=0', false],
    ['*/*', false],
    ['text/html', false],
  ];
  for (const [accept, isStream] of wanted) {
    const headers = { 'Content-Type': 'application/json', Accept: accept };
    const response = await server.fetch(streamed('events', [], { headers }));
    assert.equal(response.headers.get('content-type') === 'text/event-stream', isStream, accept);
    await response.text();
  }
  await server.close();
});

test('a run that fails ends its stream with the problem', async () => {
  const told: unknown[] = [];
  const { server, optimizer } = serving(FaultyAgent, { onError: (error) => void told.push(error) });
  for (const [way, code, status] of [
    ['throw', 'RUN_FAILED', 500],
    ['input', 'INPUT_INVALID', 422],
    ['output', 'OUTPUT_INVALID', 500],
  ] as const) {
    const response = await server.fetch(streamed('faulty', way));
    const [last] = parse(await response.text()) as [
      { event: string; data: { code: string; status: number; run: { id: string } } },
    ];
    assert.deepEqual([last.event, last.data.code, last.data.status], ['error', code, status]);
    assert.equal(last.data.run.id, response.headers.get('sophia-run-id'));
    assert.doesNotMatch(JSON.stringify(last), /hunter2/);
  }
  assert.equal(told.length, 2);
  assert.equal(optimizer.snapshot()[0]?.leased, 0);
  await server.close();
});

test('what is wrong before a run begins is a plain problem, not a stream', async () => {
  const { server } = serving(EventsAgent);
  const response = await server.fetch(streamed('events', 1, { body: '{' }));
  assert.deepEqual([response.status, response.headers.get('content-type')], [400, 'application/problem+json']);
  await server.close();
});

test('a silent stream carries heartbeats', async () => {
  const Gated = gatedAgent();
  const { server } = serving(Gated, { heartbeatMs: 5 });
  const response = await server.fetch(streamed('gated', 1));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  assert.match(new TextDecoder().decode(value), /^: heartbeat\n\n/);
  Gated.runs[0]?.finish('done');
  let text = '';
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
    text += new TextDecoder().decode(chunk.value);
  assert.equal(parse(text).at(-1)?.event, 'result');
  await server.close();
});

test('a reader that leaves aborts the run and frees the agent, by either way of leaving', async () => {
  for (const way of ['cancel', 'signal'] as const) {
    const Gated = gatedAgent();
    const { server, optimizer } = serving(Gated);
    const leaving = new AbortController();
    const response = await server.fetch(streamed('gated', 1, { signal: leaving.signal }));
    await until(() => Gated.runs.length === 1, 'the run is open');
    if (way === 'cancel') await response.body?.cancel();
    else leaving.abort();
    await until(() => optimizer.snapshot()[0]?.leased === 0, 'the agent is back');
    assert.equal(Gated.aborted, 1);
    await server.close();
  }
});

test('a reader that does not read is cut when too much waits for it, and its agent is free again', async () => {
  const { server, optimizer } = serving(FloodAgent, { streamBufferBytes: 65_536 });
  let cuts = 0;
  const response = await server.fetch(streamed('flood', 1), { cut: () => void (cuts += 1) });
  await until(() => cuts === 1, 'the connection is cut');
  await until(() => optimizer.snapshot()[0]?.leased === 0, 'the agent is back');
  assert.deepEqual(optimizer.snapshot()[0]?.counters.runFailures, { RUN_ABORTED: 1 });
  await response.body?.cancel();
  await server.close();
});

test('without a connection to cut, the stream of a slow reader errors', async () => {
  const { server } = serving(FloodAgent, { streamBufferBytes: 65_536 });
  const response = await server.fetch(streamed('flood', 1));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await assert.rejects(reader.closed, /too slow/);
  await server.close();
});

test('an event larger than the cap reaches a reader that reads', async () => {
  const { server } = serving(EventsAgent, { streamBufferBytes: 1_024 });
  const large = ['x'.repeat(100_000), 'y'.repeat(100_000)];
  const response = await server.fetch(streamed('events', large));
  assert.deepEqual(
    parse(await response.text()).map(({ event }) => event),
    ['event', 'event', 'result'],
  );
  await server.close();
});
