import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PerformanceMetrics } from '@sophia-ai/server';
import { AGENTS, Sophia, until } from './sophia.ts';

const SERVE = ['serve', '--module', AGENTS, '--port', '0'];

function run(url: string, type: string, input: unknown): Promise<Response> {
  return fetch(`${url}/api/agents/${type}/runs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ input }),
  });
}

async function metrics(url: string): Promise<PerformanceMetrics> {
  return (await (await fetch(`${url}/api/metrics/agno-performance`)).json()) as PerformanceMetrics;
}

test('it answers health and readiness at once, is ready with memory measured, and runs no sample', async () => {
  await using sophia = new Sophia([...SERVE, '--prewarm']);
  const [, early = ''] = await sophia.says(/^Serving .* at (\S+)$/m);
  assert.equal((await fetch(`${early}/healthz`)).status, 200);
  const url = await sophia.url();
  assert.equal(url, early);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  const { summary, ...rest } = await metrics(url);
  assert.equal('sample_workload' in rest, false);
  assert.deepEqual(Object.keys(summary), ['failing', 'mute', 'quick', 'slow']);
  for (const type of Object.values(summary)) {
    assert.equal(type.instantiation_samples, 0);
    assert.equal(type.pool_size, type.pool_max);
    assert.equal(typeof type.memory_per_agent_kib, 'number');
    assert.equal(typeof type.memory_method, 'string');
    assert.equal(typeof type.memory_error_pct, 'number');
  }
});

test('without --prewarm one agent per type is ready', async () => {
  await using sophia = new Sophia(SERVE);
  const { summary } = await metrics(await sophia.url());
  assert.deepEqual(
    Object.values(summary).map((type) => type.pool_size),
    [1, 1, 1, 1],
  );
});

test('SIGTERM finishes the run in flight, answers new ones with 503 and Retry-After, and ends with 0', async () => {
  await using sophia = new Sophia(SERVE);
  const url = await sophia.url();
  const slow = run(url, 'slow', 1_500);
  await until(async () => ((await metrics(url)).summary.slow?.leased === 1 ? true : undefined), 'the slow run is open');
  sophia.process.kill('SIGTERM');
  await sophia.says(/^SIGTERM: finishing 1 runs/m);
  const refused = await run(url, 'quick', 'late');
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  assert.equal(((await refused.json()) as { code: string }).code, 'POOL_DRAINING');
  const finished = await slow;
  assert.equal(finished.status, 200);
  assert.equal(((await finished.json()) as { output: string }).output, 'slept');
  assert.equal(await sophia.exit, 0);
  assert.match(sophia.stdout, /Stopped\.\n$/);
});

test('a second signal ends at once with 1', async () => {
  await using sophia = new Sophia(SERVE);
  const url = await sophia.url();
  const slow = run(url, 'slow', 20_000);
  slow.catch(() => undefined);
  await until(async () => ((await metrics(url)).summary.slow?.leased === 1 ? true : undefined), 'the slow run is open');
  sophia.process.kill('SIGINT');
  await sophia.says(/^SIGINT: /m);
  // One that comes at once counts as the same key press, passed on by a package manager.
  sophia.process.kill('SIGINT');
  const again = setInterval(() => sophia.process.kill('SIGINT'), 100);
  const stoppedMs = performance.now();
  assert.equal(await sophia.exit, 1);
  clearInterval(again);
  assert.ok(performance.now() - stoppedMs > 200);
  await assert.rejects(slow);
});

test('the cause of a failed run is one line of the log, whatever line breaks it has', async () => {
  await using sophia = new Sophia(SERVE);
  const response = await run(await sophia.url(), 'failing', 'x');
  assert.equal(response.status, 500);
  const { run: failed } = (await response.json()) as { run: { id: string } };
  await until(() => (sophia.stderr.endsWith('\n') ? true : undefined), 'the log has its line');
  assert.match(
    sophia.stderr,
    new RegExp(
      `^\\S+ RUN_FAILED type=failing run=${failed.id} cause="RangeError: out of range\\\\nand forged line.*"\\n$`,
    ),
  );
});
