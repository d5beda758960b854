/** Memory per agent is measured, against object graphs whose size is known, to within one per cent. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import test from 'node:test';

import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { MemoryFigures, PoolOptions } from '@sophia-ai/core';
import { measureMemory } from '@sophia-ai/core/node';

import { agentClass, coded } from './support/agents.ts';

const KIB = 1_024;
/** An element of a plain array of small integers takes one word. */
const WORD_BYTES = 8;

function assertWithin(actual: number | null, expectedKib: number, pct: number, what: string): void {
  assert.ok(actual !== null, `${what} was measured`);
  const off = (100 * Math.abs(actual - expectedKib)) / expectedKib;
  assert.ok(off <= pct, `${what}: ${actual} KiB, known to be ${expectedKib} KiB, ${off.toFixed(2)} % off`);
}

test('external memory of an entry: Uint8Arrays of 100,000 bytes', async () => {
  class External extends Agent<void, Uint8Array> {
    static override readonly type: string = 'external';
    static readonly reset = 'stateless';
    static create(): Uint8Array {
      return new Uint8Array(100_000);
    }
  }
  const optimizer = new AgnoPerformanceOptimizer();
  optimizer.register(External);
  const figures = await measureMemory(optimizer, External);
  assertWithin(figures.entryKib, 100_000 / KIB, 1, 'the entry');
  assert.equal(optimizer.snapshot()[0]?.memory, figures, 'the snapshot has the figures');
  assert.ok(figures.samples >= 10_000);
  assert.match(figures.method, /forced collections/);
  assert.ok(!Number.isNaN(Date.parse(figures.measuredAt)));
  assert.equal(figures.sharedKib, null);
});

test('heap memory of an entry: arrays of 50,000 small integers, the first entry’s one-time cost excluded', async () => {
  let once: number[] | undefined;
  class Heap extends Agent<void, number[]> {
    static override readonly type: string = 'heap';
    static readonly reset = 'stateless';
    static create(): number[] {
      once ??= Array.from({ length: 1_000_000 }, () => 1);
      // oxlint-disable-next-line unicorn/no-new-array -- exactly this capacity, no growth
      return new Array<number>(50_000).fill(1);
    }
  }
  const optimizer = new AgnoPerformanceOptimizer();
  optimizer.register(Heap);
  const { entryKib } = await measureMemory(optimizer, Heap);
  assertWithin(entryKib, (50_000 * WORD_BYTES) / KIB, 1, 'the marginal entry');
  assert.equal(once?.length, 1_000_000);
});

test('the light object: fields of known size, beside what every agent costs', async () => {
  class Empty extends Agent {
    static override readonly type: string = 'empty';
    static readonly reset = 'stateless';
  }
  class Field extends Agent {
    static override readonly type: string = 'field';
    static readonly reset = 'stateless';
    // oxlint-disable-next-line unicorn/no-new-array -- exactly this capacity, no growth
    readonly scratch: number[] = new Array<number>(4_000).fill(1);
  }
  const optimizer = new AgnoPerformanceOptimizer();
  optimizer.register(Empty);
  optimizer.register(Field);
  const empty = await measureMemory(optimizer, Empty, { agents: 5_000 });
  const field = await measureMemory(optimizer, Field, { agents: 1_000 });
  assert.ok((empty.agentKib as number) > 0 && (empty.agentKib as number) < 2, `an empty agent: ${empty.agentKib} KiB`);
  assertWithin((field.agentKib as number) - (empty.agentKib as number), (4_000 * WORD_BYTES) / KIB, 1, 'the field');
  assert.equal(field.entryKib, 0, 'a class without create has entries that hold nothing');
  assert.ok((field.errorPct as number) <= 25);
});

test('the sum is agent, entry and processes; a shared entry stands apart', async () => {
  const measure = async (reuse: NonNullable<PoolOptions['reuse']>): Promise<MemoryFigures> => {
    class Kept extends Agent<void, Uint8Array> {
      static override readonly type: string = 'kept';
      static override readonly pool: PoolOptions = { reuse };
      static readonly reset = 'stateless';
      static create(): Uint8Array {
        return new Uint8Array(200_000);
      }
    }
    const optimizer = new AgnoPerformanceOptimizer();
    optimizer.register(Kept);
    return measureMemory(optimizer, Kept);
  };
  const own = await measure('exclusive');
  assert.equal(own.memoryPerAgentKib, (own.agentKib as number) + (own.entryKib as number) + (own.processKib ?? 0));
  const shared = await measure('shared');
  assertWithin(shared.sharedKib, 200_000 / KIB, 1, 'the shared entry');
  assert.deepEqual([shared.entryKib, shared.processKib], [null, null]);
  if (shared.memoryPerAgentKib !== null) assert.equal(shared.memoryPerAgentKib, shared.agentKib);
});

