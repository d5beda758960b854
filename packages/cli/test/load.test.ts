import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENTS, Sophia, sophia } from './sophia.ts';
import type { LoadReport } from '../src/load/report.ts';

const LOAD = ['load', '--module', AGENTS];

function reportIn(stdout: string): LoadReport {
  assert.match(stdout, /^\{[^\n]*\}\n$/, 'one JSON object and nothing else');
  return JSON.parse(stdout) as LoadReport;
}

test('in this process it says as JSON what was run, handed out and waited for, and nothing is lost', async () => {
  const { code, stdout } = await sophia([
    ...LOAD,
    '--agent',
    'quick',
    '--concurrency',
    '40',
    '--duration',
    '500ms',
    '--json',
  ]);
  const report = reportIn(stdout);
  assert.equal(code, 0);
  assert.deepEqual([report.agent, report.url, report.concurrency, report.interrupted], ['quick', null, 40, false]);
  assert.ok(report.runs.succeeded >= 40 && report.runs_per_second > 0);
  assert.deepEqual([report.runs.failed, report.runs.refused, report.runs.cancelled], [{}, {}, 0]);
  assert.equal(report.pool.hits + report.pool.misses + report.pool.waits, report.runs.succeeded);
  assert.deepEqual([report.pool.pool_max, report.pool.misses, report.pool.window], [10, 0, 'this load']);
  assert.ok((report.round_trip.p99_us ?? 0) >= (report.round_trip.p50_us ?? 1));
  assert.ok((report.pool.run.p50_us ?? 0) >= 1_000 && report.pool.hit.p50_us !== null);
  // On a machine that is too noisy to measure, the figure is honestly absent.
  const { memory_per_agent_kib: kib, memory_error_pct: error } = report.pool.memory;
  assert.ok(kib === null ? error !== null && error > 25 : kib > 0, `${kib} KiB ± ${error} %`);
  assert.ok(report.event_loop_delay.p99_ms >= 0);
});

test('the table shows the same, and progress goes to stderr', async () => {
  const { code, stdout } = await sophia([...LOAD, '--agent', 'quick', '--concurrency', '5', '--duration', '200ms']);
  assert.equal(code, 0);
  for (const row of [
    'throughput',
    'run p50 / p99',
    'instantiation p50',
    'hits',
    'waits',
    'misses',
    'refused',
    'pool',
    'memory per agent',
    'event loop delay p99',
  ]) {
    assert.match(stdout, new RegExp(`^${row}`, 'm'));
  }
});

test('refusals are counted by code and are no failures; failures are, and end with 1', async () => {
  const refused = await sophia([
    ...LOAD,
    '--agent',
    'quick',
    '--concurrency',
    '300',
    '--duration',
    '500ms',
    '--wait-ms',
    '3',
    '--json',
  ]);
  const { runs } = reportIn(refused.stdout);
  assert.equal(refused.code, 0);
  assert.ok((runs.refused.ACQUIRE_TIMEOUT ?? 0) > 0 && runs.succeeded > 0);
  assert.deepEqual(runs.failed, {});
  const failed = await sophia([...LOAD, '--agent', 'failing', '--concurrency', '2', '--duration', '100ms', '--json']);
  assert.equal(failed.code, 1);
  assert.ok((reportIn(failed.stdout).runs.failed.RangeError ?? 0) > 0);
});

test('Ctrl-C ends early, with what was done and 130', async () => {
  await using load = new Sophia([...LOAD, '--agent', 'slow', '--concurrency', '8', '--duration', '6s', '--json']);
  // The first line of progress tells that runs are open.
  while (!load.stderr.includes('runs')) await new Promise((resolve) => setTimeout(resolve, 20));
  load.process.kill('SIGINT');
  assert.equal(await load.exit, 130);
  const { interrupted, runs, duration_ms: durationMs } = reportIn(load.stdout);
  assert.deepEqual([interrupted, runs.succeeded, runs.cancelled], [true, 0, 8]);
  assert.ok(durationMs < 20_000);
});

test('a server is driven over HTTP, and its own figures are shown for what they cover', async () => {
  await using server = new Sophia(['serve', '--module', AGENTS, '--port', '0', '--prewarm']);
  const url = await server.url();
  const args = [...LOAD, '--agent', 'quick', '--concurrency', '20', '--duration', '300ms', '--url', url, '--json'];
  const first = await sophia(args);
  assert.equal(first.code, 0);
  const fresh = reportIn(first.stdout);
  assert.equal(fresh.url, url);
  assert.equal(fresh.pool.window, 'this load');
  assert.equal(fresh.pool.hits + fresh.pool.misses + fresh.pool.waits, fresh.runs.succeeded);
  const again = reportIn((await sophia(args)).stdout);
  assert.match(again.pool.window, /^1m of the server/);
  assert.equal(again.pool.hits + again.pool.misses + again.pool.waits, again.runs.succeeded);
  const unknown = await sophia([...LOAD, '--agent', 'mute', '--url', url]);
  assert.equal(unknown.code, 2);
});
