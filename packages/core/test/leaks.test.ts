/** Leases that nobody gives back are noticed: held far longer than usual, or with their agent garbage-collected. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { PoolExhaustedError } from '@sophia-ai/core';
import type { AgnoPerformanceOptimizer, PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, codeOf, coded, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { MadeClass, TestAgent } from './support/agents.ts';

const leaky = (pool: PoolOptions = {}): MadeClass => agentClass({ pool: { max: 2, leakAfterMs: 1_000, ...pool } });

/** Sampled is one acquire of so many, if it did not wait. */
const SAMPLE_EVERY = 1_000;

test('a lease held longer than leakAfterMs is told once, with its owner, and shown until it ends', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'lease.leaked', 'lease.returned-late');
  const Leaky = leaky();
  const agent = await optimizer.pooled(Leaky, undefined, { owner: 'forgetful' });
  await clock.advance(999);
  assert.equal(snapshotOf(optimizer).leaks, 0);
  await clock.advance(300);
  await clock.advance(5_000);
  assert.equal(events.length, 1);
  const { stack, heldMs, ...leaked } = events[0]?.payload as { stack: string; heldMs: number };
  assert.deepEqual(leaked, { type: 'test', leaseId: 1, owner: 'forgetful', proof: 'held' });
  assert.ok(heldMs >= 1_000 && heldMs <= 1_300, `${heldMs}`);
  assert.match(stack, /leaks\.test\.ts/, 'known, as it waited for its creation');
  assert.equal(agent.resources.id, 1, 'it is suspected, not ended');
  const { leaks, holders, counters } = snapshotOf(optimizer);
  assert.deepEqual([leaks, counters.leaksHeld, counters.leaksDropped], [1, 1, 0]);
  assert.equal(holders[0]?.isSuspect, true);
});

test('given back after all, it is told, and the gauge falls', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'lease.returned-late');
  const Leaky = leaky();
  const agent = await optimizer.pooled(Leaky, undefined, { owner: 'slow' });
  const inTime = await optimizer.pooled(Leaky);
  await clock.advance(600);
  inTime.release();
  await clock.advance(900);
  agent.release();
  assert.deepEqual(
    events.map(({ payload }) => payload),
    [{ type: 'test', leaseId: 1, owner: 'slow', heldMs: 1_500 }],
  );
  const { leaks, counters, idle } = snapshotOf(optimizer);
  assert.deepEqual([leaks, counters.leaksHeld, idle], [0, 1, 2]);
});

test('without leakAfterMs the age follows use: at least 30 s, and five times the p99', async () => {
  for (const [usualMs, quietMs, tellsMs] of [
    [10, 29_000, 45_000],
    [20_000, 90_000, 125_000],
  ] as const) {
    const { optimizer, clock } = desk();
    const Leaky = agentClass({ pool: { max: 1 } });
    for (let lease = 0; lease < 5; lease += 1) {
      const agent = await optimizer.pooled(Leaky);
      await clock.advance(usualMs);
      agent.release();
    }
    await optimizer.pooled(Leaky);
    await clock.advance(quietMs);
    assert.equal(snapshotOf(optimizer).leaks, 0, `usually ${usualMs} ms`);
    await clock.advance(tellsMs - quietMs);
    assert.equal(snapshotOf(optimizer).leaks, 1, `usually ${usualMs} ms`);
  }
});

test('who finds no agent because of leaks is told so', async () => {
  const { optimizer, clock } = desk();
  const Leaky = leaky({ max: 1, waitMs: 100 });
  await optimizer.pooled(Leaky);
  await clock.advance(1_300);
  const refused = watch(optimizer.pooled(Leaky));
  await clock.advance(100);
  assert.equal(codeOf(refused), 'ACQUIRE_TIMEOUT');
  assert.equal((refused.error as PoolExhaustedError).facts.reason, 'leak');
});

