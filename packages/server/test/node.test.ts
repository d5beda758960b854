import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { AnyAgentClass } from '@sophia-ai/core';
import { createServer } from '@sophia-ai/server';
import type { ServerOptions } from '@sophia-ai/server';
import { listen } from '@sophia-ai/server/node';
import type { Listener } from '@sophia-ai/server/node';
import { EchoAgent, FloodAgent, gatedAgent, until } from './agents.ts';

async function listening(
  agents: readonly AnyAgentClass[],
  options: Partial<ServerOptions> = {},
): Promise<Listener & { optimizer: AgnoPerformanceOptimizer }> {
  const optimizer = new AgnoPerformanceOptimizer();
  const listener = await listen(createServer({ optimizer, agents, ...options }), { port: 0 });
  return { ...listener, optimizer };
}

function posted(listener: Listener, type: string, input: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${listener.url}/api/agents/${type}/runs`, {
    method: 'POST',
    body: JSON.stringify({ input }),
    ...init,
    headers: { 'Content-Type': 'application/json', ...(init.headers as Record<string, string> | undefined) },
  });
}

/** Sends bytes as they are and returns everything that comes back until the server ends the connection. */
async function raw(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString();
  });
  socket.end(`${lines.join('\r\n')}\r\n\r\n`);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('close', resolve).once('error', reject);
  await promise;
  return text;
}

test('it listens on loopback and serves there', async () => {
  const listener = await listening([EchoAgent]);
  assert.match(listener.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await posted(listener, 'echo', { text: 'over the wire' });
  assert.deepEqual(((await response.json()) as { output: unknown }).output, { text: 'over the wire' });
  await listener.close();
});

test('a host that other machines can reach is refused', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const server = createServer({ optimizer });
  for (const host of ['0.0.0.0', '::', '192.168.1.1', 'example.com', '']) {
    await assert.rejects(listen(server, { host, port: 0 }), { code: 'HOST_NOT_LOOPBACK' }, host);
  }
  for (const port of [-1, 65_536, 1.5, Number.NaN])
    await assert.rejects(listen(server, { port }), { code: 'OPTION_INVALID' });
  await server.close();
});

test('a taken port is refused by number', async () => {
  const listener = await listening([]);
  const other = createServer({ optimizer: new AgnoPerformanceOptimizer() });
  await assert.rejects(listen(other, { port: listener.port }), {
    code: 'PORT_TAKEN',
    message: new RegExp(`${listener.port}`),
  });
  await Promise.all([listener.close(), other.close()]);
});

test('two Host headers, in either order, no host, and a target elsewhere are refused', async () => {
  const listener = await listening([EchoAgent]);
  const good = `Host: 127.0.0.1:${listener.port}`;
  const evil = 'Host: evil.example';
  const asked: [string[], RegExp][] = [
    [['GET /healthz HTTP/1.1', good, evil], /^HTTP\/1\.1 400 /],
    [['GET /healthz HTTP/1.1', evil, good], /^HTTP\/1\.1 400 /],
    [['GET /healthz HTTP/1.1', good, good], /^HTTP\/1\.1 400 /],
    [['GET /healthz HTTP/1.1'], /^HTTP\/1\.1 400 /],
    [['GET /healthz HTTP/1.0'], /^HTTP\/1\.1 400 /],
    [['GET http://evil.example/healthz HTTP/1.1', good], /^HTTP\/1\.1 403 /],
    [['GET /healthz HTTP/1.1', evil], /^HTTP\/1\.1 403 /],
    [['GET /healthz HTTP/1.1', 'Host: 127.0.0.1:1'], /^HTTP\/1\.1 403 /],
    [['GET /healthz HTTP/1.1', 'Host: 127.0.0.1'], /^HTTP\/1\.1 403 /],
    [['GET /healthz HTTP/1.1', 'Host: [bad'], /^HTTP\/1\.1 400 /],
    [['TRACE /healthz HTTP/1.1', good], /^HTTP\/1\.1 405 /],
    [['GET /healthz HTTP/1.1', good], /^HTTP\/1\.1 200 /],
    [['GET /healthz HTTP/1.1', `Host: localhost:${listener.port}`], /^HTTP\/1\.1 200 /],
  ];
  for (const [lines, expected] of asked) {
    const answer = await raw(listener.port, [...lines, 'Connection: close']);
    assert.match(answer, expected, lines.join(' | '));
    assert.doesNotMatch(answer, /^server:|x-powered-by|node/im);
  }
  await listener.close();
});

test('a client that leaves aborts its run, whether it waits for JSON or reads a stream', async () => {
  for (const accept of ['application/json', 'text/event-stream']) {
    const Gated = gatedAgent();
    const listener = await listening([Gated]);
    const leaving = new AbortController();
    const left = posted(listener, 'gated', 1, { signal: leaving.signal, headers: { Accept: accept } }).then(
      (response) => response.text(),
    );
    left.catch(() => undefined);
    await until(() => Gated.runs.length === 1, 'the run is open');
    leaving.abort();
    await assert.rejects(left, { name: 'AbortError' });
    await until(() => listener.optimizer.snapshot()[0]?.leased === 0, 'the agent is back');
    assert.equal(Gated.aborted, 1, accept);
    const [pool] = listener.optimizer.snapshot();
    assert.deepEqual(pool?.counters.runFailures, { RUN_ABORTED: 1 });
    await listener.close();
  }
});

test('the deadline of the header holds over the wire', async () => {
  const Gated = gatedAgent();
  const listener = await listening([Gated]);
  const response = await posted(listener, 'gated', 1, { headers: { 'Sophia-Deadline-Ms': '30' } });
  assert.equal(response.status, 504);
  assert.equal(((await response.json()) as { code: string }).code, 'RUN_TIMEOUT');
  await listener.close();
});

test('a body above the cap is refused over the wire, declared or not', async () => {
  const listener = await listening([EchoAgent], { maxBodyBytes: 1_000 });
  const declared = await posted(listener, 'echo', { text: 'x'.repeat(2_000) });
  assert.equal(declared.status, 413);
  await declared.text();
  const pieces = new ReadableStream({
    start(controller) {
      for (let piece = 0; piece < 10; piece += 1) controller.enqueue(new TextEncoder().encode(' '.repeat(300)));
      controller.close();
    },
  });
  const chunked = await posted(listener, 'echo', 1, { body: pieces, duplex: 'half' } as RequestInit);
  assert.equal(chunked.status, 413);
  await chunked.text();
  const next = await posted(listener, 'echo', { text: 'still there' });
  assert.equal(next.status, 200);
  await next.text();
  await listener.close();
});

test('a body that ends before it is complete takes no agent', async () => {
  const listener = await listening([EchoAgent]);
  const socket = connect(listener.port, '127.0.0.1');
  const head = [
    'POST /api/agents/echo/runs HTTP/1.1',
    `Host: 127.0.0.1:${listener.port}`,
    'Content-Type: application/json',
    'Content-Length: 1000',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n{"input":`);
  await new Promise((resolve) => socket.once('ready', resolve));
  socket.destroy();
  const next = await posted(listener, 'echo', { text: 'x' });
  assert.equal(next.status, 200);
  await next.text();
  assert.equal(listener.optimizer.snapshot()[0]?.counters.handOuts, 1);
  await listener.close();
});

