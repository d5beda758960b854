import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { hasCode } from '../test-support.ts';
import { SupportAgent } from './agent.ts';

test('answers from the knowledge base', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  await using agent = await optimizer.pooled(SupportAgent, { tenant: 'acme' });
  assert.match(await agent.run('Where is my order?'), /leaves our warehouse/);
  assert.match(await agent.run('How do I return an item that I do not like?'), /within 30 days/);
});

test('says so when it does not know, in the name of the tenant', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  await using agent = await optimizer.pooled(SupportAgent, { tenant: 'globex' });
  assert.equal(await agent.run('Do you sell elephants?'), 'I will ask the globex team and come back to you.');
});

test('serves 50 tenants at once from one knowledge base, each with its own config', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      optimizer.use(SupportAgent, { tenant: `tenant-${index}` }, (agent) => agent.run('Do you sell elephants?')),
    ),
  );
  for (const [index, answer] of answers.entries()) assert.ok(answer.includes(`the tenant-${index} team`));
  const [pool] = optimizer.snapshot();
  assert.equal(pool?.counters.created, 1);
  assert.equal(pool?.leased, 0);
});

test('cannot be used after release', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  const agent = await optimizer.pooled(SupportAgent, { tenant: 'acme' });
  agent.release();
  await assert.rejects(agent.run('Where is my order?'), hasCode('LEASE_RELEASED'));
  assert.equal(agent.config.tenant, 'acme');
});
