import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'node:test';

import { publishDiagnostics } from '@sophia-ai/core/node';

import { agentClass, desk } from './support/agents.ts';

test('events are published on node:diagnostics_channel as sophia:<event> until it is ended', async () => {
  const { optimizer } = desk();
  const seen: unknown[] = [];
  const listener = (message: unknown): void => void seen.push(message);
  subscribe('sophia:lease.acquired', listener);
  try {
    const end = publishDiagnostics(optimizer);
    const Support = agentClass({ type: 'support' });
    (await optimizer.pooled(Support, undefined, { owner: 'ann' })).release();
    end();
    (await optimizer.pooled(Support)).release();
    assert.deepEqual(seen, [{ type: 'support', entryId: 1, leaseId: 1, owner: 'ann', how: 'miss' }]);
  } finally {
    unsubscribe('sophia:lease.acquired', listener);
  }
});
