/** Every acquire settles by its deadline, whatever create and reset do. */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { PoolOptions } from '@sophia-ai/core';

import { agentClass, desk, snapshotOf, watch } from './support/agents.ts';
import type { Recipe, Thing } from './support/agents.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);
const WAIT_MS = 1_000;
/** A deadline is rounded up by at most this. */
const GRAIN_MS = 16;

const HOOKS: Record<string, (after: (ms: number) => Promise<void>) => () => unknown> = {
  'succeeds at once': () => () => ({ id: 1 }),
  'succeeds slowly': (after) => async () => {
    await after(700);
    return { id: 1 };
  },
  'succeeds too late': (after) => async () => {
    await after(5_000);
    return { id: 1 };
  },
  'never settles': () => forever,
  rejects: () => () => Promise.reject(new Error('rejected')),
  throws: () => () => {
    throw new Error('thrown');
  },
};

for (const [created, create] of Object.entries(HOOKS)) {
  for (const [cleaned, reset] of Object.entries(HOOKS)) {
    for (const reuse of ['exclusive', 'shared', 'single-use'] as const) {
      test(`${reuse}: every acquire settles by its deadline when create ${created} and reset ${cleaned}`, async () => {
        const { optimizer, clock } = desk();
        const after = (ms: number): Promise<void> => new Promise((resolve) => void clock.startTimer(resolve, ms));
        const pool: PoolOptions = { reuse, max: 2, waitMs: WAIT_MS, createTimeoutMs: 2_000, resetTimeoutMs: 2_000 };
        const Support = agentClass({
          pool,
          create: create(after) as NonNullable<Recipe['create']>,
          reset: reset(after) as (thing: Thing) => unknown,
        });
        const acquires = [];
        for (let step = 0; step < 20; step += 1) {
          for (let each = 0; each < 2; each += 1) {
            const watched = watch(optimizer.pooled(Support));
            acquires.push({ watched, dueMs: clock.now() + WAIT_MS + GRAIN_MS });
            void watched.promise.then(
              (agent) => {
                assert.ok(agent.resources);
                clock.startTimer(() => agent.release(), 30);
              },
              () => undefined,
            );
          }
          await clock.advance(97);
          for (const { watched, dueMs } of acquires) {
            assert.ok(watched.state !== 'pending' || clock.now() <= dueMs, 'pending after its deadline');
          }
        }
        await clock.advance(WAIT_MS + GRAIN_MS);
        assert.ok(acquires.every(({ watched }) => watched.state !== 'pending'));
        assert.equal(snapshotOf(optimizer).waiting, 0);
        const closed = watch(optimizer.close({ timeoutMs: 100 }));
        await clock.advance(60_000);
        assert.equal(closed.state, 'resolved');
        assert.equal(clock.pending, 0);
      });
    }
  }
}
