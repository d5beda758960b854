import assert from 'node:assert/strict';
import test from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { ManualClock } from '@sophia-ai/core/testing';
import { Tally, manyBorrow } from './borrowers.ts';
import { hardAgent } from './hard-agent.ts';
import type { Hideouts } from './hideouts.ts';
import { PLACES } from './hideouts.ts';
import { Hidden } from './hidden.ts';
import { secretsInHeap, secretsInProcess } from './memory.ts';
import { MemoryProcess } from './memory-process.ts';
import { plantByForce } from './plants.ts';
import { search, secretsInBytes } from './search.ts';
import { randomFrom, secretOf } from './secrets.ts';
import { hard } from './subjects.ts';

const random = randomFrom(20_261_122);
const ADA = secretOf(1, random);
const BOB = secretOf(2, random);
const CHILD = 'the memory of a child process';

/** What Bob meets, by each kind of search, after Ada has left her secret in every place that there is. */
async function afterAda(forgotten?: string): Promise<Record<'walk' | 'eye' | 'question', readonly string[]>> {
  const withProcess = forgotten === undefined || forgotten === CHILD;
  const HardAgent = hardAgent({ type: 'hard', pool: { max: 1 }, withProcess, ...(forgotten && { forgotten }) });
  await using optimizer = new AgnoPerformanceOptimizer();
  const ada = await optimizer.pooled(HardAgent, { tenant: 'ada', secret: ADA, notes: { more: [] } });
  await ada.run('leave');
  const { resources } = ada;
  ada.release();

  using hidden = new Hidden();
  await using bob = await optimizer.pooled(HardAgent, { tenant: 'bob', secret: BOB, notes: { more: [] } });
  const roots: { bob: object; resources: Hideouts } = { bob, resources: bob.resources };
  assert.equal(roots.resources, resources, 'Bob did not get what Ada had, so this shows nothing');
  const kinds = {
    walk: search(roots, { own: BOB }),
    eye: search(roots, { own: BOB, hidden: hidden.eye() }),
    question: search({ told: await bob.run('tell') }, { own: BOB }),
  };
  for (const { limited } of Object.values(kinds)) assert.equal(limited, false);
  const places = ({ foreign }: ReturnType<typeof search>): string[] => {
    for (const { secret } of foreign) assert.equal(secret, ADA);
    return foreign.map(({ path }) => path);
  };
  return { walk: places(kinds.walk), eye: places(kinds.eye), question: places(kinds.question) };
}

for (const [name, { foundBy }] of Object.entries(PLACES)) {
  test(`forgetting ${name} is found`, async (t) => {
    const { walk, eye, question } = await afterAda(name);
    t.diagnostic([...walk, ...eye, ...question].join(', '));
    assert.equal(walk.length > 0, foundBy === 'walk');
    assert.equal(eye.length > 0, foundBy !== 'question');
    if (foundBy === 'question') assert.ok(question.length > 0);
  });
}

test('a reset that forgets nothing leaves nothing to be found', async () => {
  assert.deepEqual(await afterAda(), { walk: [], eye: [], question: [] });
});

test('borrowers of a pool whose reset forgets a place meet what others left', async () => {
  const subject = hard({ type: 'leaky', pool: { max: 2 }, forgotten: 'a Set' }, [200, 200]);
  const clock = new ManualClock();
  await using optimizer = new AgnoPerformanceOptimizer({ clock });
  using hidden = new Hidden();
  const tally = new Tally('leaky');
  const scene = { subject, optimizer, clock, random, hidden, tally, firstIndex: 1_000 };
  await manyBorrow(scene, 200);
  assert.equal(tally.checkouts, 200);
  assert.ok(tally.foreignSecrets > 100, `${tally.foreignSecrets} were met`);
  assert.match(tally.foreign[0] as string, /^leaky: kanarienvogel-\S+ at resources\.set\./);
});

test('by force a secret gets on and into everything that is not frozen, and can be taken back', () => {
  const sealed = Object.seal({ text: 'before' });
  const inside = { map: new Map([['a', {}]]), set: new Set(['b']), list: ['c'], sealed, method: () => undefined };
  const frozen = Object.freeze({ inside, fixed: 'as it was' });
  const undo = plantByForce(frozen, ADA);
  const paths = new Set(search({ frozen }).foreign.map(({ path }) => path));
  for (const place of ['map.[entry]', 'set.[entry]', 'list.1', 'sealed.text', 'method.Symbol(stray)']) {
    assert.ok(paths.has(`frozen.inside.${place}`), place);
  }
  assert.equal(frozen.fixed, 'as it was');
  undo();
  assert.deepEqual(search({ frozen }).foreign, []);
  assert.deepEqual(inside.list, ['c']);
  assert.equal(sealed.text, 'before');
});

test('what is too much to look at is said to have been left out', () => {
  const all = Array.from({ length: 100 }, (_, index) => ({ index }));
  assert.equal(search({ all }, { maxObjects: 50 }).limited, true);
  assert.equal(search({ all }, { maxObjects: 500 }).limited, false);
});

test('the own secret is told apart from those of others', () => {
  const { own, foreign } = search({ mixed: [`${ADA} and ${BOB}`] }, { own: BOB });
  assert.deepEqual(own, [{ secret: BOB, path: 'mixed.0' }]);
  assert.deepEqual(foreign, [{ secret: ADA, path: 'mixed.0' }]);
});

test('bytes around a view count as stale, bytes in it as met', () => {
  const pool = Buffer.alloc(256);
  pool.write(ADA, 16, 'latin1');
  const around = search({ view: pool.subarray(0, 8) });
  assert.deepEqual([around.foreign.length, around.stale.length], [0, 1]);
  const within = search({ view: pool.subarray(8, 128) });
  assert.deepEqual([within.foreign.length, within.stale.length], [1, 0]);
  assert.deepEqual(secretsInBytes(Buffer.from(`x${ADA}y`, 'utf16le')), [ADA]);
});

test('what a variable keeps is found in the heap, and no longer once it is let go', { timeout: 60_000 }, async () => {
  const index = 3;
  const keeper: { kept: string | undefined } = { kept: secretOf(index, random) };
  const isKept = async (): Promise<boolean> =>
    [...(await secretsInHeap())].some((secret) => secret.includes(`-${index.toString(36).padStart(6, '0')}-`));
  assert.equal(await isKept(), true);
  keeper.kept = undefined;
  assert.equal(await isKept(), false);
});

test(
  'what a process remembers is found in its memory, and not in that of its successor',
  { timeout: 60_000 },
  async (t) => {
    const { signal } = new AbortController();
    const first = await MemoryProcess.start(signal);
    await first.ask({ remember: ADA });
    const found = await secretsInProcess(first.pid as number);
    await first.end();
    if (found === undefined) return t.skip('the memory of a process cannot be read here');
    assert.deepEqual([...found], [ADA]);
    const successor = await MemoryProcess.start(signal);
    assert.equal((await secretsInProcess(successor.pid as number))?.size, 0);
    await successor.end();
  },
);
