/**
 * HikariCP's demonstration: creating takes 150 ms, a use takes 2 ms, 50 borrowers come at once and there is room for 50.
 * Entries that are made for the crowd would come when the crowd is gone: a few must do. `SOPHIA_PROVE=full` runs ten
 * times as many random spikes; `SOPHIA_PROVE_SEED=…` repeats them.
 */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { PoolOptions } from '@sophia-ai/core';

import { agentClass, desk, snapshotOf } from './support/agents.ts';
import { Chance, SEED, closes, pass, sized } from './support/outcomes.ts';

const BORROWERS = 50;
const CREATE_MS = 150;
const USE_MS = 2;
/** What their pool made in the same spike was 5 + 3. */
const MOST_CREATED = 8;

interface Spike {
  readonly pool: PoolOptions;
  /** How long the pool has stood before the crowd comes. */
  readonly leadMs: number;
  readonly createMs?: () => number;
  readonly useMs?: () => number;
  readonly comesAfterMs?: () => number;
}

interface Served {
  readonly created: number;
  readonly served: readonly number[];
  readonly mostCreating: number;
  readonly idle: number;
  /** From the first of the crowd to the last one's hand-out. */
  readonly lastMs: number;
}

async function crowd(spike: Spike): Promise<Served> {
  const { pool, leadMs, createMs = () => CREATE_MS, useMs = () => USE_MS, comesAfterMs = () => 0 } = spike;
  const { optimizer, clock } = desk();
  let created = 0;
  let creating = 0;
  let mostCreating = 0;
  const Slow = agentClass({
    pool: { max: BORROWERS, ...pool },
    create: async () => {
      creating += 1;
      mostCreating = Math.max(mostCreating, creating);
      await pass(clock, createMs());
      creating -= 1;
      created += 1;
      return { id: created };
    },
  });
  optimizer.register(Slow);
  await clock.advance(leadMs);
  const served: number[] = [];
  let lastMs = 0;
  const all = Array.from({ length: BORROWERS }, async (_, index) => {
    await pass(clock, comesAfterMs());
    await optimizer.use(Slow, undefined, async () => {
      served.push(index);
      lastMs = clock.now() - leadMs;
      await pass(clock, useMs());
    });
  });
  await clock.advance(5_000);
  await Promise.all(all);
  const { idle, counters } = snapshotOf(optimizer);
  assert.equal(counters.handOuts, BORROWERS);
  assert.deepEqual([counters.failures, counters.destroyed, counters.created], [{}, {}, created]);
  await closes({ optimizer, clock });
  return { created, served, mostCreating, idle, lastMs };
}

const STARTS: Record<string, { readonly pool: PoolOptions; readonly leadMs: number; readonly created: number }> = {
  'an empty pool, nothing kept idle': { pool: {}, leadMs: 0, created: 4 },
  'a new pool that is to keep 5 idle': { pool: { minIdle: 5 }, leadMs: 0, created: 5 },
  'a pool that has its 5 idle ones ready': { pool: { minIdle: 5 }, leadMs: 1_000, created: 7 },
};

for (const [name, { pool, leadMs, created }] of Object.entries(STARTS)) {
  test(`a spike of ${BORROWERS} on ${name}: at most ${created} entries are created, all are served`, async () => {
    const outcome = await crowd({ pool, leadMs });
    assert.ok(created <= MOST_CREATED);
    assert.ok(outcome.created <= created, `${outcome.created} entries for ${BORROWERS} short uses`);
    assert.deepEqual(
      outcome.served,
      Array.from({ length: BORROWERS }, (_, index) => index),
      'first come, first served',
    );
    assert.equal(outcome.mostCreating, 2, 'as many at a time as createConcurrency allows');
    assert.equal(outcome.idle, outcome.created);
    const longestMs = CREATE_MS + (BORROWERS / 2) * USE_MS;
    assert.ok(outcome.lastMs <= longestMs, `the last one was served after ${outcome.lastMs} ms`);
  });
}

const SPIKES = sized(1_000);

test(`${SPIKES} spikes that are never quite the same: at most ${MOST_CREATED} entries each, all are served`, async (t) => {
  t.diagnostic(`SOPHIA_PROVE_SEED=${SEED}`);
  const chance = new Chance(SEED);
  let most = 0;
  for (let index = 0; index < SPIKES; index += 1) {
    const spreadMs = chance.integer(0, 20);
    const { created, served } = await crowd({
      pool: { minIdle: chance.integer(0, 5) },
      leadMs: chance.of(0, 70, 150, 1_000),
      createMs: () => chance.integer(120, 180),
      useMs: () => chance.integer(1, 3),
      comesAfterMs: () => chance.integer(0, spreadMs),
    });
    assert.equal(new Set(served).size, BORROWERS);
    assert.ok(created <= MOST_CREATED, `spike ${index}: ${created} entries`);
    most = Math.max(most, created);
  }
  t.diagnostic(`at most ${most} entries`);
});
