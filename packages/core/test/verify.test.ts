/** After a reset someone looks whether the entry is clean: the class itself, a fingerprint, or both. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { SophiaError } from '@sophia-ai/core';
import type { AcquireOptions, AgnoPerformanceOptimizer, PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';
import type { MadeClass, Recipe } from './support/agents.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);

/** One lease that reads the resources, and leaves a note in them if told to. */
async function borrow(
  optimizer: AgnoPerformanceOptimizer,
  Class: MadeClass,
  note?: string,
  options: AcquireOptions = {},
): Promise<number> {
  const agent = await optimizer.pooled(Class, undefined, options);
  const { resources } = agent;
  const { id } = resources;
  if (note !== undefined) (resources.notes ??= []).push(note);
  agent.release();
  await settle();
  return id;
}

const destroyedOf = (optimizer: AgnoPerformanceOptimizer): object => snapshotOf(optimizer).counters.destroyed;

function printed(pool: PoolOptions = {}, recipe: Recipe = {}): MadeClass {
  return agentClass({ pool: { max: 1, verify: 'fingerprint', verifyEvery: 1, ...pool }, ...recipe });
}

test('verify runs after the reset and before the next borrower, also where the reset is stateless', async () => {
  for (const reset of ['stateless', true] as const) {
    const { optimizer } = desk();
    const steps: string[] = [];
    const gate = Promise.withResolvers<boolean>();
    const Support = agentClass({
      pool: { max: 1 },
      reset: reset === true ? () => void steps.push('reset') : reset,
      verify: ({ id }) => {
        steps.push(`verify ${id}`);
        return gate.promise;
      },
    });
    const first = await optimizer.pooled(Support);
    assert.ok(first.resources);
    const second = watch(optimizer.pooled(Support));
    first.release();
    await settle();
    assert.deepEqual(steps, reset === true ? ['reset', 'verify 1'] : ['verify 1']);
    assert.equal(second.state, 'pending');
    gate.resolve(true);
    await settle();
    assert.equal(valueOf(second).resources.id, 1);
    assert.equal(snapshotOf(optimizer).counters.verified, 1);
  }
});

test('a verify that answers false, throws, rejects or hangs ends the entry, and the waiter gets a new one', async () => {
  const looks: Record<string, () => boolean | Promise<boolean>> = {
    false: () => false,
    throws: () => {
      throw new Error('thrown');
    },
    rejects: () => Promise.reject(new Error('rejected')),
    hangs: forever,
  };
  for (const [type, verify] of Object.entries(looks)) {
    const { optimizer, clock } = desk();
    const events = record(optimizer, 'agent.verify-failed');
    const destroyed: number[] = [];
    const Support = agentClass({
      type,
      pool: { max: 1, resetTimeoutMs: 200 },
      verify,
      destroy: ({ id }) => void destroyed.push(id),
    });
    const first = await optimizer.pooled(Support);
    assert.ok(first.resources);
    const second = watch(optimizer.pooled(Support));
    first.release();
    await clock.advance(201);
    assert.equal(valueOf(second).resources.id, 2, type);
    assert.deepEqual(destroyed, [1], type);
    assert.deepEqual(snapshotOf(optimizer, type).counters.destroyed, { 'verify-failed': 1 });
    assert.equal(events.length, 1, type);
    assert.equal(events[0]?.payload.entryId, 1);
    assert.equal(events[0]?.payload.path, undefined);
    const { error } = events[0]?.payload ?? {};
    assert.ok(error instanceof Error);
    if (type === 'hangs') assert.equal((error as SophiaError).code, 'VERIFY_TIMEOUT');
  }
});

test('a verify that succeeds after its time-out does not bring the entry back', async () => {
  const { optimizer, clock } = desk();
  const gate = Promise.withResolvers<boolean>();
  const Support = agentClass({ pool: { max: 1, resetTimeoutMs: 100 }, verify: () => gate.promise });
  const agent = await optimizer.pooled(Support);
  assert.ok(agent.resources);
  agent.release();
  await clock.advance(101);
  gate.resolve(true);
  await settle();
  assert.deepEqual(destroyedOf(optimizer), { 'verify-failed': 1 });
  assert.equal(snapshotOf(optimizer).idle, 0);
});

test('only an answer of false fails; true and nothing keep the entry', async () => {
  for (const answer of [true, undefined as never]) {
    const { optimizer } = desk();
    const Support = agentClass({ pool: { max: 1 }, verify: () => answer });
    assert.equal(await borrow(optimizer, Support), 1);
    assert.equal(await borrow(optimizer, Support), 1);
  }
});

