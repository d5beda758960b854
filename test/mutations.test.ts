/** A few planted bugs, chosen anew each time, so that tests that notice nothing are noticed; `npm run mutations` plants all. */

import assert from 'node:assert/strict';
import { matchesGlob } from 'node:path';
import test from 'node:test';

import { PROMISES } from '../tools/prove-pool/promises.ts';
import { hunt } from './mutations/hunt.ts';
import { TESTS, outdated } from './mutations/mutation.ts';
import { REPOSITORY } from './mutations/repository-copy.ts';
import { MUTATIONS, chosen } from './mutations/table.ts';

const SEED = Number(process.env['SOPHIA_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const PLANTED = 3;

test('every mutation can still be planted', () => {
  assert.deepEqual(
    MUTATIONS.map((mutation) => outdated(mutation, REPOSITORY)).filter((why) => why !== undefined),
    [],
  );
});

test('no two mutations have the same name, and each promise has at least one', () => {
  assert.equal(new Set(MUTATIONS.map(({ name }) => name)).size, MUTATIONS.length);
  const broken = new Set<unknown>(MUTATIONS.map(({ promise }) => promise));
  const untested = PROMISES.map(({ id }) => id).filter((id) => !broken.has(id));
  assert.deepEqual(untested, ['canary', 'mutations']);
});

test('the tests that must notice a mutation are evidence for the promise that it breaks', () => {
  for (const { name, promise, tests } of MUTATIONS) {
    const patterns = PROMISES.find(({ id }) => id === promise)?.evidence.flatMap(({ files }) => files) ?? [];
    for (const each of tests) {
      const file = `${TESTS}/${each}.test.ts`;
      assert.ok(
        patterns.some((pattern) => matchesGlob(file, pattern)),
        `${name}: ${file}`,
      );
    }
  }
});

test(`${PLANTED} mutations are noticed`, async (t) => {
  t.diagnostic(`SOPHIA_SEED=${SEED}`);
  const planted = chosen(PLANTED, SEED, ({ isSlow }) => isSlow === undefined);
  for (const { mutation, kind, how } of await hunt(planted)) {
    t.diagnostic(`${mutation.name}: ${kind}, ${how}`);
    assert.equal(kind, 'caught', `${mutation.name}: ${how}`);
  }
});
