import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { CreateContext, PoolOptions } from '@sophia-ai/core';
import { hasCode, isAlive, readAll, until } from '../test-support.ts';
import { SandboxAgent } from './agent.ts';
import { JsonLinesProcess } from './json-lines-process.ts';

const NOTHING = { variables: {} };
/** What print.constructor makes is a function of the outer realm: the well-known way out of node:vm. */
const OUTER_PROCESS = `print.constructor('return process')()`;

/** One sandbox at a time and none in advance, where a test needs to know which one it gets. */
function oneSandbox(): AgnoPerformanceOptimizer {
  return new AgnoPerformanceOptimizer({ pools: { sandbox: { max: 1, minIdle: 0 } } });
}

function pidOf(agent: SandboxAgent): number {
  const { pid } = agent.resources;
  assert.ok(pid !== undefined);
  return pid;
}

/** A class of its own with a list of all processes that were ever started for it. */
function trackedAgent() {
  return class TrackedSandbox extends SandboxAgent {
    static override readonly type: string = 'tracked-sandbox';
    static readonly pids: number[] = [];

    static override async create(context: CreateContext): Promise<JsonLinesProcess> {
      const sandbox = await super.create(context);
      TrackedSandbox.pids.push(sandbox.pid as number);
      return sandbox;
    }
  };
}

test('runs code on the data of the borrower', async () => {
  await using optimizer = oneSandbox();
  await using agent = await optimizer.pooled(SandboxAgent, { variables: { prices: [12, 30] } });
  assert.equal(await agent.run('prices.reduce((sum, price) => sum + price)'), 42);
  assert.deepEqual(await agent.run('({ top: Math.max(...prices) })'), { top: 30 });
});

test('streams what the code prints, then its value', async () => {
  await using optimizer = oneSandbox();
  await using agent = await optimizer.pooled(SandboxAgent, NOTHING);
  const stream = agent.stream(`for (const step of ['one', 'two', 'three']) print(step); 'done'`);
  assert.deepEqual(await readAll(stream), ['one', 'two', 'three']);
  assert.equal(await stream.result, 'done');
});

test('a sandbox is started in advance, used once, ended and replaced in the background', async () => {
  const Tracked = trackedAgent();
  await using optimizer = new AgnoPerformanceOptimizer();
  optimizer.register(Tracked);
  await until('two sandboxes are warm', () => optimizer.snapshot()[0]?.idle === 2);

  const agent = await optimizer.pooled(Tracked, NOTHING);
  const pid = pidOf(agent);
  assert.equal(await agent.run('1 + 1'), 2);
  assert.equal(optimizer.snapshot()[0]?.window.timings.hit.count, 1);
  agent.release();
  await until('the used one is gone', () => !isAlive(pid));
  await until('two sandboxes are warm again', () => optimizer.snapshot()[0]?.idle === 2);
  assert.equal(Tracked.pids.length, 3);
  assert.equal(optimizer.snapshot()[0]?.counters.destroyed['single-use'], 1);
});

test('the next borrower finds nothing that the last one left', async () => {
  await using optimizer = oneSandbox();
  await optimizer.use(SandboxAgent, { variables: { secret: 'mine' } }, (agent) => agent.run('left = secret'));
  await using next = await optimizer.pooled(SandboxAgent, NOTHING);
  assert.equal(await next.run('typeof secret + typeof left'), 'undefinedundefined');
});

test('24 borrowers at once on 4 places: each its own process, its own data, its own answer', async () => {
  await using optimizer = new AgnoPerformanceOptimizer();
  const pids = await Promise.all(
    Array.from({ length: 24 }, (_, index) =>
      optimizer.use(SandboxAgent, { variables: { mine: index } }, async (agent) => {
        const [printed] = await readAll(agent.stream('print(mine)'));
        assert.equal(printed, String(index));
        assert.equal(await agent.run('mine * 2'), index * 2);
        return pidOf(agent);
      }),
    ),
  );
  assert.equal(new Set(pids).size, 24);
  assert.equal(optimizer.snapshot()[0]?.leased, 0);
  await until('all used ones are gone', () => !pids.some(isAlive));
});

test('an abort kills the child, however busy it is, before the agent is released', async () => {
  await using optimizer = oneSandbox();
  await using agent = await optimizer.pooled(SandboxAgent, NOTHING);
  const pid = pidOf(agent);
  const controller = new AbortController();
  const stream = agent.stream(`print('busy'); for (;;);`, { signal: controller.signal });
  const read = async (): Promise<void> => {
    for await (const printed of stream) {
      assert.equal(printed, 'busy');
      controller.abort();
    }
  };
  await assert.rejects(read(), hasCode('RUN_ABORTED'));
  await until('the child is gone', () => !isAlive(pid));
});