test('what nobody touched, and what is destroyed anyway, is not verified', async () => {
  const { optimizer } = desk();
  let looks = 0;
  const verify = (): boolean => {
    looks += 1;
    return true;
  };
  const Support = printed({}, { verify });
  (await optimizer.pooled(Support)).release();
  await settle();
  const discarded = await optimizer.pooled(Support);
  assert.ok(discarded.resources);
  discarded.discard();
  await settle();
  assert.equal(looks, 0);
  assert.equal(snapshotOf(optimizer).counters.verified, 0);
});

test('a single-use entry is not verified: nobody comes after', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { reuse: 'single-use' }, verify: () => assert.fail('must not run') });
  await borrow(optimizer, Support, 'left');
  assert.deepEqual(destroyedOf(optimizer), { 'single-use': 1 });
});

test('a reset that failed is not followed by a verify', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'agent.verify-failed');
  const Support = agentClass({ pool: { max: 1 }, reset: () => false, verify: () => assert.fail('must not run') });
  await borrow(optimizer, Support);
  assert.deepEqual(events, []);
  assert.deepEqual(destroyedOf(optimizer), { 'reset-failed': 1 });
});

test('a fingerprint finds what a reset forgot, and the next borrower gets another entry', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'agent.verify-failed');
  const Support = printed();
  const first = await optimizer.pooled(Support);
  first.resources.notes = ['left behind'];
  const second = watch(optimizer.pooled(Support));
  first.release();
  await settle();
  assert.deepEqual([valueOf(second).resources.id, valueOf(second).resources.notes], [2, undefined]);
  assert.deepEqual(
    events.map(({ payload }) => payload),
    [{ type: 'test', entryId: 1, path: 'notes', error: undefined }],
  );
  assert.deepEqual(destroyedOf(optimizer), { 'verify-failed': 1 });
});

test('a reset that restores everything keeps its entry, return after return', async () => {
  const { optimizer } = desk({ strict: true });
  const Support = printed({}, { reset: (thing) => void delete thing.notes });
  for (let round = 0; round < 20; round += 1) assert.equal(await borrow(optimizer, Support, `note ${round}`), 1);
  assert.equal(snapshotOf(optimizer).counters.verified, 20);
  assert.deepEqual(destroyedOf(optimizer), {});
});

test('only every verifyEvery-th return is compared', async () => {
  const { optimizer } = desk();
  const Support = printed({ verifyEvery: 3 });
  assert.equal(await borrow(optimizer, Support, 'left'), 1);
  assert.equal(await borrow(optimizer, Support), 1);
  assert.deepEqual(destroyedOf(optimizer), {});
  assert.equal(await borrow(optimizer, Support), 1);
  assert.deepEqual(destroyedOf(optimizer), { 'verify-failed': 1 });
  assert.equal(snapshotOf(optimizer).counters.verified, 1);
});

test('a strict front desk compares each return', async () => {
  const { optimizer } = desk({ strict: true });
  const Support = printed({ verifyEvery: 1_000 });
  await borrow(optimizer, Support, 'left');
  assert.deepEqual(destroyedOf(optimizer), { 'verify-failed': 1 });
});

test('each return is compared after a tenant has returned an agent, whoever borrows then', async () => {
  const { optimizer } = desk();
  const Support = printed({ verifyEvery: 1_000 });
  await borrow(optimizer, Support, undefined, { tenant: 'acme' });
  await borrow(optimizer, Support, 'left');
  assert.deepEqual(destroyedOf(optimizer), { 'verify-failed': 1 });
});

test('each return is compared from the moment a tenant is named, not only from its first return', async () => {
  const { optimizer } = desk();
  const Support = printed({ max: 2, verifyEvery: 1_000 });
  const unnamed = await optimizer.pooled(Support);
  unnamed.resources.notes = ['of someone else'];
  const held = await optimizer.pooled(Support, undefined, { tenant: 'acme' });
  unnamed.release();
  await settle();
  const crossed = await optimizer.pooled(Support, undefined, { tenant: 'acme' });
  assert.equal(crossed.resources.notes, undefined, 'nothing crosses to a tenant unverified');
  held.release();
});

test('a waiting tenant is named too: what is handed over to it has been compared', async () => {
  const { optimizer } = desk();
  const Support = printed({ verifyEvery: 1_000 });
  const unnamed = await optimizer.pooled(Support);
  unnamed.resources.notes = ['of someone else'];
  const waiter = watch(optimizer.pooled(Support, undefined, { tenant: 'acme' }));
  unnamed.release();
  await settle();
  assert.equal(valueOf(waiter).resources.notes, undefined);
});

