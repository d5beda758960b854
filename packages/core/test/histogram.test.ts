/** The histogram answers within 0.8 % of the exact percentile, in a fixed amount of memory. */

import assert from 'node:assert/strict';
import { createHistogram } from 'node:perf_hooks';
import test from 'node:test';

import fc from 'fast-check';
import { Histogram } from '@sophia-ai/core';
import type { HistogramSummary } from '@sophia-ai/core';

const LARGEST_ERROR = 0.008;

/** A small generator with a seed, so that a failure can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

function exact(sorted: readonly number[], share: number): number {
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
}

function assertClose(actual: number | null, expected: number, what: string): void {
  assert.ok(actual !== null);
  assert.ok(Math.abs(actual - expected) <= LARGEST_ERROR * expected, `${what}: ${actual}, exactly ${expected}`);
}

function assertSummary(summary: HistogramSummary, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  assert.equal(summary.count, values.length);
  assertClose(summary.p50Us, exact(sorted, 0.5), 'p50');
  assertClose(summary.p95Us, exact(sorted, 0.95), 'p95');
  assertClose(summary.p99Us, exact(sorted, 0.99), 'p99');
  assertClose(summary.p999Us, exact(sorted, 0.999), 'p99.9');
  assertClose(summary.maxUs, sorted.at(-1) as number, 'max');
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs((summary.meanUs as number) - mean) <= 1e-6 * mean, 'the mean is exact');
}

const random = randomFrom(7);
const DISTRIBUTIONS: Record<string, () => number> = {
  'uniform from 1 to 1000 µs': () => 1 + 999 * random(),
  'exponential around 5 µs': () => 0.1 - 5 * Math.log(1 - random()),
  'log-normal over six decades': () =>
    Math.min(
      4e9,
      Math.max(0.07, Math.exp(3 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) + 6)),
    ),
  'two modes, microseconds and seconds': () => (random() < 0.9 ? 1 + random() : 2e6 + 1e6 * random()),
  'one value': () => 123.456,
  'powers of two, on the bounds of the octaves': () => 2 ** Math.floor(random() * 30 - 4),
};

for (const [name, draw] of Object.entries(DISTRIBUTIONS)) {
  test(`percentiles of ${name} are within 0.8 % of the exact ones`, () => {
    const histogram = new Histogram();
    const values = Array.from({ length: 20_000 }, draw);
    for (const value of values) histogram.record(value);
    assertSummary(histogram.summary(), values);
  });
}

test('any few values: percentiles within 0.8 %', () => {
  const value = fc.oneof(
    fc.double({ min: 0.0625, max: 4e9, noNaN: true }),
    fc.double({ min: 0.0625, max: 100, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), (values) => {
      const histogram = new Histogram();
      for (const each of values) histogram.record(each);
      assertSummary(histogram.summary(), values);
    }),
    { numRuns: 500 },
  );
});

test('it agrees with the histogram of node:perf_hooks on whole microseconds', () => {
  const ours = new Histogram();
  const oracle = createHistogram({ lowest: 1, highest: 1e9, figures: 5 });
  for (let index = 0; index < 50_000; index += 1) {
    const value = Math.max(1, Math.round(-20_000 * Math.log(1 - random())));
    ours.record(value);
    oracle.record(value);
  }
  const summary = ours.summary();
  for (const [key, share] of [
    ['p50Us', 50],
    ['p95Us', 95],
    ['p99Us', 99],
    ['p999Us', 99.9],
  ] as const) {
    assertClose(summary[key], oracle.percentile(share), key);
  }
  assert.equal(summary.maxUs, oracle.max);
  assert.ok(Math.abs((summary.meanUs as number) - oracle.mean) <= 1e-6 * oracle.mean);
});

test('nothing recorded is null, never zero', () => {
  const nothing = { count: 0, meanUs: null, p50Us: null, p95Us: null, p99Us: null, p999Us: null, maxUs: null };
  const histogram = new Histogram();
  assert.deepEqual(histogram.summary(), nothing);
  histogram.record(5);
  assert.deepEqual(histogram.summary(histogram.mark()), nothing);
});

test('merging two is as recording both', () => {
  const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (let index = 0; index < 2_000; index += 1) {
    const value = 0.1 + 10_000 * random() ** 4;
    (index % 3 === 0 ? a : b).record(value);
    both.record(value);
  }
  a.merge(b);
  const { meanUs, ...merged } = a.summary();
  const { meanUs: expectedMean, ...expected } = both.summary();
  assert.deepEqual(merged, expected);
  assert.ok(Math.abs((meanUs as number) - (expectedMean as number)) < 1e-9 * (expectedMean as number));
  const empty = new Histogram();
  empty.merge(new Histogram());
  assert.equal(empty.summary().count, 0);
  empty.merge(both);
  assert.deepEqual(empty.summary(), both.summary());
  both.merge(new Histogram());
  assert.deepEqual(empty.summary(), both.summary());
});

test('a window is the difference of now and a mark, even when its values lie outside of those before', () => {
  const histogram = new Histogram();
  for (let index = 0; index < 1_000; index += 1) histogram.record(100 + random());
  const mark = histogram.mark();
  assert.equal(histogram.mark(), mark, 'the same object while nothing is recorded');
  const later = Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? 0.2 + random() : 50_000 + random()));
  for (const value of later) histogram.record(value);
  assertSummary(histogram.summary(mark), later);
  assert.equal(histogram.summary().count, 1_500);
  assert.equal(mark.count, 1_000, 'a mark is frozen');
});

test('windows of any histories are right', () => {
  const values = fc.array(fc.double({ min: 0.0625, max: 1e6, noNaN: true }), { maxLength: 20 });
  fc.assert(
    fc.property(values, values, (before, after) => {
      const histogram = new Histogram();
      for (const each of before) histogram.record(each);
      const mark = histogram.mark();
      for (const each of after) histogram.record(each);
      const summary = histogram.summary(mark);
      assert.equal(summary.count, after.length);
      if (after.length === 0) return;
      const sorted = after.toSorted((a, b) => a - b);
      assertClose(summary.p50Us, exact(sorted, 0.5), 'p50');
      assertClose(summary.maxUs, sorted.at(-1) as number, 'max');
    }),
    { numRuns: 300 },
  );
});

test('values outside of its range are counted at its ends', () => {
  const histogram = new Histogram();
  for (const value of [0, -1, 1e-9, 0.0624]) histogram.record(value);
  assert.ok((histogram.summary().p999Us as number) < 0.0635);
  for (const value of [2 ** 32, 1e12]) histogram.record(value);
  assert.equal(histogram.summary().count, 6);
  const { p999Us, maxUs } = histogram.summary();
  assert.ok((p999Us as number) > 4.2e9 && (p999Us as number) < 2 ** 32);
  assert.equal(maxUs, 1e12);
});

test('recording allocates nothing that stays, and percentiles never exceed the largest value', () => {
  const histogram = new Histogram();
  for (let index = 0; index < 10_000; index += 1) histogram.record(1 + random());
  const { maxUs, p999Us } = histogram.summary();
  assert.ok((p999Us as number) <= (maxUs as number));
  const before = process.memoryUsage();
  for (let index = 0; index < 1_000_000; index += 1) histogram.record(1e6 * random());
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 64 * 1024, 'its counts do not grow');
  assert.equal(histogram.count, 1_010_000);
});
