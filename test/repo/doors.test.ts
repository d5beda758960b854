import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

/**
 * The names that each door lets out at run time. A change here is a change of the public interface: it needs a
 * changeset, and a new name needs its page.
 */
const DOORS: Record<string, readonly string[]> = JSON.parse(
  readFileSync(new URL('doors.json', import.meta.url), 'utf8'),
) as Record<string, readonly string[]>;

for (const [door, names] of Object.entries(DOORS)) {
  test(`${door} exports exactly the recorded names`, async () => {
    assert.deepEqual(Object.keys((await import(door)) as object).toSorted(), [...names].toSorted());
  });
}

test('every door of every package is recorded', () => {
  const found = ['core', 'agents', 'server', 'cli'].flatMap((name) => {
    const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')) as { exports?: object };
    return Object.keys(manifest.exports ?? {})
      .filter((path) => path !== './package.json')
      .map((path) => `@sophia-ai/${name}${path.slice(1)}`);
  });
  assert.deepEqual(found.toSorted(), Object.keys(DOORS).toSorted());
});