test('a reader of a stream that does not read is cut, and the run behind it ends', async () => {
  const listener = await listening([FloodAgent]);
  const body = '{"input":1}';
  const socket: Socket = connect(listener.port, '127.0.0.1');
  socket.pause();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.once('error', () => undefined);
  const head = [
    'POST /api/agents/flood/runs HTTP/1.1',
    `Host: 127.0.0.1:${listener.port}`,
    'Content-Type: application/json',
    'Accept: text/event-stream',
    `Content-Length: ${body.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  await until(() => listener.optimizer.snapshot()[0]?.leased === 1, 'the run is open');
  await until(() => listener.optimizer.snapshot()[0]?.leased === 0, 'the run is over');
  assert.deepEqual(listener.optimizer.snapshot()[0]?.counters.runFailures, { RUN_ABORTED: 1 });
  socket.resume();
  await closed;
  await listener.close();
});

test('a graceful stop lets the run in flight finish, refuses new ones with 503, and ends idle connections', async () => {
  const Gated = gatedAgent();
  const listener = await listening([Gated]);
  const idle = connect(listener.port, '127.0.0.1');
  const idleEnded = new Promise((resolve) => idle.once('close', resolve));
  const running = posted(listener, 'gated', 1);
  const streaming = posted(listener, 'gated', 2, { headers: { Accept: 'text/event-stream' } });
  await until(() => Gated.runs.length === 2, 'two runs are open');
  const closed = listener.close();
  assert.equal(listener.close(), closed);
  const refused = await posted(listener, 'gated', 3);
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  assert.equal(refused.headers.get('connection'), 'close');
  assert.equal(((await refused.json()) as { code: string }).code, 'POOL_DRAINING');
  const ready = await fetch(`${listener.url}/readyz`);
  assert.equal(ready.status, 503);
  await ready.text();
  for (const run of Gated.runs) run.finish('finished');
  assert.equal(((await (await running).json()) as { output: unknown }).output, 'finished');
  assert.match(await (await streaming).text(), /event: result\ndata: .*"finished"/);
  await closed;
  idle.resume();
  await idleEnded;
  await assert.rejects(fetch(`${listener.url}/healthz`));
});
