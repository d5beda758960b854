import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { createServer } from '@sophia-ai/server';
import type { AgentDescription, Server, ServerOptions } from '@sophia-ai/server';
import { BrokenAgent, EchoAgent, FaultyAgent, PlainAgent, gatedAgent, until } from './agents.ts';

const BASE = 'http://127.0.0.1';

function serving(agents: ServerOptions['agents'], options: Partial<ServerOptions> = {}): Server {
  return createServer({ optimizer: new AgnoPerformanceOptimizer(), agents: agents ?? [], ...options });
}

function post(type: string, body: unknown, init: RequestInit = {}): Request {
  return new Request(`${BASE}/api/agents/${type}/runs`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'Content-Type': 'application/json', ...(init.headers as Record<string, string> | undefined) },
  });
}

async function problem(
  server: Server,
  request: Request,
): Promise<{ status: number; body: Record<string, unknown> & { detail: string }; response: Response }> {
  const response = await server.fetch(request);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const body = (await response.json()) as Record<string, unknown> & { detail: string };
  assert.equal(body.status, response.status);
  assert.equal(body.type, `urn:sophia:problem:${String(body.code)}`);
  assert.ok(typeof body.title === 'string' && body.detail.length > 0);
  return { status: response.status, body, response };
}

test('a run answers with its output and what it took', async () => {
  const server = serving([EchoAgent]);
  const response = await server.fetch(post('echo', { input: { text: 'hello' }, config: { loud: true } }));
  assert.equal(response.status, 200);
  const { run, output } = (await response.json()) as { run: Record<string, unknown>; output: unknown };
  assert.deepEqual(output, { text: 'HELLO' });
  assert.deepEqual(Object.keys(run), ['id', 'type', 'acquire_us', 'duration_ms']);
  assert.equal(run.type, 'echo');
  assert.equal(response.headers.get('sophia-run-id'), run.id);
  await server.close();
});

test('an agent is given back after a run, whether it succeeded or failed', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const server = createServer({ optimizer, agents: [EchoAgent, FaultyAgent] });
  for (let round = 0; round < 12; round += 1) {
    assert.equal((await server.fetch(post('echo', { input: { text: 'x' } }))).status, 200);
    assert.equal((await server.fetch(post('faulty', { input: 'throw' }))).status, 500);
  }
  assert.deepEqual(
    optimizer.snapshot().map(({ leased }) => leased),
    [0, 0],
  );
  await server.close();
});

test('every answer forbids sniffing, caching, framing and referrers, and names no version', async () => {
  const server = serving([EchoAgent]);
  const requests = [
    new Request(`${BASE}/healthz`),
    new Request(`${BASE}/nowhere`),
    post('echo', '{'),
    post('echo', { input: { text: '' } }),
  ];
  for (const request of requests) {
    const { headers } = await server.fetch(request);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(headers.get('server'), null);
    assert.equal(headers.get('x-powered-by'), null);
    assert.equal(headers.get('access-control-allow-origin'), null);
  }
  await server.close();
});

