import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { PerformanceMetrics } from '@sophia-ai/server';
import { Sophia, until } from './sophia.ts';

const shell = promisify(execFile);

test('start serves every agent with a labelled sample workload, and prints three lines that work when pasted', async () => {
  await using sophia = new Sophia(['start', '--port', '0', '--host', 'localhost']);
  await sophia.says(/Ctrl-C stops\./);
  assert.match(sophia.stdout, /SAMPLE WORKLOAD/);
  const lines = sophia.stdout.match(/^ {2}curl .*$/gm) ?? [];
  assert.equal(lines.length, 3);
  const bodies: unknown[] = [];
  for (const line of lines) {
    const { stdout } = await shell('sh', ['-c', `${line.trim()} --fail`], { maxBuffer: 2 ** 24 });
    bodies.push(JSON.parse(stdout));
  }
  const [first, agents, run] = bodies as [
    PerformanceMetrics & { sample_workload: boolean },
    { sample_workload: boolean },
    object,
  ];
  assert.deepEqual([first.sample_workload, agents.sample_workload], [true, true]);
  assert.deepEqual(Object.keys(run), ['run', 'output']);
  assert.deepEqual(Object.keys(first.summary), ['call-analysis', 'insight-extraction']);
  const [, url = ''] = sophia.stdout.match(/starting at (\S+)/) ?? [];
  await until(async () => {
    const { summary } = (await (await fetch(`${url}/api/metrics/agno-performance`)).json()) as PerformanceMetrics;
    const grown = Object.entries(summary).every(([type, now]) => {
      assert.equal(now.pool_max, 10);
      assert.deepEqual(now.run_failures, {});
      return now.instantiation_samples > (first.summary[type]?.instantiation_samples ?? 0) + 3;
    });
    return grown ? true : undefined;
  }, 'the samples of every type have grown');
  sophia.process.kill('SIGINT');
  assert.equal(await sophia.exit, 0);
});
