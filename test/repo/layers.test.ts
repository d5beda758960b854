import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';

/** Who may import whom, of our own packages. Everything else is a fault, type imports included. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  agents: ['core'],
  server: ['core'],
  cli: ['core', 'agents', 'server'],
};

const IMPORT = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => match[1] as string);
}

for (const [name, allowed] of Object.entries(MAY_IMPORT)) {
  test(`${name} imports no sibling but ${allowed.join(', ') || 'none'}, and only by name`, () => {
    const files = globSync(`packages/${name}/src/**/*.ts`);
    assert.ok(files.length > 0, `no source files of ${name} were found`);
    for (const file of files) {
      for (const imported of importsOf(file)) {
        const sibling = /^@sophia-ai\/([a-z-]+)/.exec(imported)?.[1];
        if (sibling !== undefined) assert.ok(allowed.includes(sibling), `${file} imports ${imported}`);
        assert.doesNotMatch(
          imported,
          /\.\.\/(?:\.\.\/)+(?:core|agents|server|cli)\//,
          `${file} reaches into a sibling`,
        );
      }
    }
  });

  test(`${name} lists exactly the siblings that it may import as dependencies`, () => {
    const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    const listed = Object.keys(manifest.dependencies ?? {}).filter((dependency) =>
      dependency.startsWith('@sophia-ai/'),
    );
    assert.deepEqual(
      listed.map((dependency) => dependency.slice('@sophia-ai/'.length)).toSorted(),
      [...allowed].toSorted(),
    );
  });
}

test('core has no dependency, and only its node folder imports node', () => {
  const manifest = JSON.parse(readFileSync('packages/core/package.json', 'utf8')) as { dependencies?: object };
  assert.deepEqual(manifest.dependencies ?? {}, {});
  for (const file of globSync('packages/core/src/{*,base/*,measure/*,run/*,safety/*,settings/*,upkeep/*}.ts')) {
    for (const imported of importsOf(file)) assert.match(imported, /^\.{1,2}\//, `${file} imports ${imported}`);
  }
});