const LOUD_BUT_WRONG = { input: { text: 'x' }, config: { loud: 'yes' } };
const BAD_BODIES: readonly [name: string, request: () => Request, status: number, code: string, detail: RegExp][] = [
  ['text that is not JSON', () => post('echo', '{"input":'), 400, 'BODY_INVALID', /not JSON/],
  ['an empty body', () => post('echo', ''), 400, 'BODY_INVALID', /empty/],
  ['an array', () => post('echo', '[1]'), 400, 'BODY_INVALID', /not an object/],
  ['null', () => post('echo', 'null'), 400, 'BODY_INVALID', /not an object/],
  ['no input', () => post('echo', '{"config":{}}'), 400, 'BODY_INVALID', /no "input"/],
  ['an unknown key', () => post('echo', '{"input":{},"inptu":1}'), 400, 'BODY_INVALID', /"inptu"/],
  [
    'a prototype key at the top',
    () => post('echo', '{"input":{},"__proto__":{"x":1}}'),
    400,
    'BODY_INVALID',
    /__proto__/,
  ],
  [
    'a prototype key deep inside',
    () => post('echo', '{"input":{"a":[{"__proto__":{"x":1}}]}}'),
    400,
    'BODY_INVALID',
    /__proto__/,
  ],
  [
    'an escaped prototype key',
    () => post('echo', String.raw`{"input":{"\u005f_proto__":{"x":1}}}`),
    400,
    'BODY_INVALID',
    /__proto__/,
  ],
  [
    'broken UTF-8',
    () => post('echo', '', { body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]) }),
    400,
    'BODY_INVALID',
    /UTF-8/,
  ],
  ['an input that the schema refuses', () => post('echo', { input: { text: 5 } }), 422, 'INPUT_INVALID', /text/],
  ['a config that the schema refuses', () => post('echo', LOUD_BUT_WRONG), 422, 'CONFIG_INVALID', /loud/],
  ['an unknown type', () => post('nobody', { input: 1 }), 404, 'TYPE_UNKNOWN', /Served types: echo/],
  ['a type named after a prototype', () => post('__proto__', { input: 1 }), 404, 'TYPE_UNKNOWN', /__proto__/],
];

for (const [name, request, status, code, detail] of BAD_BODIES) {
  test(`a run with ${name} is refused with ${code}`, async () => {
    const server = serving([EchoAgent]);
    const { body, ...answer } = await problem(server, request());
    assert.equal(answer.status, status);
    assert.equal(body.code, code);
    assert.match(body.detail, detail);
    assert.equal(({} as Record<string, unknown>).x, undefined);
    await server.close();
  });
}

test('the text __proto__ inside a value is only text', async () => {
  const server = serving([EchoAgent]);
  const response = await server.fetch(post('echo', { input: { text: 'say "__proto__" aloud' } }));
  assert.equal(response.status, 200);
  await server.close();
});

