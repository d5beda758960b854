import assert from 'node:assert/strict';
import test from 'node:test';
import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { StandardSchema } from '@sophia-ai/core';
import { plantByForce } from './plants.ts';
import { search } from './search.ts';
import { randomFrom, secretOf } from './secrets.ts';

const random = randomFrom(20_261_122);
const ADA = secretOf(1, random);
const BOB = secretOf(2, random);

interface Labels {
  readonly labels: string[];
}

/** Makes a value of its own of what it is given, as schema libraries do. */
const LABELS: StandardSchema<unknown, Labels | undefined> = {
  '~standard': {
    version: 1,
    vendor: 'by-hand',
    validate: (given) => ({ value: { labels: [...((given as Labels | undefined)?.labels ?? [])] } }),
  },
};

class LabelAgent extends Agent<Labels | undefined> {
  static override readonly type: string = 'label';
  static readonly config = LABELS;
  static readonly reset = 'stateless';
}

/** Ada writes on her checked config; what does Bob meet, who gives the same or also nothing? */
async function metByBob(config?: Labels): Promise<readonly string[]> {
  await using optimizer = new AgnoPerformanceOptimizer();
  using ada = await optimizer.pooled(LabelAgent, config, { tenant: 'ada' });
  plantByForce(ada.config, ADA);
  using bob = await optimizer.pooled(LabelAgent, config, { tenant: 'bob' });
  return search({ bob }, { own: BOB }).foreign.map(({ path }) => path);
}

test('what is written on the config that a schema made of nothing is met by nobody', async () => {
  assert.deepEqual(await metByBob(), []);
});

test('what is written on the checked config is met by nobody who gives the same object', async () => {
  const config = { labels: ['sales'] };
  assert.deepEqual(await metByBob(config), []);
  assert.deepEqual(config, { labels: ['sales'] });
});
