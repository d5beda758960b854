/** The main door runs in any JavaScript runtime: nothing that it reaches asks for a `node:` module. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const REFUSER = fileURLToPath(new URL('./support/refuse-node-modules.ts', import.meta.url));

function run(code: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(
    process.execPath,
    ['--conditions=@sophia-ai/source', '--import', REFUSER, '--input-type=module', '-e', code],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)) },
  );
}

test('with every node: module and Node’s globals refused, the main door loads and lends an agent', () => {
  const { status, stdout, stderr } = run(`
    const { Agent, AgnoPerformanceOptimizer } = await import('@sophia-ai/core');
    const { process: kept } = globalThis;
    const write = kept.stdout.write.bind(kept.stdout);
    for (const name of ['process', 'Buffer', 'setImmediate', 'clearImmediate', 'global', 'require']) delete globalThis[name];
    class Plain extends Agent {
      static type = 'plain';
      static reset = 'stateless';
      execute(input) { return 'answer to ' + input; }
    }
    const optimizer = new AgnoPerformanceOptimizer();
    const answer = await optimizer.use(Plain, undefined, (agent) => agent.run('x', { timeoutMs: 1_000 }));
    await optimizer.close();
    write(answer);
  `);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'answer to x');
});

test('the testing door is as neutral', () => {
  const { status, stderr } = run(`await import('@sophia-ai/core/testing');`);
  assert.equal(status, 0, stderr);
});

test('the refusal itself works: the node door is refused', () => {
  const { status, stderr } = run(`await import('@sophia-ai/core/node');`);
  assert.notEqual(status, 0);
  assert.match(stderr, /node:.* was asked for by .*core\/src/);
});

test('only the node door and its folder name node modules in their source', () => {
  const neutral = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.startsWith('node/') && path !== 'node.ts',
  );
  assert.ok(neutral.length > 20);
  for (const path of neutral) {
    const text = readFileSync(SRC + path, 'utf8');
    assert.doesNotMatch(text, /(?:from|import)\s*\(?\s*['"](?!\.)/, `${path} imports nothing but its neighbours`);
  }
});