test('a tenant that waits behind others, or at a suspended pool, has been named', async () => {
  for (const isSuspended of [false, true]) {
    const { optimizer } = desk();
    const Support = printed({ verifyEvery: 1_000 });
    const first = await optimizer.pooled(Support);
    first.resources.notes = ['of someone else'];
    if (isSuspended) optimizer.suspend(Support);
    const between = isSuspended ? undefined : watch(optimizer.pooled(Support));
    const tenant = watch(optimizer.pooled(Support, undefined, { tenant: 'acme' }));
    first.release();
    await settle();
    if (between !== undefined) {
      assert.ok(valueOf(between).resources);
      valueOf(between).release();
    }
    if (isSuspended) optimizer.resume(Support);
    await settle();
    assert.equal(valueOf(tenant).resources.notes, undefined, isSuspended ? 'suspended' : 'behind another');
  }
});

test('a tenant whose lease was discarded has been named all the same', async () => {
  const { optimizer } = desk();
  const Support = printed({ verifyEvery: 1_000 });
  (await optimizer.pooled(Support, undefined, { tenant: 'acme' })).discard();
  await settle();
  await borrow(optimizer, Support, 'left');
  assert.equal(snapshotOf(optimizer).counters.destroyed['verify-failed'], 1);
});

test('the event names the path, never a value', async () => {
  const secret = 'sk-very-secret-0123456789';
  const marks: ((thing: Record<string, unknown>) => void)[] = [
    (thing) => (thing['token'] = secret),
    (thing) => ((thing['deep'] as Record<string, unknown>)['user'] = { password: secret }),
    (thing) => (thing['cache'] as Map<string, string>).set(secret, secret),
    (thing) => (thing['list'] as string[]).push(secret),
    (thing) => (thing['seen'] as Set<string>).add(secret),
  ];
  const paths: (string | undefined)[] = [];
  for (const mark of marks) {
    const { optimizer } = desk();
    const events = record(optimizer, 'agent.verify-failed', 'agent.destroyed');
    const create = (): { id: number } => {
      const made = { id: 1, token: 'none', deep: {}, cache: new Map<string, string>(), list: [], seen: new Set() };
      return made;
    };
    const Support = printed({}, { create });
    const agent = await optimizer.pooled(Support);
    mark(agent.resources as unknown as Record<string, unknown>);
    agent.release();
    await settle();
    assert.equal(events.length, 2);
    assert.ok(!JSON.stringify(events).includes(secret), JSON.stringify(events));
    paths.push((events[0]?.payload as { path?: string }).path);
  }
  assert.deepEqual(paths, ['token', 'deep.user', 'cache<Map>[0]', 'list[0]', 'seen<Set>[0]']);
});

test('verifyIgnore leaves paths out, and only those', async () => {
  const { optimizer } = desk();
  const create = (): { id: number } => {
    const made = { id: 1, cache: { hits: 0 }, stats: { a: { count: 0, last: '' } } };
    return made;
  };
  const Support = printed({ verifyIgnore: ['cache', 'stats.*.count'] }, { create });
  const change = async (work: (thing: ReturnType<typeof shape>) => void): Promise<void> => {
    const agent = await optimizer.pooled(Support);
    work(shape(agent.resources));
    agent.release();
    await settle();
  };
  const shape = (thing: unknown) =>
    thing as { cache: Record<string, number>; stats: Record<string, { count: number; last: string }> };
  await change(({ cache }) => (cache['misses'] = 7));
  await change(({ stats }) => (stats['a'] = { count: 9, last: '' }));
  assert.deepEqual(destroyedOf(optimizer), {});
  await change(({ stats }) => (stats['a'] = { count: 9, last: 'acme' }));
  assert.deepEqual(destroyedOf(optimizer), { 'verify-failed': 1 });
});

test('what warm has changed belongs to the state that is compared with', async () => {
  const { optimizer } = desk({ strict: true });
  const Support = printed({}, { warm: (thing) => (thing.notes = ['warmed']) });
  assert.equal((await optimizer.prewarm(Support)).created, 1);
  await borrow(optimizer, Support);
  assert.deepEqual(destroyedOf(optimizer), {});
  assert.equal(snapshotOf(optimizer).counters.verified, 1);
});

test('a close while verify hangs settles, and the entry is destroyed after all', async () => {
  const { optimizer, clock } = desk();
  const destroyed: number[] = [];
  const resetDone = Promise.withResolvers<void>();
  const Support = agentClass({
    pool: { max: 1, resetTimeoutMs: 200, destroyTimeoutMs: 50 },
    reset: () => resetDone.promise,
    verify: forever,
    destroy: ({ id }) => void destroyed.push(id),
  });
  const agent = await optimizer.pooled(Support);
  assert.ok(agent.resources);
  agent.release();
  const closing = watch(optimizer.close());
  await clock.advance(150);
  resetDone.resolve();
  // The verify has until 350; reset and destroy alone would have until 250.
  await clock.advance(500);
  assert.equal(closing.state, 'resolved');
  assert.deepEqual(destroyed, [1]);
});