test('reclaimLeaks "held" ends a suspected lease, and the waiter gets a new entry', async () => {
  const { optimizer, clock } = desk();
  const released = record(optimizer, 'lease.released');
  const Leaky = leaky({ max: 1, reclaimLeaks: 'held' });
  const agent = await optimizer.pooled(Leaky);
  assert.ok(agent.resources);
  const waiter = watch(optimizer.pooled(Leaky));
  await clock.advance(1_300);
  assert.throws(() => agent.resources, coded('LEASE_RELEASED', 'leak'));
  assert.equal(valueOf(waiter).resources.id, 2);
  assert.deepEqual([released[0]?.payload.how, released[0]?.payload.revokedBy], ['revoked', 'leak']);
  assert.equal(snapshotOf(optimizer).leaks, 0);
  const late = record(optimizer, 'lease.returned-late');
  agent.release();
  assert.equal(snapshotOf(optimizer).counters.releasedAgain, 1);
  assert.equal(late.length, 0, 'it was not given back, it was taken');
});

test('reclaimLeaks "never" and "dropped" leave alone who only holds', async () => {
  for (const reclaimLeaks of ['never', 'dropped'] as const) {
    const { optimizer, clock } = desk();
    const Leaky = leaky({ reclaimLeaks });
    const agent = await optimizer.pooled(Leaky);
    await clock.advance(60_000);
    assert.equal(agent.resources.id, 1);
    assert.equal(snapshotOf(optimizer).leaks, 1);
  }
});

test('a borrower who, on losing one lease, gives up others as old leaves no leak behind in the figures', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'lease.leaked');
  const Leaky = leaky({ max: 3, reclaimLeaks: 'held' });
  const held: TestAgent[] = [];
  for (let i = 0; i < 3; i += 1) held.push(await optimizer.pooled(Leaky));
  held[0]?.signal.addEventListener('abort', () => held[1]?.release());
  await clock.advance(1_300);
  const { leaks, leased, counters } = snapshotOf(optimizer);
  assert.deepEqual({ leaks, leased }, { leaks: 0, leased: 0 });
  assert.equal(counters.leaksHeld, 2);
  assert.deepEqual(
    events.map(({ payload }) => payload.leaseId),
    [1, 3],
  );
});

test('a listener that revokes what it is told of does not disturb the look at the others', async () => {
  const { optimizer, clock } = desk();
  const Leaky = leaky({ max: 4 });
  for (let i = 0; i < 4; i += 1) await optimizer.pooled(Leaky);
  const told: number[] = [];
  optimizer.on('lease.leaked', ({ leaseId }) => {
    told.push(leaseId);
    // The one it is told of, and the next one, of which it will not be told then.
    optimizer.revoke(Leaky, leaseId);
    optimizer.revoke(Leaky, leaseId + 1);
  });
  await clock.advance(1_300);
  assert.deepEqual(told, [1, 3]);
  assert.deepEqual([snapshotOf(optimizer).leaks, snapshotOf(optimizer).leased], [0, 0]);
});

test('close ends suspected leases, and none is left in the gauge', async () => {
  const { optimizer, clock } = desk();
  const late = record(optimizer, 'lease.returned-late');
  await optimizer.pooled(leaky());
  await clock.advance(1_300);
  const closing = watch(optimizer.close({ timeoutMs: 0 }));
  await settle();
  assert.equal(closing.state, 'resolved');
  assert.deepEqual([snapshotOf(optimizer).leaks, late.length], [0, 0]);
});

function firstLineOf(stack: string | undefined): string {
  return stack?.split('\n')[0] ?? '';
}

const WAYS = ['pooled', 'tryPooled'] as const;

async function takeAndForget(
  optimizer: AgnoPerformanceOptimizer,
  Leaky: MadeClass,
  way: (typeof WAYS)[number],
): Promise<void> {
  const agent = way === 'pooled' ? await optimizer.pooled(Leaky) : optimizer.tryPooled(Leaky);
  assert.ok(agent);
}