test('JSON nested 64 deep is read, 65 deep and 100,000 deep are refused', async () => {
  const server = serving([EchoAgent]);
  const nested = (depth: number): string => `{"input":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  assert.equal((await problem(server, post('echo', nested(64)))).body.code, 'INPUT_INVALID');
  for (const depth of [65, 100_000]) {
    const { status, body } = await problem(server, post('echo', nested(depth)));
    assert.equal(status, 400);
    assert.equal(body.code, 'BODY_TOO_DEEP');
  }
  await server.close();
});

test('brackets inside strings do not count as depth', async () => {
  const server = serving([EchoAgent]);
  const text = `${'[{'.repeat(200)}\\" "`;
  const response = await server.fetch(post('echo', { input: { text } }));
  assert.deepEqual(((await response.json()) as { output: unknown }).output, { text });
  await server.close();
});

test('a body above the cap is refused, with and without Content-Length, and one of 5 MB reaches the agent', async () => {
  const server = serving([EchoAgent]);
  const large = post('echo', { input: { text: 'x'.repeat(6 * 2 ** 20) } });
  assert.deepEqual(await codeAndStatus(large), ['BODY_TOO_LARGE', 413]);
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  assert.deepEqual(await codeAndStatus(post('echo', '', { body: endless, duplex: 'half' } as RequestInit)), [
    'BODY_TOO_LARGE',
    413,
  ]);
  assert.ok(sent < 7 * 2 ** 20, `read ${sent} bytes of an endless body`);
  const justAbove = post('echo', { input: { text: 'x'.repeat(5_000_001) } });
  assert.deepEqual(await codeAndStatus(justAbove), ['INPUT_INVALID', 422]);
  await server.close();

  async function codeAndStatus(request: Request): Promise<unknown[]> {
    const { status, body } = await problem(server, request);
    return [body.code, status];
  }
});

test('anything but plain JSON is refused before it is read', async () => {
  const server = serving([EchoAgent]);
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-7',
    'application/json, text/plain',
    '',
  ];
  for (const type of types) {
    const { status, body } = await problem(
      server,
      post('echo', { input: { text: 'x' } }, { headers: { 'Content-Type': type } }),
    );
    assert.equal(status, 415, type);
    assert.equal(body.code, 'CONTENT_TYPE_UNSUPPORTED');
  }
  const zipped = await problem(
    server,
    post('echo', { input: { text: 'x' } }, { headers: { 'Content-Encoding': 'gzip' } }),
  );
  assert.equal(zipped.status, 415);
  for (const type of ['application/json', 'Application/JSON; charset=UTF-8']) {
    const response = await server.fetch(post('echo', { input: { text: 'x' } }, { headers: { 'Content-Type': type } }));
    assert.equal(response.status, 200, type);
  }
  await server.close();
});

test('a Host that is not this machine, a doubled one and an absolute target elsewhere are refused', async () => {
  const server = serving([EchoAgent]);
  const asked = (host: string, url = `${BASE}/healthz`): Request => new Request(url, { headers: { Host: host } });
  for (const host of [
    'evil.example',
    '127.0.0.1.nip.example',
    'localhost.evil',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    '127.0.0.1.',
    '127.1',
  ]) {
    assert.equal((await problem(server, asked(host))).body.code, 'HOST_REFUSED', host);
  }
  for (const host of ['127.0.0.1, evil.example', 'evil.example, 127.0.0.1', 'a b', 'user@localhost', '']) {
    assert.equal((await problem(server, asked(host))).status, 400, host);
  }
  assert.equal((await problem(server, asked('127.0.0.1', 'http://evil.example/healthz'))).body.code, 'HOST_REFUSED');
  for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:8787', '127.8.9.1', '[::1]:8787']) {
    assert.equal((await server.fetch(asked(host))).status, 200, host);
  }
  const mounted = serving([EchoAgent], { allowedHosts: ['agents.example'] });
  assert.equal((await mounted.fetch(new Request('http://agents.example/healthz'))).status, 200);
  assert.equal((await problem(mounted, new Request(`${BASE}/healthz`))).body.code, 'HOST_REFUSED');
  await Promise.all([server.close(), mounted.close()]);
});

test('a run sent by a page of another site is refused, one of the own site is not', async () => {
  const server = serving([EchoAgent]);
  const sent = (headers: Record<string, string>): Request => post('echo', { input: { text: 'x' } }, { headers });
  for (const headers of [
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://127.0.0.1:3000' },
    { Origin: 'https://127.0.0.1' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: BASE, 'Sec-Fetch-Site': 'cross-site' },
  ]) {
    const { status, body } = await problem(server, sent(headers as Record<string, string>));
    assert.equal(status, 403, JSON.stringify(headers));
    assert.equal(body.code, 'ORIGIN_REFUSED');
  }
  assert.equal((await server.fetch(sent({ Origin: BASE, 'Sec-Fetch-Site': 'same-origin' }))).status, 200);
  await server.close();
});

test('an unknown route is 404, a known one with another method 405 with Allow', async () => {
  const server = serving([EchoAgent]);
  for (const path of [
    '/',
    '/api',
    '/api/agents/',
    '/api//agents',
    '/API/agents',
    '/api/agents/echo',
    '/api/agents/echo/runs/',
    '/api/agents/a/b/runs',
  ]) {
    assert.equal((await problem(server, new Request(BASE + path))).body.code, 'ROUTE_UNKNOWN', path);
  }
  const methods: [string, string, string][] = [
    ['POST', '/healthz', 'GET, HEAD'],
    ['DELETE', '/api/agents', 'GET, HEAD'],
    ['PUT', '/api/metrics/agno-performance', 'GET, HEAD'],
    ['GET', '/api/agents/echo/runs', 'POST'],
    ['OPTIONS', '/api/agents/echo/runs', 'POST'],
  ];
  for (const [method, path, allowed] of methods) {
    const { status, body, response } = await problem(
      server,
      new Request(BASE + path, { method, headers: { 'X-HTTP-Method-Override': 'POST' } }),
    );
    assert.equal(status, 405);
    assert.equal(body.code, 'METHOD_NOT_ALLOWED');
    assert.equal(response.headers.get('allow'), allowed);
  }
  const head = await server.fetch(new Request(`${BASE}/healthz`, { method: 'HEAD' }));
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
  await server.close();
});

test('unknown and doubled query parameters are refused', async () => {
  const server = serving([EchoAgent]);
  for (const path of [
    '/api/metrics/agno-performance?windw=1m',
    '/api/metrics/agno-performance?window=1m&window=5m',
    '/api/agents?__proto__=1',
  ]) {
    assert.equal((await problem(server, new Request(BASE + path))).body.code, 'QUERY_INVALID', path);
  }
  await server.close();
});

test('a failing agent tells the operator the cause and the client only that it failed', async () => {
  const told: [unknown, string | undefined][] = [];
  const server = serving([FaultyAgent], { onError: (error, run) => void told.push([error, run?.id]) });
  for (const [way, code] of [
    ['throw', 'RUN_FAILED'],
    ['output', 'OUTPUT_INVALID'],
    ['sophia', 'OUTPUT_INVALID'],
  ] as const) {
    const { status, body } = await problem(server, post('faulty', { input: way }));
    assert.equal(status, 500);
    assert.equal(body.code, code);
    assert.doesNotMatch(JSON.stringify(body), /hunter2|secret|node_modules|\.ts/);
    const [error, id] = told.at(-1) as [Error, string];
    assert.equal((body.run as { id: string }).id, id);
    if (way === 'throw') assert.match((error.cause as Error).message, /hunter2/);
  }
  const { status, body } = await problem(server, post('faulty', { input: 'input' }));
  assert.deepEqual([status, body.code, body.field], [422, 'INPUT_INVALID', 'way']);
  assert.equal(told.length, 3);
  const nothing = await server.fetch(post('faulty', { input: 'nothing' }));
  assert.equal(((await nothing.json()) as { output: unknown }).output, null);
  await server.close();
});

test('a listener for errors that throws changes no answer', async () => {
  const server = serving([FaultyAgent], {
    onError: () => {
      throw new Error('the log is full');
    },
  });
  assert.equal((await problem(server, post('faulty', { input: 'throw' }))).body.code, 'RUN_FAILED');
  await server.close();
});

test('a type that cannot be created is 503 with Retry-After, without the cause', async () => {
  const server = serving([BrokenAgent]);
  const { status, body, response } = await problem(server, post('broken', { input: 1 }));
  assert.equal(status, 503);
  assert.equal(body.code, 'CREATE_FAILED');
  assert.equal(response.headers.get('retry-after'), '1');
  assert.doesNotMatch(JSON.stringify(body), /postgres|secret/);
  await server.close();
});

test('exhaustion is 503 with Retry-After and counts, whether it waited, was refused or found the queue full', async () => {
  for (const [pool, code] of [
    [{ max: 1, waitMs: 20 }, 'ACQUIRE_TIMEOUT'],
    [{ max: 1, exhaustion: 'reject' }, 'POOL_EXHAUSTED'],
    [{ max: 1, maxWaiting: 0 }, 'QUEUE_FULL'],
  ] as const) {
    // A queue of no places would refuse the first borrower too, who has to wait for the first creation.
    const Gated = gatedAgent(pool);
    const optimizer = new AgnoPerformanceOptimizer();
    const server = createServer({ optimizer, agents: [Gated] });
    await optimizer.prewarm(Gated);
    const first = server.fetch(post('gated', { input: 1 }));
    await until(() => Gated.runs.length === 1, 'the first run is open');
    const { status, body, response } = await problem(server, post('gated', { input: 2 }));
    assert.equal(status, 503);
    assert.equal(body.code, code);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.equal(body.retry_after_ms, 1_000);
    assert.match(body.detail, /1 of 1 'gated' agents are in use/);
    assert.doesNotMatch(body.detail, /owner|run [\da-f-]{36}/);
    Gated.runs[0]?.finish('done');
    assert.equal((await first).status, 200);
    await server.close();
  }
});

test('one deadline covers waiting and running', async () => {
  const Gated = gatedAgent({ max: 1 });
  const optimizer = new AgnoPerformanceOptimizer();
  const server = createServer({ optimizer, agents: [Gated] });
  const hurried = (): Request => post('gated', { input: 1 }, { headers: { 'Sophia-Deadline-Ms': '60' } });
  const late = await problem(server, hurried());
  assert.deepEqual([late.status, late.body.code], [504, 'RUN_TIMEOUT']);
  assert.equal(Gated.aborted, 1);
  const holder = server.fetch(post('gated', { input: 'hold' }));
  await until(() => Gated.runs.length === 2, 'the pool is taken');
  const waited = await problem(server, hurried());
  assert.deepEqual([waited.status, waited.body.code], [503, 'ACQUIRE_TIMEOUT']);
  const waiting = problem(server, post('gated', { input: 2 }, { headers: { 'Sophia-Deadline-Ms': '500' } }));
  await until(() => (optimizer.snapshot()[0]?.waiting ?? 0) === 1, 'the next one waits');
  await until(() => (optimizer.snapshot()[0]?.oldestWaiterMs ?? 0) > 40, 'some of its time is gone');
  Gated.runs[1]?.finish('held');
  await holder;
  await until(() => Gated.runs.length === 3, 'the waiting run has begun');
  assert.ok((Gated.runs[2]?.call.remainingMs() ?? 1_000) < 462, 'waiting was taken off the time of the run');
  assert.equal((await waiting).body.code, 'RUN_TIMEOUT');
  await server.close();
});

test('a deadline that is no whole number of milliseconds up to an hour is refused', async () => {
  const server = serving([EchoAgent]);
  for (const value of ['0', '-1', '1.5', '1e3', 'soon', '3600001', '9'.repeat(40), '5, 5']) {
    const { status, body } = await problem(
      server,
      post('echo', { input: { text: 'x' } }, { headers: { 'Sophia-Deadline-Ms': value } }),
    );
    assert.deepEqual([status, body.code], [400, 'HEADER_INVALID'], value);
  }
  await server.close();
});

test('the list of agents describes each served type with schemas and a line to paste', async () => {
  const server = createServer({ optimizer: new AgnoPerformanceOptimizer(), agents: [EchoAgent, FaultyAgent] });
  const response = await server.fetch(new Request('http://localhost:9/api/agents'));
  const { agents } = (await response.json()) as { agents: AgentDescription[] };
  assert.deepEqual(
    agents.map(({ type }) => type),
    ['echo', 'faulty'],
  );
  const [echo, faulty] = agents as [AgentDescription, AgentDescription];
  assert.equal(echo.description, 'Says back what it is told.');
  assert.equal(echo.reuse, 'exclusive');
  assert.equal(echo.pool.max, 2);
  assert.equal(echo.pool.wait_ms, 500);
  assert.equal((echo.schemas.input as { type: string }).type, 'object');
  assert.ok(echo.schemas.config !== null && echo.schemas.output !== null);
  assert.deepEqual(faulty.schemas, { config: null, input: null, output: null });
  assert.equal(
    echo.examples[0]?.curl,
    String.raw`curl -sS http://localhost:9/api/agents/echo/runs -H 'Content-Type: application/json' -d '{"input":{"text":"it'\''s me"}}'`,
  );
  await server.close();
});

