/**
 * Millions of warm cycles leave nothing behind: the heap is as large as before, no lease or waiter lives on, no listener
 * stays on a signal, and every hand-out is counted. `SOPHIA_PROVE=full` runs ten million cycles.
 */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { getHeapSpaceStatistics, queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { AgnoPerformanceOptimizer } from '@sophia-ai/core';

import { Entry } from '../src/entry.ts';
import { Lease } from '../src/lease.ts';
import { Waiter } from '../src/waiter-queue.ts';
import { TestAgent, agentClass, coded, snapshotOf } from './support/agents.ts';
import { sized } from './support/outcomes.ts';

const CYCLES = sized(10_000_000);
const CHECKPOINTS = 20;
/** Until everything is compiled and every list has its size. */
const WARM_UP = 8;
const CONTENTION_EVERY = 100;
const RUN_EVERY = 50;
/** Cycles in one turn of the event loop; timers and deadlines need turns. */
const CYCLES_PER_TURN = 1_000;
/** A deadline that was met early leaves its place in time, one per 16 ms, until then: the noise in the counts of objects. */
const LIMIT_MS = 1_000;
const OBJECTS_ALLOWED = 150;
const BYTES_ALLOWED = 64 * 1_024;

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

/** What is counted after a collection; the last is everything. */
const COUNTED = { Lease, Waiter, Entry, TestAgent, Object };
type Living = Record<keyof typeof COUNTED, number>;

function living(): Living {
  const counts = Object.entries(COUNTED).map(([name, Class]) => [name, queryObjects(Class, { format: 'count' })]);
  return Object.fromEntries(counts) as Living;
}

/** Bytes of objects; code comes and goes with the compiler's mind, and is not counted. */
async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await turn();
    collect();
  }
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !/code|trusted/.test(name))
    .reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
}

/** Runs the cycles, and counts what should have been. */
class Mill {
  readonly optimizer: AgnoPerformanceOptimizer = new AgnoPerformanceOptimizer();
  /** One for all acquires and runs, as a server has one for its end. */
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #options: { readonly signal: AbortSignal } = { signal: this.signal };
  readonly #Class = agentClass({
    pool: { max: 2, leaseMs: LIMIT_MS, waitMs: LIMIT_MS, resetTimeoutMs: LIMIT_MS },
    reset: () => undefined,
    execute: ({ resources }, input) => (resources.id > 0 ? input : undefined),
  });
  handOuts = 0;
  aborted = 0;
  runs = 0;
  mostListeners = 0;

  #borrow(): Promise<TestAgent> {
    this.handOuts += 1;
    return this.optimizer.pooled(this.#Class, undefined, this.#options);
  }

  /** Two hold, two wait until those give back; one more waits, and leaves. */
  async #contend(): Promise<void> {
    const holders = [await this.#borrow(), await this.#borrow()];
    const waiters = [this.#borrow(), this.#borrow()];
    this.mostListeners = Math.max(this.mostListeners, getEventListeners(this.signal, 'abort').length);
    const leaving = new AbortController();
    const left = this.optimizer.pooled(this.#Class, undefined, { signal: leaving.signal });
    leaving.abort();
    await assert.rejects(left, coded('ACQUIRE_ABORTED'));
    this.aborted += 1;
    for (const holder of holders) holder.release();
    for (const waiter of waiters) (await waiter).release();
  }

  async #run(agent: TestAgent, input: number): Promise<void> {
    this.runs += 1;
    assert.equal(await agent.run(input, this.#options), input);
  }

  async grind(cycles: number): Promise<void> {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const agent = await this.#borrow();
      if (cycle % RUN_EVERY === 0) await this.#run(agent, cycle);
      agent.release();
      if (cycle % CONTENTION_EVERY === 0) await this.#contend();
      if (cycle % CYCLES_PER_TURN === 0) await turn();
    }
  }
}

/** Every hand-out, run and abort is counted, once, and nothing is held. */
function checkCounts({ optimizer, signal, handOuts, aborted, runs }: Mill): void {
  const { counters, leased, waiting, idle } = snapshotOf(optimizer);
  assert.deepEqual(
    [counters.handOuts, counters.runs, counters.failures],
    [handOuts, runs, { ACQUIRE_ABORTED: aborted }],
  );
  assert.deepEqual([leased, waiting, idle, counters.created, counters.destroyed], [0, 0, 2, 2, {}]);
  assert.deepEqual([counters.releasedAgain, counters.runFailures], [0, {}]);
  assert.equal(getEventListeners(signal, 'abort').length, 0, 'no listener stays on a signal that lives long');
}

interface Course {
  /** After each part of the cycles; numbers only, so that the measurement adds nothing to what it measures. */
  readonly bytes: Float64Array;
  readonly first: Living;
  readonly last: Living;
  readonly handOuts: number;
  readonly mostListeners: number;
  readonly fault: unknown;
}

/** Outside of any test: the runner keeps a record of each promise that is made within one, which takes time and heap. */
async function measure(): Promise<Course> {
  const mill = new Mill();
  const bytes = new Float64Array(CHECKPOINTS);
  let first: Living | undefined = undefined;
  let fault: unknown = undefined;
  for (let part = 0; part < CHECKPOINTS && fault === undefined; part += 1) {
    if (part === WARM_UP) first = living();
    await mill.grind(CYCLES / CHECKPOINTS);
    try {
      checkCounts(mill);
    } catch (error) {
      fault = error;
    }
    bytes[part] = await heapBytes();
  }
  const last = living();
  await mill.optimizer.close();
  return { bytes, first: first ?? last, last, handOuts: mill.handOuts, mostListeners: mill.mostListeners, fault };
}

const course = await measure();

test(`${CYCLES} cycles, some with waiters, runs and aborts: each is counted once, and no listener stays on a signal`, () => {
  assert.ifError(course.fault);
  assert.equal(course.handOuts, CYCLES + (4 * CYCLES) / CONTENTION_EVERY);
  assert.equal(course.mostListeners, 2, 'those who waited could be reached');
});

test(`${CYCLES} cycles: the heap is as large as before`, (t) => {
  const bytes = Array.from(course.bytes.subarray(WARM_UP));
  t.diagnostic(`bytes of objects after each ${CYCLES / CHECKPOINTS} cycles: ${bytes.join(' ')}`);
  // The lowest of some: a collection may leave something for the next one, but never takes what is in use.
  const growth = Math.min(...bytes.slice(-3)) - Math.min(...bytes.slice(0, 3));
  assert.ok(growth <= BYTES_ALLOWED, `the heap grew by ${growth} bytes`);
});

test(`${CYCLES} cycles: no lease, waiter or agent lives on, and there are no more objects than before`, (t) => {
  const { first, last } = course;
  t.diagnostic(`living: ${JSON.stringify(last)}`);
  assert.deepEqual([last.Lease, last.Waiter, last.Entry], [0, 0, 2]);
  assert.equal(last.TestAgent, first.TestAgent);
  const more = last.Object - first.Object;
  assert.ok(more <= OBJECTS_ALLOWED, `${more} more objects than after the warm-up`);
});
