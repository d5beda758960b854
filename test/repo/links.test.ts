import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';

const pages = globSync('**/*.md', { exclude: (name) => /node_modules|dist|\.changeset|^\.git$/.test(name) });

function anchorsOf(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

for (const page of pages) {
  test(`the links of ${page} lead somewhere`, () => {
    const text = readFileSync(page, 'utf8').replaceAll(/```[\s\S]*?```/g, '');
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path = '', anchor] = (target as string).split('#');
      if (/^[a-z]+:/.test(path)) continue;
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(file), `${page} links to ${target}, which does not exist`);
      if (anchor !== undefined && file.endsWith('.md')) {
        assert.ok(anchorsOf(file).includes(anchor), `${file} has no heading for #${anchor}`);
      }
    }
  });
}

test('the example in the README is the first example, to the letter', () => {
  assert.ok(readFileSync('README.md', 'utf8').includes(readFileSync('examples/first-agent/agent.ts', 'utf8').trim()));
});