test('without a list of agents, every registered class that can run is served, also one registered later', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const server = createServer({ optimizer });
  const types = async (): Promise<string[]> => {
    const response = await server.fetch(new Request(`${BASE}/api/agents`));
    return ((await response.json()) as { agents: AgentDescription[] }).agents.map(({ type }) => type);
  };
  assert.deepEqual(await types(), []);
  optimizer.register(PlainAgent);
  optimizer.register(EchoAgent);
  assert.deepEqual(await types(), ['echo']);
  assert.equal((await problem(server, post('plain', { input: 1 }))).body.code, 'TYPE_UNKNOWN');
  await server.close();
});

test('createServer refuses what it does not know, naming it', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const wrong: [object, RegExp][] = [
    [{}, /'optimizer'/],
    [{ optimizer: {} }, /'optimizer'/],
    [{ optimizer, agnets: [] }, /no option 'agnets'/],
    [{ optimizer, maxBodyBytes: 1.5 }, /'maxBodyBytes'/],
    [{ optimizer, allowedHosts: 'x' }, /'allowedHosts'/],
    [{ optimizer, agents: [PlainAgent] }, /'plain' has no execute/],
  ];
  for (const [options, message] of wrong) assert.throws(() => createServer(options as ServerOptions), { message });
  await optimizer.close();
});

