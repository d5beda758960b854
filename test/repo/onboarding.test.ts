import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';

const page = readFileSync('docs/onboarding.md', 'utf8');
const blocks = [...page.matchAll(/^```(\w+)(?: title="([^"]+)")?\n([\s\S]*?)^```$/gm)].map(
  ([, language, title, text]) => ({
    language,
    title,
    text: text as string,
  }),
);
const COMMAND = /^npx node (--conditions=\S+) (\S+)\n$/;

/** The shown output as a pattern: `…` stands for anything in its line, alone in a line for any lines. */
function pattern(shown: string): RegExp {
  const lines = shown
    .trim()
    .split('\n')
    .map((line) => (line === '…' ? '(?:.*\\n?)*' : RegExp.escape(line).replaceAll(RegExp.escape('…'), '.*') + '\\n?'));
  return new RegExp(`^${lines.join('')}$`);
}

test('every step of the onboarding page does what the page shows', (t) => {
  // Inside the repository, so that our packages are found as they are by the reader's own file.
  const folder = mkdtempSync(join(resolve('.'), '.onboarding-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  copyFileSync('LICENSE', join(folder, 'LICENSE'));
  let steps = 0;
  for (const [index, block] of blocks.entries()) {
    if (block.title !== undefined) writeFileSync(join(folder, block.title), block.text);
    const command = COMMAND.exec(block.text);
    if (block.language !== 'sh' || command === null) continue;
    const output = execFileSync(process.execPath, command.slice(1), { cwd: folder, encoding: 'utf8' });
    const shown = blocks[index + 1];
    assert.equal(shown?.language, 'text', `the output of ${command[2]} is not shown`);
    assert.match(output, pattern(shown.text));
    steps += 1;
  }
  assert.equal(steps, 3);
});

test('the first command of the page is the first command of the README', () => {
  assert.equal(blocks[0]?.text, 'npm ci && npm start\n');
  assert.match(readFileSync('README.md', 'utf8'), /npm ci && npm start/);
});
