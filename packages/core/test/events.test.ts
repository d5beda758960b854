/** What happens is told under stable names; whoever listens cannot disturb what they watch. */

import assert from 'node:assert/strict';
import test from 'node:test';

import type { EventName } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, desk, record, snapshotOf, valueOf, watch } from './support/agents.ts';

test('the life of an entry and its leases is told in order, with the same ids throughout', async () => {
  const { optimizer, clock } = desk();
  const names: EventName[] = [
    'pool.registered',
    'agent.created',
    'lease.acquired',
    'lease.released',
    'lease.released-again',
    'agent.destroyed',
    'pool.drained',
    'pool.closed',
  ];
  const events = record(optimizer, ...names);
  const Support = agentClass({ type: 'support', pool: { max: 1 } });
  const first = await optimizer.pooled(Support, undefined, { owner: 'ann' });
  const waiter = watch(optimizer.pooled(Support, undefined, { owner: 'bob' }));
  await clock.advance(5);
  first.release();
  first.release();
  await settle();
  valueOf(waiter).discard();
  (await optimizer.pooled(Support)).release();
  const hit = await optimizer.pooled(Support);
  hit.release();
  await optimizer.drain();
  await optimizer.close();
  const type = 'support';
  assert.deepEqual(
    events.map(({ name, payload }) => [name, payload]),
    [
      ['pool.registered', { type }],
      ['agent.created', { type, entryId: 1, createMs: 0 }],
      ['lease.acquired', { type, entryId: 1, leaseId: 1, owner: 'ann', how: 'miss' }],
      [
        'lease.released',
        { type, entryId: 1, leaseId: 1, owner: 'ann', heldMs: 5, how: 'released', revokedBy: undefined, clean: true },
      ],
      ['lease.released-again', { type, leaseId: 1, owner: 'ann' }],
      ['lease.acquired', { type, entryId: 1, leaseId: 2, owner: 'bob', how: 'wait' }],
      [
        'lease.released',
        { type, entryId: 1, leaseId: 2, owner: 'bob', heldMs: 0, how: 'released', revokedBy: undefined, clean: false },
      ],
      ['agent.destroyed', { type, entryId: 1, reason: 'discarded', uses: 2 }],
      ['agent.created', { type, entryId: 2, createMs: 0 }],
      ['lease.acquired', { type, entryId: 2, leaseId: 3, owner: undefined, how: 'miss' }],
      [
        'lease.released',
        {
          type,
          entryId: 2,
          leaseId: 3,
          owner: undefined,
          heldMs: 0,
          how: 'released',
          revokedBy: undefined,
          clean: true,
        },
      ],
      ['lease.acquired', { type, entryId: 2, leaseId: 4, owner: undefined, how: 'hit' }],
      [
        'lease.released',
        {
          type,
          entryId: 2,
          leaseId: 4,
          owner: undefined,
          heldMs: 0,
          how: 'released',
          revokedBy: undefined,
          clean: true,
        },
      ],
      ['pool.drained', { type, holders: 0 }],
      ['agent.destroyed', { type, entryId: 2, reason: 'closed', uses: 2 }],
      ['pool.closed', { type, revoked: 0 }],
    ],
  );
});

test('log() of create is told as agent.log', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'agent.log');
  const Support = agentClass({
    create: ({ log }) => {
      log('opening', { port: 5 });
      log('open');
      return { id: 1 };
    },
  });
  await optimizer.pooled(Support);
  assert.deepEqual(
    events.map(({ payload }) => payload),
    [
      { type: 'test', entryId: 1, message: 'opening', fields: { port: 5 } },
      { type: 'test', entryId: 1, message: 'open', fields: undefined },
    ],
  );
});

test('a refused acquire is told with its code and owner', async () => {
  const { optimizer } = desk();
  const events = record(optimizer, 'acquire.failed');
  const Support = agentClass({ pool: { max: 1, maxWaiting: 0 } });
  await optimizer.pooled(Support);
  await optimizer.pooled(Support, undefined, { owner: 'late' }).catch(() => undefined);
  assert.deepEqual(
    events.map(({ payload }) => payload),
    [{ type: 'test', code: 'QUEUE_FULL', owner: 'late' }],
  );
});

test('a listener that throws is told as listener.failed and disturbs neither the pool nor other listeners', async () => {
  const { optimizer } = desk();
  const failed = record(optimizer, 'listener.failed');
  const fault = new Error('in the listener');
  const names: EventName[] = ['agent.created', 'lease.acquired', 'lease.released', 'agent.destroyed', 'pool.closed'];
  for (const name of names) {
    optimizer.on(name, () => {
      throw fault;
    });
  }
  const after = record(optimizer, ...names);
  const agent = await optimizer.pooled(agentClass());
  agent.release();
  await optimizer.close();
  assert.equal(after.length, 5);
  assert.deepEqual(
    failed.map(({ payload }) => payload),
    names.map((event) => ({ event, error: fault })),
  );
});

test('a listener.failed listener that throws ends there', async () => {
  const { optimizer } = desk();
  let calls = 0;
  const fail = (): never => {
    calls += 1;
    throw new Error('again');
  };
  optimizer.on('lease.acquired', fail);
  optimizer.on('listener.failed', fail);
  await optimizer.pooled(agentClass());
  assert.equal(calls, 2);
});

test('unsubscribing ends it, is idempotent, and leaves other subscriptions', async () => {
  const { optimizer } = desk();
  const seen: string[] = [];
  const listener = (): void => void seen.push('one');
  const end = optimizer.on('lease.acquired', listener);
  optimizer.on('lease.acquired', () => void seen.push('two'));
  const Support = agentClass();
  (await optimizer.pooled(Support)).release();
  end();
  end();
  (await optimizer.pooled(Support)).release();
  assert.deepEqual(seen, ['one', 'two', 'two']);
});

test('listeners may use the pool: what they borrow and release keeps the pool sound', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 2 } });
  await optimizer.prewarm(Support);
  let depth = 0;
  optimizer.on('lease.released', () => {
    if (depth > 3) return;
    depth += 1;
    optimizer.tryPooled(Support)?.release();
    void optimizer.pooled(Support).then((agent) => agent.release());
  });
  (await optimizer.pooled(Support)).release();
  await settle();
  const { leased, idle, waiting } = snapshotOf(optimizer);
  assert.deepEqual([leased, idle, waiting], [0, 2, 0]);
});