test('health answers at once; readiness names what is missing until every type has an agent', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const missing = ['memory of echo is being measured'];
  const server = createServer({ optimizer, agents: [EchoAgent], notReady: () => missing });
  const healthy = await server.fetch(new Request(`${BASE}/healthz`));
  assert.deepEqual(await healthy.json(), { status: 'ok' });
  const cold = await problem(server, new Request(`${BASE}/readyz`));
  assert.deepEqual([cold.status, cold.body.code, cold.response.headers.get('retry-after')], [503, 'NOT_READY', '1']);
  assert.deepEqual(cold.body.reasons, ["'echo' has no agent ready yet", 'memory of echo is being measured']);
  await optimizer.prewarm(EchoAgent);
  assert.deepEqual((await problem(server, new Request(`${BASE}/readyz`))).body.reasons, [
    'memory of echo is being measured',
  ]);
  missing.pop();
  const ready = await server.fetch(new Request(`${BASE}/readyz`));
  assert.deepEqual([ready.status, await ready.json()], [200, { status: 'ready' }]);
  await server.close();
});

test('a server with sample traffic says so wherever figures are', async () => {
  for (const sampleWorkload of [true, false]) {
    const server = serving([EchoAgent], { sampleWorkload });
    for (const path of ['/api/agents', '/api/metrics/agno-performance', '/healthz']) {
      const body = (await (await server.fetch(new Request(BASE + path))).json()) as object;
      assert.equal('sample_workload' in body, sampleWorkload, path);
    }
    await server.close();
  }
});

