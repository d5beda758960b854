/** sophia.config: read from the working directory or where it is said, stronger than the class, weaker than SOPHIA_POOLS. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { sophiaConfig } from '../src/sophia-config.ts';
import { AGENTS, Sophia } from './sophia.ts';

interface Folder extends AsyncDisposable {
  readonly path: string;
  write(name: string, text: string): Promise<string>;
}

async function folder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'sophia-config-'));
  return {
    path,
    write: async (name, text) => {
      await writeFile(join(path, name), text);
      return join(path, name);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

/** The settings of the first agent that a server describes. */
async function poolOf(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  await using sophia = new Sophia(['serve', '--port', '0', '--module', AGENTS, ...args], environment);
  const [, url] = await sophia.says(/Serving .* at (\S+)/);
  const answer = (await (await fetch(`${url}/api/agents`)).json()) as {
    agents: { type: string; pool: { max: number } }[];
  };
  return Object.fromEntries(answer.agents.map(({ type, pool }) => [type, pool.max]));
}

test('the settings of a file hold for the types that it names, and SOPHIA_POOLS is stronger', async () => {
  await using files = await folder();
  const usual = await poolOf([]);
  const [type] = Object.keys(usual) as [string];
  const pools = { [type]: { max: 3 } };
  const config = await files.write('any.mjs', `export default ${JSON.stringify({ pools })};`);
  assert.deepEqual(await poolOf(['--config', config]), { ...usual, [type]: 3 });
  const stronger = JSON.stringify({ [type]: { max: 4 } });
  assert.deepEqual(await poolOf(['--config', config], { SOPHIA_POOLS: stronger }), { ...usual, [type]: 4 });
});

test('each kind of file is read, and no file means no settings', async () => {
  await using files = await folder();
  assert.deepEqual(await sophiaConfig(undefined), {});
  const pools = { support: { max: 20 } };
  const module = `export default ${JSON.stringify({ pools })};`;
  for (const name of ['a.ts', 'b.js', 'c.mjs']) {
    assert.deepEqual(await sophiaConfig(await files.write(name, module)), { pools }, name);
  }
  assert.deepEqual(await sophiaConfig(await files.write('d.json', JSON.stringify({ pools }))), { pools });
});

test('a file that cannot be used is refused with its path, the reason and what it should say', async () => {
  await using files = await folder();
  const cases = {
    'broken.json': ['{', /JSON/],
    'list.json': ['[]', /does not export an object/],
    'none.mjs': ['export const pools = {};', /does not export an object/],
    'typo.json': ['{"pool":{}}', /"pool", which is not known/],
    'throws.mjs': ['throw new Error("no luck");', /no luck/],
  } as const;
  for (const [name, [text, why]] of Object.entries(cases)) {
    const path = await files.write(name, text);
    await assert.rejects(sophiaConfig(path), (error: Error & { code: string }) => {
      assert.equal(error.code, 'CONFIG_FILE_INVALID');
      assert.ok(error.message.includes(name), error.message);
      assert.match(error.message, why);
      return true;
    });
  }
  await assert.rejects(sophiaConfig(join(files.path, 'missing.ts')), { code: 'CONFIG_FILE_INVALID' });
});

test('a wrong setting in the file ends the command with the option and what is allowed', async () => {
  await using files = await folder();
  const config = await files.write('sophia.config.json', '{"pools":{"any":{"max":0}}}');
  await using sophia = new Sophia(['serve', '--port', '0', '--module', AGENTS, '--config', config]);
  assert.notEqual(await sophia.exit, 0);
  assert.match(sophia.stderr, /'max' was given as 0; allowed/);
});