test('of agents that were free the stack of every thousandth is known, and names the borrower’s own line', async () => {
  for (const way of WAYS) {
    const { optimizer, clock } = desk();
    const events = record(optimizer, 'lease.leaked');
    const Leaky = leaky();
    for (const agent of [await optimizer.pooled(Leaky), await optimizer.pooled(Leaky)]) agent.release();
    for (let lease = 1; lease < SAMPLE_EVERY - 1; lease += 1) (await optimizer.pooled(Leaky)).release();
    await takeAndForget(optimizer, Leaky, way);
    await takeAndForget(optimizer, Leaky, way);
    await clock.advance(1_300);
    const stacks = events.map(({ payload: { stack } }) => stack);
    assert.equal(stacks.length, 2);
    assert.equal(stacks.filter((stack) => stack === undefined).length, 1, 'the other is not of the sample');
    const stack = stacks.find((each) => each !== undefined);
    assert.match(firstLineOf(stack), /takeAndForget .*leaks\.test\.ts:\d+:\d+/, way);
    assert.doesNotMatch(stack ?? '', /core\/src\//);
  }
});

test('after a leak was seen every tenth is sampled', async () => {
  const { optimizer, clock } = desk();
  const events = record(optimizer, 'lease.leaked');
  const Leaky = leaky({ max: 21 });
  const agents = await Promise.all(Array.from({ length: 21 }, () => optimizer.pooled(Leaky)));
  for (const agent of agents.slice(1)) agent.release();
  await clock.advance(1_300);
  assert.equal(events.length, 1);
  for (let lease = 0; lease < 20; lease += 1) await optimizer.pooled(Leaky);
  await clock.advance(1_300);
  const sampled = events.slice(1).filter(({ payload: { stack } }) => stack !== undefined);
  assert.deepEqual([events.length, sampled.length], [21, 2]);
});

// ---- garbage-collected agents

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Collects garbage until `holds`, a bounded number of turns; fewer where it is expected not to. */
async function collectUntil(holds: () => boolean, turns = 50): Promise<boolean> {
  for (let turn = 0; turn < turns && !holds(); turn += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
    await settle();
  }
  return holds();
}

async function drop(optimizer: AgnoPerformanceOptimizer, Leaky: MadeClass): Promise<void> {
  assert.ok((await optimizer.pooled(Leaky, undefined, { owner: 'dropper' })).resources);
}

test('an agent that is garbage-collected without release is proof; "dropped" and "held" take its lease back', async () => {
  for (const reclaimLeaks of ['never', 'dropped', 'held'] as const) {
    const { optimizer } = desk();
    const events = record(optimizer, 'lease.leaked');
    const released = record(optimizer, 'lease.released');
    const Leaky = leaky({ reclaimLeaks });
    await drop(optimizer, Leaky);
    assert.ok(await collectUntil(() => events.length > 0), 'the collection is noticed');
    const { stack, ...leaked } = events[0]?.payload ?? {};
    assert.deepEqual(leaked, { type: 'test', leaseId: 1, owner: 'dropper', heldMs: 0, proof: 'dropped' });
    assert.match(stack ?? '', /drop .*leaks\.test\.ts/);
    const { leaks, leased, counters } = snapshotOf(optimizer);
    assert.equal(counters.leaksDropped, 1);
    assert.deepEqual([leaks, leased], reclaimLeaks === 'never' ? [1, 1] : [0, 0], reclaimLeaks);
    assert.equal(released[0]?.payload.revokedBy, reclaimLeaks === 'never' ? undefined : 'leak');
  }
});

test('an agent that is collected after its release is no leak; one that is still held is not taken for dropped', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'lease.leaked');
  const Leaky = leaky({ reclaimLeaks: 'dropped' });
  await (async () => (await optimizer.pooled(Leaky)).release())();
  const kept = await optimizer.pooled(Leaky);
  const second = await optimizer.pooled(Leaky);
  assert.equal(await collectUntil(() => events.length > 0, 8), false);
  assert.ok(kept.resources.id !== second.resources.id);
});

test('a run that goes on keeps its agent from being taken for dropped', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<number>();
  const events = record(optimizer, 'lease.leaked');
  const Leaky = agentClass({
    pool: { reclaimLeaks: 'dropped' },
    execute: async (agent) => (await gate.promise) + agent.resources.id,
  });
  const run = watch((async () => (await optimizer.pooled(Leaky)).run(1))());
  assert.equal(await collectUntil(() => events.length > 0, 8), false);
  gate.resolve(41);
  await settle();
  assert.equal(valueOf(run), 42);
});

test('looking for leaks keeps no process alive', async () => {
  const { optimizer, clock } = desk();
  const Leaky = leaky();
  await optimizer.pooled(Leaky);
  await clock.advance(1_300);
  assert.equal(clock.holding, 0);
});