test('while it drains, runs in flight finish and new ones are told to go elsewhere', async () => {
  const Gated = gatedAgent();
  const server = serving([Gated]);
  const first = server.fetch(post('gated', { input: 1 }));
  await until(() => Gated.runs.length === 1, 'the run is open');
  const closed = server.close();
  const { status, body, response } = await problem(server, post('gated', { input: 2 }));
  assert.deepEqual([status, body.code], [503, 'POOL_DRAINING']);
  assert.ok(Number(response.headers.get('retry-after')) >= 1);
  assert.deepEqual((await problem(server, new Request(`${BASE}/readyz`))).body.reasons, ['the server is stopping']);
  assert.equal((await server.fetch(new Request(`${BASE}/healthz`))).status, 200);
  Gated.runs[0]?.finish('finished');
  assert.deepEqual(((await (await first).json()) as { output: unknown }).output, 'finished');
  assert.deepEqual(await closed, [{ type: 'gated', revoked: [] }]);
});

test('a run that outlasts the time for draining is ended and told so', async () => {
  const Gated = gatedAgent();
  const server = serving([Gated]);
  const stuck = problem(server, post('gated', { input: 1 }));
  await until(() => Gated.runs.length === 1, 'the run is open');
  const [report] = await server.close({ timeoutMs: 10 });
  assert.equal(report?.revoked.length, 1);
  const { status, body } = await stuck;
  assert.deepEqual([status, body.code], [503, 'LEASE_RELEASED']);
});

test('a client that leaves while it waits takes no agent', async () => {
  const Gated = gatedAgent({ max: 1 });
  const optimizer = new AgnoPerformanceOptimizer();
  const server = createServer({ optimizer, agents: [Gated] });
  const holder = server.fetch(post('gated', { input: 1 }));
  await until(() => Gated.runs.length === 1, 'the pool is taken');
  const leaving = new AbortController();
  const left = server.fetch(post('gated', { input: 2 }, { signal: leaving.signal }));
  await until(() => optimizer.snapshot()[0]?.waiting === 1, 'it waits');
  leaving.abort();
  assert.equal((await left).status, 499);
  assert.equal(optimizer.snapshot()[0]?.waiting, 0);
  Gated.runs[0]?.finish(1);
  assert.equal((await holder).status, 200);
  assert.equal(Gated.runs.length, 1);
  await server.close();
});