test('endless code ends with the time limit of its run, and the place is free again', async () => {
  await using optimizer = oneSandbox();
  const agent = await optimizer.pooled(SandboxAgent, NOTHING);
  await assert.rejects(agent.run('for (;;);', { timeoutMs: 50 }), hasCode('RUN_TIMEOUT'));
  agent.release();
  await using next = await optimizer.pooled(SandboxAgent, NOTHING);
  assert.equal(await next.run('1 + 1'), 2);
});

test('code that fails says how', async () => {
  await using optimizer = oneSandbox();
  await using agent = await optimizer.pooled(SandboxAgent, NOTHING);
  await assert.rejects(agent.run('nowhere.to.be.found'), /The code failed: ReferenceError: nowhere is not defined/);
});

test('code that breaks out of its realm still finds no files, no children and no environment', async () => {
  await using optimizer = oneSandbox();
  await using agent = await optimizer.pooled(SandboxAgent, NOTHING);
  const builtin = (name: string): string => `${OUTER_PROCESS}.getBuiltinModule('${name}')`;
  await assert.rejects(
    agent.run(`${builtin('fs')}.readFileSync('/etc/hosts')`),
    /Access to this API has been restricted/,
  );
  await assert.rejects(
    agent.run(`${builtin('child_process')}.spawnSync('id')`),
    /Access to this API has been restricted/,
  );
  assert.deepEqual(await agent.run(`Object.keys(${OUTER_PROCESS}.env)`), []);
});

test('a child that crashes is told with its pid, its exit code and its last words', async () => {
  await using optimizer = oneSandbox();
  const agent = await optimizer.pooled(SandboxAgent, NOTHING);
  const pid = pidOf(agent);
  const code = `${OUTER_PROCESS}._rawDebug('out of ideas'); ${OUTER_PROCESS}.exit(3)`;
  await assert.rejects(agent.run(code), { message: `Process ${pid} ended with exit code 3. out of ideas` });
  agent.release();

  const killed = await optimizer.pooled(SandboxAgent, NOTHING);
  process.kill(pidOf(killed), 'SIGKILL');
  await assert.rejects(killed.run('1 + 1'), /was killed by SIGKILL/);
  killed.release();
});

test('a child that dies at its start is told to whoever waits for it', async () => {
  class StillbornSandbox extends SandboxAgent {
    static override readonly type: string = 'stillborn-sandbox';
    static override readonly pool: PoolOptions = { reuse: 'single-use', createAttempts: 1 };

    static override async create({ signal }: CreateContext): Promise<JsonLinesProcess> {
      const sandbox = new JsonLinesProcess(['--eval', 'process.exit(7)'], signal);
      await sandbox.next();
      return sandbox;
    }
  }
  await using optimizer = new AgnoPerformanceOptimizer();
  const acquired = optimizer.pooled(StillbornSandbox, NOTHING);
  await assert.rejects(acquired, (error: Error) => {
    return hasCode('CREATE_FAILED')(error) && /ended with exit code 7/.test(error.message);
  });
});

test('close() leaves no child alive, idle or busy', async () => {
  const Tracked = trackedAgent();
  const optimizer = new AgnoPerformanceOptimizer();
  try {
    const agent = await optimizer.pooled(Tracked, NOTHING);
    const busy = assert.rejects(agent.run('for (;;);'), hasCode('LEASE_RELEASED'));
    await until('another one is warm', () => (optimizer.snapshot()[0]?.idle ?? 0) > 0);
    await optimizer.close({ timeoutMs: 0 });
    await busy;
    assert.ok(Tracked.pids.length >= 2);
    assert.deepEqual(Tracked.pids.filter(isAlive), []);
  } finally {
    await optimizer.close();
  }
});

test('close() ends a child that is still starting', async () => {
  class SlowSandbox extends SandboxAgent {
    static override readonly type: string = 'slow-sandbox';
    static override readonly pool: PoolOptions = { reuse: 'single-use' };
    static pid: number | undefined = undefined;

    static override async create({ signal }: CreateContext): Promise<JsonLinesProcess> {
      const sandbox = new JsonLinesProcess(['--eval', 'setInterval(() => {}, 60_000)'], signal);
      SlowSandbox.pid = sandbox.pid;
      await sandbox.next();
      return sandbox;
    }
  }
  const optimizer = new AgnoPerformanceOptimizer();
  try {
    const refused = assert.rejects(optimizer.pooled(SlowSandbox, NOTHING), hasCode('POOL_CLOSED'));
    await until('the child has started', () => SlowSandbox.pid !== undefined);
    const pid = SlowSandbox.pid as number;
    assert.ok(isAlive(pid));
    await optimizer.close();
    await refused;
    await until('the child is gone', () => !isAlive(pid));
  } finally {
    await optimizer.close();
  }
});
