import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';

import { inEmptyFolder, npm, pack, run } from '../../tools/packing.ts';

const USE = `
import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { measureMemory } from '@sophia-ai/core/node';
import { ManualClock } from '@sophia-ai/core/testing';
class Echo extends Agent<{ name: string }, { prefix: string }, string, string> {
  static override readonly type: string = 'echo';
  static override readonly pool: PoolOptions = { reuse: 'shared' };
  static create(): { prefix: string } { return { prefix: 'hello' }; }
  protected override async execute(text: string): Promise<string> { return \`\${this.resources.prefix} \${this.config.name} \${text}\`; }
}
const optimizer = new AgnoPerformanceOptimizer();
optimizer.register(Echo);
const answer = await optimizer.use(Echo, { name: 'Ann' }, (agent) => agent.run('again'));
console.log(JSON.stringify({ answer, doors: [typeof measureMemory, typeof ManualClock] }));
await optimizer.close();
`;

test('the packed core installs offline into an empty folder, runs there and type-checks there', async () => {
  await inEmptyFolder((folder) => {
    const tarball = pack('core', folder);
    npm(folder, 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball);
    assert.deepEqual(JSON.parse(run(folder, USE)), { answer: 'hello Ann again', doors: ['function', 'function'] });
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2024',
          lib: ['es2024', 'esnext.disposable', 'dom'],
          strict: true,
          noEmit: true,
          types: [],
        },
        files: ['script.ts'],
      }),
    );
    // A stranger's compiler reads our .d.ts files, not our source.
    execFileSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', folder], { stdio: 'pipe' });
  });
});

test('the packed core holds its source, its build and its licence, and nothing else', async () => {
  await inEmptyFolder((folder) => {
    const tarball = pack('core', folder);
    const names = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    for (const name of names) {
      assert.match(name, /^package\/(?:dist\/|src\/|package\.json$|LICENSE$|README\.md$)/);
      assert.doesNotMatch(name, /\.test\.|tsbuildinfo/);
    }
    assert.ok(names.includes('package/LICENSE'), 'the licence is missing');
    assert.ok(names.includes('package/README.md'), 'the readme is missing');
    const manifest = JSON.parse(readFileSync('packages/core/package.json', 'utf8')) as { exports: object };
    assert.ok(Object.keys(manifest.exports).includes('./testing'));
  });
});
