import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { hasCode, isAlive, until } from '../test-support.ts';
import { NotebookAgent } from './agent.ts';

const TOKEN = 'token-of-acme';
const ADA = { token: TOKEN, author: 'Ada' };
const BOB = { token: TOKEN, author: 'Bob' };

/** The process of the session that an agent holds. */
function serverPid(agent: NotebookAgent): number {
  const { transport } = agent.resources;
  assert.ok(transport instanceof StdioClientTransport);
  assert.ok(transport.pid !== null);
  return transport.pid;
}

function oneSession(): AgnoPerformanceOptimizer {
  return new AgnoPerformanceOptimizer({ pools: { notebook: { max: 1 } } });
}

test('remembers and recalls, with the name of the borrower', async () => {
  await using optimizer = oneSession();
  await using agent = await optimizer.pooled(NotebookAgent, ADA);
  assert.deepEqual(await agent.run({ tool: 'remember', text: 'tea at five' }), ['Ada: tea at five']);
  assert.deepEqual(await agent.run({ tool: 'recall', text: 'tea' }), ['Ada: tea at five']);
  assert.deepEqual(await agent.run({ tool: 'recall', text: 'coffee' }), []);
});

test('the second borrower gets the same session and cannot see the notes of the first', async () => {
  await using optimizer = oneSession();
  const ada = await optimizer.pooled(NotebookAgent, ADA);
  await ada.run({ tool: 'remember', text: 'my secret' });
  const pid = serverPid(ada);
  ada.release();

  await using bob = await optimizer.pooled(NotebookAgent, BOB);
  assert.equal(serverPid(bob), pid);
  assert.deepEqual(await bob.run({ tool: 'recall' }), []);
  await assert.rejects(ada.run({ tool: 'recall' }), hasCode('LEASE_RELEASED'));
});

test('30 borrowers at once on 3 sessions find their own notes and no others', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      optimizer.use(NotebookAgent, { token: TOKEN, author: `author-${index}` }, async (agent) => {
        await agent.run({ tool: 'remember', text: 'first' });
        await agent.run({ tool: 'remember', text: 'second' });
        const notes = await agent.run({ tool: 'recall' });
        assert.deepEqual(notes, [`author-${index}: first`, `author-${index}: second`]);
      }),
    ),
  );
  const [pool] = optimizer.snapshot();
  assert.equal(pool?.leased, 0);
  assert.ok(pool !== undefined && pool.counters.created <= 3);
});

test('a session that cannot be cleaned is replaced', async () => {
  class StickyNotebook extends NotebookAgent {
    static override readonly type: string = 'sticky-notebook';
    static override readonly pool = { max: 1 };
    static override async reset(): Promise<boolean> {
      throw new Error('the glue is too strong');
    }
  }
  await using optimizer = new AgnoPerformanceOptimizer();
  const ada = await optimizer.pooled(StickyNotebook, ADA);
  await ada.run({ tool: 'remember', text: 'my secret' });
  const pid = serverPid(ada);
  ada.release();

  await using bob = await optimizer.pooled(StickyNotebook, BOB);
  assert.notEqual(serverPid(bob), pid);
  assert.equal(isAlive(pid), false);
  assert.deepEqual(await bob.run({ tool: 'recall' }), []);
});

test('a refused input costs nothing: the session goes on', async () => {
  await using optimizer = oneSession();
  const ada = await optimizer.pooled(NotebookAgent, ADA);
  const pid = serverPid(ada);
  await assert.rejects(ada.run({ tool: 'burn' as 'recall' }), hasCode('INPUT_INVALID'));
  ada.release();
  await using bob = await optimizer.pooled(NotebookAgent, BOB);
  assert.equal(serverPid(bob), pid);
});

test('an idle session whose server died is found by validate and replaced', async () => {
  await using optimizer = new AgnoPerformanceOptimizer({ pools: { notebook: { max: 1, validateEveryMs: 5 } } });
  const ada = await optimizer.pooled(NotebookAgent, ADA);
  const pid = serverPid(ada);
  ada.release();
  await until('the session is idle', () => optimizer.snapshot()[0]?.idle === 1);
  process.kill(pid, 'SIGKILL');
  await until('the dead session is gone', () => optimizer.snapshot()[0]?.counters.destroyed['validate-failed'] === 1);
  await using bob = await optimizer.pooled(NotebookAgent, BOB);
  assert.deepEqual(await bob.run({ tool: 'remember', text: 'alive' }), ['Bob: alive']);
});

test('an aborted run ends at once and its session is thrown away, server and all', async () => {
  await using optimizer = oneSession();
  const ada = await optimizer.pooled(NotebookAgent, ADA);
  const pid = serverPid(ada);
  const controller = new AbortController();
  const pondering = ada.run({ tool: 'ponder' }, { signal: controller.signal });
  const aborted = assert.rejects(pondering, hasCode('RUN_ABORTED'));
  // Messages keep their order, so the server ponders once this one is answered.
  await ada.run({ tool: 'recall' });
  controller.abort();
  await aborted;
  ada.release();
  await until('the server is gone', () => !isAlive(pid));
  await using bob = await optimizer.pooled(NotebookAgent, BOB);
  assert.deepEqual(await bob.run({ tool: 'recall' }), []);
});

test('close() leaves no server alive, not even that of a borrower who never returns', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  try {
    const agents = await Promise.all(
      ['Ada', 'Bob', 'Cleo'].map((author) => optimizer.pooled(NotebookAgent, { token: TOKEN, author })),
    );
    const pids = agents.map(serverPid);
    assert.ok(pids.every(isAlive));
    agents[0]?.release();
    const [report] = await optimizer.close({ timeoutMs: 0 });
    assert.equal(report?.revoked.length, 2);
    assert.deepEqual(pids.filter(isAlive), []);
  } finally {
    await optimizer.close();
  }
});

test('borrowers of two credentials at once never meet a session of the other, on three sessions for both', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  const work = Array.from({ length: 24 }, async (_, index) => {
    const tenant = index % 2 === 0 ? 'acme' : 'globex';
    const config = { token: `token-of-${tenant}`, author: `author-${index}` };
    await optimizer.use(
      NotebookAgent,
      config,
      async (agent) => {
        assert.deepEqual(await agent.run({ tool: 'account' }), [tenant]);
        await agent.run({ tool: 'remember', text: 'secret' });
        assert.deepEqual(await agent.run({ tool: 'recall' }), [`author-${index}: secret`]);
      },
      { tenant },
    );
  });
  await Promise.all(work);
  const [pool] = optimizer.snapshot();
  assert.ok(pool !== undefined && pool.idle + pool.destroying <= 3);
  assert.ok(pool.keys !== null && pool.keys.count <= 2);
  assert.ok(!JSON.stringify(pool).includes('token-of'), 'the credential is in no figure');
});

test('a refused credential fails its own borrowers, names no secret and leaves the others alone', async () => {
  await using optimizer = new AgnoPerformanceOptimizer({ pools: { notebook: { createAttempts: 1 } } });
  const wrong = assert.rejects(
    optimizer.pooled(NotebookAgent, { token: 'stolen', author: 'Eve' }),
    (error) => hasCode('CREATE_FAILED')(error) && !String(error).includes('stolen'),
  );
  await using ada = await optimizer.pooled(NotebookAgent, ADA);
  assert.deepEqual(await ada.run({ tool: 'account' }), ['acme']);
  await wrong;
});