test('static footprint is added to the entry', async () => {
  class Elsewhere extends Agent<void, Uint8Array> {
    static override readonly type: string = 'elsewhere';
    static readonly reset = 'stateless';
    static create(): Uint8Array {
      return new Uint8Array(50_000);
    }
    static async footprint(): Promise<number> {
      return 1_000_000;
    }
  }
  const optimizer = new AgnoPerformanceOptimizer();
  optimizer.register(Elsewhere);
  assertWithin((await measureMemory(optimizer, Elsewhere)).entryKib, 1_050_000 / KIB, 1, 'the entry');
});

test(
  'child processes of an entry count by their proportional set size',
  { skip: process.platform !== 'linux' },
  async () => {
    class Child extends Agent<void, ChildProcess> {
      static override readonly type: string = 'child';
      static override readonly pool: PoolOptions = { reuse: 'single-use' };
      static async create(): Promise<ChildProcess> {
        const code =
          'const kept = Buffer.alloc(64 * 2 ** 20, 1); setInterval(() => kept, 1e6); process.stdout.write("up")';
        const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
        await new Promise<void>((resolve) => void child.stdout?.once('data', () => resolve()));
        return child;
      }
      static async destroy(child: ChildProcess): Promise<void> {
        await new Promise<void>((resolve) => {
          child.once('exit', () => resolve());
          child.kill('SIGKILL');
        });
      }
    }
    const optimizer = new AgnoPerformanceOptimizer();
    optimizer.register(Child);
    const { processKib, memoryPerAgentKib } = await measureMemory(optimizer, Child, { rounds: 3 });
    assert.ok(processKib !== null && processKib > 64 * KIB && processKib < 256 * KIB, `${processKib} KiB`);
    assert.ok(memoryPerAgentKib !== null && memoryPerAgentKib >= processKib);
  },
);

test('everything that measuring created is destroyed, and the pool is left as it was', async () => {
  let created = 0;
  let destroyed = 0;
  const Counted = agentClass({
    create: () => {
      created += 1;
      return { id: created };
    },
    destroy: () => void (destroyed += 1),
  });
  const optimizer = new AgnoPerformanceOptimizer();
  optimizer.register(Counted);
  await measureMemory(optimizer, Counted, { rounds: 3 });
  assert.ok(created > 3);
  assert.equal(destroyed, created);
  const [snapshot] = optimizer.snapshot();
  assert.deepEqual([snapshot?.counters.created, snapshot?.counters.handOuts, snapshot?.idle], [0, 0, 0]);
});

test('a create that fails makes the measurement fail with its error, and what was made before is destroyed', async () => {
  let created = 0;
  let destroyed = 0;
  const Broken = agentClass({
    create: () => {
      created += 1;
      if (created === 4) throw new Error('no fourth');
      return { id: created };
    },
    destroy: () => void (destroyed += 1),
  });
  const optimizer = new AgnoPerformanceOptimizer();
  optimizer.register(Broken);
  await assert.rejects(measureMemory(optimizer, Broken, { rounds: 3 }), /no fourth/);
  assert.equal(destroyed, 3);
  assert.equal(optimizer.snapshot()[0]?.memory, null);
});

test('an agent whose constructor needs its config is measured with the one that is given', async () => {
  class Needs extends Agent<{ tenant: string }> {
    static override readonly type: string = 'needs';
    static readonly reset = 'stateless';
    readonly name = this.config.tenant.toUpperCase();
  }
  const optimizer = new AgnoPerformanceOptimizer();
  optimizer.register(Needs);
  await assert.rejects(measureMemory(optimizer, Needs), TypeError);
  const { agentKib } = await measureMemory(optimizer, Needs, { config: { tenant: 'acme' }, rounds: 3 });
  assert.ok((agentKib as number) > 0);
  await assert.rejects(measureMemory(optimizer, Needs, { confg: 1 } as never), coded('ARGUMENT_INVALID'));
});
