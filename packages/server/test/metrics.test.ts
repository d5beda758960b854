import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { MemoryFigures } from '@sophia-ai/core';
import { createServer } from '@sophia-ai/server';
import type { PerformanceMetrics, Server } from '@sophia-ai/server';
import { EchoAgent, FaultyAgent, gatedAgent, until } from './agents.ts';

const PATH = 'http://localhost/api/metrics/agno-performance';
const FIVE_KEYS = ['avg_instantiation_us', 'pool_size', 'pool_max', 'instantiation_samples', 'memory_per_agent_kib'];

async function metricsOf(server: Server, query = ''): Promise<PerformanceMetrics> {
  const response = await server.fetch(new Request(PATH + query));
  assert.equal(response.status, 200);
  return (await response.json()) as PerformanceMetrics;
}

test('every registered type is listed before its first use, with null for what is unknown', async () => {
  const server = createServer({ optimizer: new AgnoPerformanceOptimizer(), agents: [EchoAgent, FaultyAgent] });
  const body = await metricsOf(server);
  assert.deepEqual(Object.keys(body), ['summary', 'metrics', 'last_updated']);
  assert.deepEqual(Object.keys(body.summary), ['echo', 'faulty']);
  assert.deepEqual(Object.keys(body.metrics), ['echo', 'faulty']);
  assert.deepEqual(Object.keys(body.summary.faulty ?? {}).slice(0, 5), FIVE_KEYS);
  const { echo } = body.summary;
  assert.deepEqual(
    [
      echo?.avg_instantiation_us,
      echo?.pool_size,
      echo?.pool_max,
      echo?.instantiation_samples,
      echo?.memory_per_agent_kib,
    ],
    [null, 0, 2, 0, null],
  );
  assert.equal(body.summary.faulty?.pool_max, 10);
  assert.deepEqual(
    [echo?.avg_acquire_us, echo?.hit_ratio, echo?.hit_p99_us, echo?.memory_method],
    [null, null, null, null],
  );
  assert.deepEqual(echo?.instantiation_light.verdict, 'unknown');
  assert.deepEqual(Object.keys(body.metrics.echo ?? {}), [
    'window',
    'hit',
    'miss',
    'wait',
    'create',
    'reset',
    'use',
    'run',
  ]);
  assert.deepEqual(body.metrics.echo?.hit, {
    count: 0,
    mean_us: null,
    p50_us: null,
    p95_us: null,
    p99_us: null,
    p999_us: null,
    max_us: null,
  });
  assert.ok(Math.abs(Date.parse(body.last_updated) - Date.now()) < 5_000);
  await server.close();
});

test('hits, misses and waits are counted apart and add up', async () => {
  const Gated = gatedAgent({ max: 1 });
  const optimizer = new AgnoPerformanceOptimizer();
  const server = createServer({ optimizer, agents: [Gated] });
  const missed = await optimizer.pooled(Gated);
  const waiting = optimizer.pooled(Gated);
  await until(() => optimizer.snapshot()[0]?.waiting === 1, 'the second borrower waits');
  const during = (await metricsOf(server)).summary.gated;
  assert.deepEqual([during?.leased, during?.waiting, during?.pool_size], [1, 1, 0]);
  assert.ok((during?.oldest_waiter_ms ?? 0) > 0);
  missed.release();
  (await waiting).release();
  for (let hits = 0; hits < 8; hits += 1) (await optimizer.pooled(Gated)).release();
  const { summary, metrics } = await metricsOf(server, '?window=since-start');
  const { gated } = summary;
  assert.deepEqual([gated?.instantiation_samples, gated?.window_samples, gated?.hit_ratio], [10, 10, 0.8]);
  assert.equal(metrics.gated?.window, 'since-start');
  assert.deepEqual([metrics.gated?.hit.count, metrics.gated?.miss.count, metrics.gated?.wait.count], [8, 1, 1]);
  assert.deepEqual([metrics.gated?.use.count, metrics.gated?.create.count], [10, 1]);
  assert.ok((gated?.avg_acquire_us ?? 0) > (gated?.avg_instantiation_us ?? Number.POSITIVE_INFINITY));
  await server.close();
});

test('failed acquires and failed runs are counted by code', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const server = createServer({ optimizer, agents: [EchoAgent, FaultyAgent] });
  await assert.rejects(optimizer.pooled(EchoAgent, { loud: 'no' } as never));
  await optimizer.use(FaultyAgent, undefined, (agent) => agent.run('throw')).catch(() => undefined);
  await optimizer.use(FaultyAgent, undefined, (agent) => agent.run('input')).catch(() => undefined);
  const { summary } = await metricsOf(server);
  assert.deepEqual(summary.echo?.failures, { CONFIG_INVALID: 1 });
  assert.equal(summary.faulty?.runs, 2);
  assert.deepEqual(summary.faulty.run_failures, { Error: 1, INPUT_INVALID: 1 });
  await server.close();
});

test('the window is what was asked for, and any other is refused with what is allowed', async () => {
  const server = createServer({ optimizer: new AgnoPerformanceOptimizer(), agents: [EchoAgent] });
  for (const window of ['1m', '5m', '1h', 'since-start']) {
    assert.equal((await metricsOf(server, `?window=${window}`)).metrics.echo?.window, window);
  }
  assert.equal((await metricsOf(server)).metrics.echo?.window, '5m');
  for (const window of ['', '2m', '5M', 'Infinity', 'toString', '1e9']) {
    const response = await server.fetch(new Request(`${PATH}?window=${window}`));
    assert.equal(response.status, 400, window);
    const problem = (await response.json()) as { code: string; detail: string };
    assert.equal(problem.code, 'QUERY_INVALID');
    assert.match(problem.detail, /1m, 5m, 1h, since-start/);
  }
  await server.close();
});

test('measured memory stands beside its method, samples and error', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const server = createServer({ optimizer, agents: [EchoAgent] });
  const figures: MemoryFigures = {
    memoryPerAgentKib: 3.25,
    agentKib: 0.25,
    entryKib: 3,
    processKib: null,
    sharedKib: null,
    method: 'forced collections',
    samples: 5_000,
    errorPct: 1.5,
    measuredAt: '2026-01-01T00:00:00.000Z',
  };
  optimizer.setMemory(EchoAgent, figures);
  const { echo } = (await metricsOf(server)).summary;
  assert.deepEqual(
    [echo?.memory_per_agent_kib, echo?.agent_kib, echo?.entry_kib, echo?.process_kib, echo?.shared_kib],
    [3.25, 0.25, 3, null, null],
  );
  assert.deepEqual(
    [echo?.memory_method, echo?.memory_samples, echo?.memory_error_pct, echo?.memory_measured_at],
    ['forced collections', 5_000, 1.5, '2026-01-01T00:00:00.000Z'],
  );
  await server.close();
});
