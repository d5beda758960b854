/**
 * Five times more borrowers than entries, for a long time: the entries are kept busy, everybody waits in line and gets
 * the same share. `SOPHIA_PROVE=full` runs ten times as long.
 */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { PoolOptions } from '@sophia-ai/core';

import { agentClass, desk, snapshotOf } from './support/agents.ts';
import type { Desk, Recipe } from './support/agents.ts';
import { closes, pass, sized } from './support/outcomes.ts';

const ENTRIES = 10;
const BORROWERS = 50;
const HOLD_MS = 1_000;
const CREATE_MS = 100;
const RESET_MS = 5;
const LASTS_MS = sized(1_000_000);

interface Course {
  /** Who asked, and who was served, in order; by the number of the borrower. */
  readonly asked: number[];
  readonly served: number[];
  readonly waits: number[];
  /** Full holds of each borrower. */
  readonly done: number[];
  mostAtOnce: number;
}

/** Borrowers that hold for a second, give back and ask again at once, until the time is over. */
async function saturate({ clock, optimizer }: Desk, recipe: Recipe): Promise<Course> {
  const Busy = agentClass({
    ...recipe,
    pool: { max: ENTRIES, ...recipe.pool },
    create: async () => {
      await pass(clock, CREATE_MS);
      return { id: 0 };
    },
  });
  const done = Array.from({ length: BORROWERS }, () => 0);
  const course: Course = { asked: [], served: [], waits: [], done, mostAtOnce: 0 };
  const holders = new Set<number>();
  const borrower = async (index: number): Promise<void> => {
    while (clock.now() < LASTS_MS) {
      const startMs = clock.now();
      course.asked.push(index);
      const agent = await optimizer.pooled(Busy, undefined, { owner: `b${index}` });
      course.served.push(index);
      course.waits.push(clock.now() - startMs);
      holders.add(index);
      course.mostAtOnce = Math.max(course.mostAtOnce, holders.size);
      assert.ok(agent.resources, 'so that there is something to clean');
      await pass(clock, HOLD_MS);
      holders.delete(index);
      // What ends after the time is over was begun in it, but is no throughput of it.
      if (clock.now() <= LASTS_MS) done[index] = (done[index] as number) + 1;
      agent.release();
    }
  };
  const all = Promise.all(Array.from({ length: BORROWERS }, (_, index) => borrower(index)));
  await clock.advance(LASTS_MS + (BORROWERS / ENTRIES + 1) * (HOLD_MS + RESET_MS) + CREATE_MS);
  await all;
  return course;
}

const VARIANTS: Record<string, (course: Desk) => Recipe> = {
  'nothing to clean': () => ({ reset: 'stateless' }),
  'a reset that ends at once': () => ({ reset: () => undefined }),
  [`a reset of ${RESET_MS} ms`]: ({ clock }) => ({ reset: () => pass(clock, RESET_MS) }),
  'health checks and a floor of idle entries': () => ({
    reset: 'stateless',
    pool: { minIdle: ENTRIES, validateEveryMs: 700 } satisfies PoolOptions,
    validate: () => true,
  }),
};

for (const [name, recipe] of Object.entries(VARIANTS)) {
  test(`${BORROWERS} borrowers on ${ENTRIES} entries for ${LASTS_MS / 1_000} s, ${name}: 98 % of what N entries can do, in order, in equal shares`, async () => {
    const here = desk();
    const course = await saturate(here, recipe(here));
    const { asked, served, waits, done, mostAtOnce } = course;
    const total = done.reduce((sum, each) => sum + each, 0);
    const ideal = (ENTRIES * LASTS_MS) / HOLD_MS;
    assert.ok(total >= 0.98 * ideal && total <= ideal, `${total} holds of ${ideal} possible ones`);
    assert.equal(mostAtOnce, ENTRIES);
    assert.deepEqual(served, asked, 'first come, first served');
    assert.ok(Math.max(...done) - Math.min(...done) <= 1, `unequal shares: ${done.join()}`);
    // Everybody has the same number of others before it: all but those that hold.
    const turnMs = ((BORROWERS - ENTRIES) / ENTRIES) * (HOLD_MS + RESET_MS);
    const longest = waits.reduce((most, each) => Math.max(most, each), 0);
    assert.ok(longest <= turnMs + ENTRIES * CREATE_MS, `somebody waited for ${longest} ms`);
    const { counters, waiting, leased, idle } = snapshotOf(here.optimizer);
    assert.deepEqual([waiting, leased, idle], [0, 0, ENTRIES]);
    assert.deepEqual([counters.created, counters.failures, counters.destroyed], [ENTRIES, {}, {}]);
    assert.equal(counters.handOuts, served.length);
    await closes(here);
  });
}
