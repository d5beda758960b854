import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';

import { ERROR_CODES } from '@sophia-ai/core';
import { SERVER_ERROR_CODES } from '@sophia-ai/server';
import { CLI_ERROR_CODES } from '../../packages/cli/src/cli-error.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const documented = [...page.matchAll(/^### ([A-Z_]+)$/gm)].map((match) => match[1] as string);
const codes = [...Object.keys(ERROR_CODES), ...Object.keys(SERVER_ERROR_CODES), ...Object.keys(CLI_ERROR_CODES)];

test('every error code has its section in docs/errors.md, and every section its code', () => {
  assert.deepEqual(documented.toSorted(), codes.toSorted());
});

test('no section stands twice and none is empty', () => {
  assert.equal(new Set(documented).size, documented.length);
  for (const code of documented) {
    const [, section = ''] = page.split(`### ${code}\n`);
    const text = section.split(/^##/m)[0] as string;
    assert.ok(text.trim().length > 20, `${code} has no explanation`);
  }
});

test('every error code is used somewhere in the source', () => {
  const source = globSync('packages/*/src/**/*.ts')
    .filter((file) => !/(?:errors|problems)\.ts$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const errors = readFileSync('packages/core/src/errors.ts', 'utf8').replace(/ERROR_CODES = \{[\s\S]*?\} as const/, '');
  for (const code of codes) {
    assert.ok(source.includes(`'${code}'`) || errors.includes(`'${code}'`), `${code} is thrown nowhere`);
  }
});
