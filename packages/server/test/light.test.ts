import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '@sophia-ai/core';
import type { WindowFigures } from '@sophia-ai/core';
import { instantiationLight } from '../src/light.ts';

/** Figures of a window in which these durations were measured, in microseconds. */
function figures({
  hits = [],
  misses = [],
  waits = [],
}: Partial<Record<'hits' | 'misses' | 'waits', number[]>>): WindowFigures {
  const all = [...hits, ...misses, ...waits];
  const mean = all.length === 0 ? null : all.reduce((sum, us) => sum + us, 0) / all.length;
  const none = summary([]);
  return {
    windowMs: 1,
    samples: all.length,
    avgInstantiationUs: mean,
    instantiation: summary(all),
    avgAcquireUs: mean,
    hitRatio: null,
    timings: {
      hit: summary(hits),
      miss: summary(misses),
      wait: summary(waits),
      create: none,
      reset: none,
      use: none,
      run: none,
    },
  };
}

function summary(durations: number[]): WindowFigures['timings']['hit'] {
  const histogram = new Histogram();
  for (const us of durations) histogram.record(us);
  return histogram.summary();
}

const many = (us: number): number[] => Array.from({ length: 100 }, () => us);

test('the light is unknown before the first hand-out', () => {
  assert.equal(instantiationLight(figures({})).verdict, 'unknown');
});

test('the light is green only if p99 of hits and the average with the queue are below 10 µs', () => {
  assert.deepEqual(instantiationLight(figures({ hits: many(2) })).verdict, 'green');
  assert.equal(instantiationLight(figures({ hits: many(9.5) })).verdict, 'green');
  assert.equal(instantiationLight(figures({ hits: many(10.5) })).verdict, 'red');
});

test('a good average does not hide slow hits', () => {
  const light = instantiationLight(figures({ hits: [...many(1), 60, 60, 60] }));
  assert.deepEqual([light.verdict, light.cause], ['red', 'hits']);
});

test('the light names misses or waits, whichever cost borrowers more', () => {
  const missed = instantiationLight(figures({ hits: many(1), misses: [50_000], waits: [2_000] }));
  assert.deepEqual([missed.verdict, missed.cause], ['red', 'misses']);
  const waited = instantiationLight(figures({ hits: many(1), misses: [2_000], waits: [50_000] }));
  assert.deepEqual([waited.verdict, waited.cause], ['red', 'waits']);
  assert.match(waited.reason, /1\.0 % of hand-outs queued .* p99 49\.92 ms/);
});

test('hand-outs of which none was a hit are never green', () => {
  assert.equal(instantiationLight(figures({ misses: many(5) })).cause, 'misses');
  assert.equal(instantiationLight(figures({ waits: many(5) })).cause, 'waits');
});
