import assert from 'node:assert/strict';
import test from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { plantByForce } from './plants.ts';
import { search } from './search.ts';
import { randomFrom, secretOf } from './secrets.ts';
import { SUBJECTS } from './subjects.ts';
import type { Subject } from './subjects.ts';

const random = randomFrom(20_261_122);
const ADA = secretOf(1, random);
const BOB = secretOf(2, random);

/** Ada writes past what the class offers, on every object of the resources that a property leads to. */
async function metByBob({ agentClass, config, byForce }: Subject): Promise<number> {
  await using optimizer = new AgnoPerformanceOptimizer();
  const ada = await optimizer.pooled(agentClass, config(ADA, 'ada'), { tenant: 'ada' });
  const undo = plantByForce(ada.resources, ADA);
  ada.release();
  await using bob = await optimizer.pooled(agentClass, config(BOB, 'bob'), { tenant: 'bob' });
  const met = search({ bob, resources: bob.resources }, { own: BOB }).foreign.length;
  // What stays may be a module's, which outlives the pool.
  if (!byForce) undo();
  return met;
}

for (const subject of [...SUBJECTS.light, ...SUBJECTS.heavy]) {
  const { type } = subject.agentClass;
  if (subject.byForce) {
    test(`what is written by force on the resources of '${type}' is met by nobody`, async () => {
      assert.equal(await metByBob(subject), 0);
    });
  } else {
    test(`what is written by force on the resources of '${type}' stays: its class offers no such thing`, async (t) => {
      const met = await metByBob(subject);
      t.diagnostic(`met in ${met} places`);
      assert.ok(met > 0, 'it no longer stays: let all borrowers of this subject write by force');
    });
  }
}
