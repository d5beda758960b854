import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const DEMOS = {
  'first-agent': 'Your order leaves our warehouse within two days; the link in your e-mail shows where it is.',
  'ai-sdk-shared': 'Politely: Order A17 of acme is on its way.',
  'mcp-session-exclusive': "[ 'acme' ] [ 'Ada: the engine can weave patterns' ]",
  'child-process-single-use': '42',
};

const run = promisify(execFile);
const readme = await readFile(new URL('README.md', import.meta.url), 'utf8');

for (const [name, printed] of Object.entries(DEMOS)) {
  const script = new URL(`${name}/agent.ts`, import.meta.url);

  test(`the demo of ${name} prints its answer and ends by itself`, async () => {
    const nodeArguments = ['--conditions=@sophia-ai/source', fileURLToPath(script)];
    const { stdout, stderr } = await run(process.execPath, nodeArguments, { timeout: 60_000 });
    assert.equal(stdout.trim(), printed);
    assert.equal(stderr, '');
  });

  test(`${name} stays under 70 lines and is listed with its command`, async () => {
    const lines = (await readFile(script, 'utf8')).trimEnd().split('\n');
    assert.ok(lines.length < 70, `${lines.length} lines`);
    assert.ok(readme.includes(`npx node --conditions=@sophia-ai/source examples/${name}/agent.ts`));
  });
}
