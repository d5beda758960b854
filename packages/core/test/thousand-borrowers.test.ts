import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent, AgnoPerformanceOptimizer, PoolExhaustedError } from '@sophia-ai/core';
import type { Call, PoolOptions } from '@sophia-ai/core';
import { ManualClock, settle } from '@sophia-ai/core/testing';

const BORROWERS = 1_000;
const HOLD_MS = 10;

/** Each pool has a class of its own, since a class belongs to one type. */
function busyAgent(pool: PoolOptions, clock: ManualClock) {
  return class Busy extends Agent<{ tenant: number }, { lastTenant: number | undefined }, number, string> {
    static override readonly type: string = 'busy';
    static override readonly pool: PoolOptions = { max: 10, ...pool };
    static create(): { lastTenant: number | undefined } {
      return { lastTenant: undefined };
    }
    static reset(resources: { lastTenant: number | undefined }): void {
      resources.lastTenant = undefined;
    }
    protected override async execute(input: number, _call: Call): Promise<string> {
      assert.equal(this.resources.lastTenant, undefined, 'a tenant was left behind');
      this.resources.lastTenant = this.config.tenant;
      await new Promise<void>((resolve) => void clock.startTimer(resolve, HOLD_MS));
      assert.equal(this.resources.lastTenant, this.config.tenant, 'two borrowers shared an entry');
      return `${this.config.tenant}:${input}`;
    }
  };
}

test('1,000 borrowers on 10 agents with the policy wait: nobody refused, lost, mixed up or out of order', async () => {
  const clock = new ManualClock();
  const optimizer = new AgnoPerformanceOptimizer({ clock });
  const Busy = busyAgent({}, clock);
  await optimizer.prewarm(Busy);
  const served: number[] = [];
  const answers = Array.from({ length: BORROWERS }, async (_, tenant) => {
    using agent = await optimizer.pooled(Busy, { tenant });
    served.push(tenant);
    return await agent.run(tenant);
  });
  let most = 0;
  for (let turn = 0; turn < BORROWERS / 10; turn += 1) {
    most = Math.max(most, optimizer.snapshot()[0]?.leased ?? 0);
    await clock.advance(HOLD_MS);
  }
  assert.deepEqual(
    await Promise.all(answers),
    Array.from({ length: BORROWERS }, (_, tenant) => `${tenant}:${tenant}`),
  );
  assert.deepEqual(
    served,
    served.toSorted((a, b) => a - b),
  );
  assert.equal(most, 10);
  const [snapshot] = optimizer.snapshot();
  assert.equal(snapshot?.counters.handOuts, BORROWERS);
  assert.deepEqual(snapshot.counters.failures, {});
  assert.equal(snapshot.counters.created, 10);
  await optimizer.close();
});

test('1,000 borrowers on 10 agents with the policy reject: typed refusals, all counted', async () => {
  const clock = new ManualClock();
  const optimizer = new AgnoPerformanceOptimizer({ clock });
  const Busy = busyAgent({ exhaustion: 'reject' }, clock);
  await optimizer.prewarm(Busy);
  const outcomes = Promise.allSettled(
    Array.from({ length: BORROWERS }, (_, tenant) => optimizer.use(Busy, { tenant }, (agent) => agent.run(tenant))),
  );
  await settle();
  await clock.advance(HOLD_MS);
  const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected');
  assert.equal(refused.length, BORROWERS - 10);
  for (const { reason } of refused) {
    assert.ok(reason instanceof PoolExhaustedError);
    assert.equal(reason.code, 'POOL_EXHAUSTED');
    assert.equal(reason.facts.leased, 10);
  }
  const [snapshot] = optimizer.snapshot();
  assert.deepEqual(snapshot?.counters.failures, { POOL_EXHAUSTED: BORROWERS - 10 });
  assert.equal(snapshot.counters.handOuts, 10);
  assert.equal(snapshot.size, 10);
  await optimizer.close();
});

/** Sends `perHold` borrowers in each hold time, for `holds` hold times. @returns runs that were answered in time. */
async function goodput(perHold: number, holds: number): Promise<{ done: number; failures: object }> {
  const clock = new ManualClock();
  const optimizer = new AgnoPerformanceOptimizer({ clock });
  const Busy = busyAgent({ waitMs: 5 * HOLD_MS }, clock);
  await optimizer.prewarm(Busy);
  let done = 0;
  const finished = (): void => {
    done += 1;
  };
  for (let step = 0; step < holds * HOLD_MS; step += 1) {
    for (let sent = 0; sent < perHold / HOLD_MS; sent += 1) {
      // A refusal is no goodput, and no fault either.
      optimizer.use(Busy, { tenant: step }, (agent) => agent.run(sent)).then(finished, () => undefined);
    }
    await clock.advance(1);
  }
  const failures = optimizer.snapshot()[0]?.counters.failures ?? {};
  const closed = optimizer.close({ timeoutMs: 1 });
  await clock.advance(60_000);
  await closed;
  return { done, failures };
}

test('at three times the load that saturates the pool, goodput stays above 85 % of the peak', async () => {
  const peak = await goodput(10, 100);
  const overload = await goodput(30, 100);
  assert.ok(peak.done >= 0.98 * 10 * 99, `the peak itself is low: ${peak.done}`);
  assert.ok(overload.done >= 0.85 * peak.done, `${overload.done} of ${peak.done}`);
  assert.deepEqual(Object.keys(overload.failures), ['ACQUIRE_TIMEOUT']);
});
