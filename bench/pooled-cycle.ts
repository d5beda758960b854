/**
 * `npm run bench`: what a warm cycle (pooled + release) costs, as a ratio to the floor and to a bare await, all in
 * one process, interleaved in shuffled order, CPU time. Prints medians and the spread over the rounds.
 */

import { availableParallelism } from 'node:os';

import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';

import { Floor } from './floor.ts';

const ROUNDS = 15;
const CYCLES = 200_000;

class BenchAgent extends Agent<{ tenant: string }, object> {
  static override readonly type: string = 'bench';
  static override readonly pool: PoolOptions = { max: 10 };
  static readonly reset = 'stateless';
  static create(): object {
    return {};
  }
}

const optimizer = new AgnoPerformanceOptimizer();
await optimizer.prewarm(BenchAgent);
const floor = new Floor(10);
const config = { tenant: 'acme' };
const value = Promise.resolve(1);

const contenders: Record<string, (cycles: number) => Promise<void> | void> = {
  'bare await': async (cycles) => {
    for (let cycle = 0; cycle < cycles; cycle += 1) await value;
  },
  floor: async (cycles) => {
    for (let cycle = 0; cycle < cycles; cycle += 1) floor.release(await floor.acquire(config));
  },
  'pooled + release': async (cycles) => {
    for (let cycle = 0; cycle < cycles; cycle += 1) (await optimizer.pooled(BenchAgent, config)).release();
  },
  'await using pooled': async (cycles) => {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      await using _agent = await optimizer.pooled(BenchAgent, config);
    }
  },
  'tryPooled + release': (cycles) => {
    for (let cycle = 0; cycle < cycles; cycle += 1) optimizer.tryPooled(BenchAgent, config)?.release();
  },
};

/** CPU nanoseconds per cycle. */
async function measure(run: (cycles: number) => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await run(CYCLES);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / CYCLES;
}

const samples = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
for (let round = -2; round < ROUNDS; round += 1) {
  const order = Object.entries(contenders).toSorted(() => Math.random() - 0.5);
  for (const [name, run] of order) {
    const ns = await measure(run);
    // Two rounds compile everything; they are not counted.
    if (round >= 0) samples.get(name)?.push(ns);
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))] as number;
}

const floors = samples.get('floor') as number[];
const rows = [...samples].map(([name, values]) => {
  // Ratios within a round: a noisy neighbour slows both sides of one round.
  const ratios = values.map((ns, round) => ns / (floors[round] as number));
  return {
    contender: name,
    'ns/cycle (median)': Math.round(quantile(values, 0.5)),
    'quartiles ns': `${Math.round(quantile(values, 0.25))}–${Math.round(quantile(values, 0.75))}`,
    '÷ floor (median)': quantile(ratios, 0.5).toFixed(2),
    'quartiles ratio': `${quantile(ratios, 0.25).toFixed(2)}–${quantile(ratios, 0.75).toFixed(2)}`,
  };
});
console.log(`Node ${process.version}, ${availableParallelism()} cores, ${ROUNDS} rounds of ${CYCLES} cycles, CPU time`);
console.table(rows);
await optimizer.close();
