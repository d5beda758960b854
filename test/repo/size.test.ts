/** The pool stays small enough to be read in one sitting: what stands beside it has folders of its own. */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';

/** Lines that hold code: no blank ones, no comments. */
function codeLines(file: string): number {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/|\/?\*|$)/.test(line)).length;
}

const DOORS = new Set(['index.ts', 'node.ts', 'testing.ts'].map((name) => `packages/core/src/${name}`));

test('the pool itself has under 3,000 lines of code', (t) => {
  const files = globSync('packages/core/src/*.ts').filter((file) => !DOORS.has(file));
  const lines = files.reduce((sum, file) => sum + codeLines(file), 0);
  const all = globSync('packages/core/src/**/*.ts').reduce((sum, file) => sum + codeLines(file), 0);
  t.diagnostic(`${lines} lines in ${files.length} files; the whole package ${all}`);
  assert.ok(lines < 3_000, `${lines} lines`);
});

test('what happens when acquire has to wait is two clicks from the front desk: pool, then waiting room', () => {
  const imports = (file: string): string => readFileSync(`packages/core/src/${file}`, 'utf8');
  assert.match(imports('agno-performance-optimizer.ts'), /from '\.\/pool\.ts'/);
  assert.match(imports('pool.ts'), /from '\.\/waiting-room\.ts'/);
  assert.match(imports('pool.ts'), /this\.room\.wait\(/);
  assert.match(readFileSync('ARCHITECTURE.md', 'utf8'), /waiting-room\.ts/);
});
