/** Hooks run in the pool's own async context: what a borrower keeps in AsyncLocalStorage never leaks into an entry. */

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import test from 'node:test';

import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, desk, snapshotOf } from './support/agents.ts';

const tenant = new AsyncLocalStorage<string>();

test('create, warm, reset, validate and destroy run in no borrower’s context, before and after their awaits', async () => {
  const { optimizer, clock } = tenant.run('whoever made the optimizer', desk);
  const seen: Record<string, (string | undefined)[]> = {};
  const note = (hook: string) => async (): Promise<true> => {
    (seen[hook] ??= []).push(tenant.getStore());
    await Promise.resolve();
    (seen[hook] ??= []).push(tenant.getStore());
    return true;
  };
  const Support = agentClass({
    pool: { max: 1, validateEveryMs: 100 },
    create: async () => {
      await note('create')();
      return { id: 1 };
    },
    warm: note('warm'),
    reset: note('reset'),
    validate: note('validate'),
    destroy: note('destroy'),
  });
  await tenant.run('acme', async () => {
    await optimizer.prewarm(Support);
    const agent = await optimizer.pooled(Support);
    assert.ok(agent.resources);
    agent.release();
    await clock.advance(150);
    (await optimizer.pooled(Support)).discard();
    await settle();
    (await optimizer.pooled(Support)).release();
    await optimizer.close();
  });
  for (const hook of ['create', 'warm', 'reset', 'validate', 'destroy']) {
    assert.ok((seen[hook]?.length ?? 0) >= 2, `${hook} ran`);
    assert.deepEqual([...new Set(seen[hook])], ['whoever made the optimizer'], hook);
  }
});

test('a retry after a pause, and a creation for a waiter, run in no borrower’s context either', async () => {
  const { optimizer, clock } = desk();
  const seen: (string | undefined)[] = [];
  const Flaky = agentClass({
    create: () => {
      seen.push(tenant.getStore());
      if (seen.length < 3) throw new Error('not yet');
      return { id: 1 };
    },
  });
  await tenant.run('acme', async () => {
    const borrowed = optimizer.pooled(Flaky);
    await clock.advance(1_000);
    await borrowed;
  });
  assert.deepEqual(seen, [undefined, undefined, undefined]);
});

test('constructor and execute run in the borrower’s context, also of one that had to wait', async () => {
  const { optimizer } = desk();
  const built: (string | undefined)[] = [];
  const Support = agentClass({
    pool: { max: 1 },
    construct: () => void built.push(tenant.getStore()),
    execute: async () => {
      await settle();
      return tenant.getStore();
    },
  });
  const run = (name: string): Promise<unknown> =>
    tenant.run(name, () => optimizer.use(Support, undefined, (agent) => agent.run(1)));
  assert.deepEqual(await Promise.all([run('acme'), run('globex'), run('initech')]), ['acme', 'globex', 'initech']);
  assert.deepEqual(built, ['acme', 'globex', 'initech']);
});

test('hooks of the default optimizer are not bound to whoever borrowed first', () => {
  const { host } = { host: new URL('./support/first-borrower.ts', import.meta.url) };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=@sophia-ai/source', host.pathname], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { create: ['none', 'none'], reset: ['none'] });
});

test('an optimizer holds on to no borrower’s context after its work is done', async () => {
  const { optimizer } = desk();
  const Support = agentClass({ pool: { max: 1 } });
  await tenant.run('acme', async () => (await optimizer.pooled(Support)).release());
  assert.equal(snapshotOf(optimizer).idle, 1);
  assert.ok(optimizer instanceof AgnoPerformanceOptimizer);
  assert.equal(tenant.getStore(), undefined);
});
