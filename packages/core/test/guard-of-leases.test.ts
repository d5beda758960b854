/** `guard: 'revocable'`: what a borrower reached through its resources stops working when its lease ends. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { settle } from '@sophia-ai/core/testing';

import { agentClass, coded, desk, snapshotOf, valueOf, watch } from './support/agents.ts';

/** Resources with everything that a borrower may keep a part of. */
class Connection {
  readonly id: number;
  readonly state: { user: string | undefined } = { user: undefined };
  readonly history: { text: string }[] = [];
  readonly cache = new Map<string, { hits: number }>();
  #secret = 'inner';

  constructor(id: number) {
    this.id = id;
  }

  say(text: string): number {
    return this.history.push({ text });
  }

  get secret(): string {
    return this.#secret;
  }
}

interface Guarded {
  Guarded: ReturnType<typeof guardedClass>;
  /** What the hooks were given, by hook. */
  given: [hook: string, connection: Connection][];
  made: Connection[];
}

function guardedClass(pool: PoolOptions, given: Guarded['given'], made: Connection[], gate: Promise<void>) {
  return class Guarded extends Agent<void, Connection, string, number> {
    static override readonly type: string = 'test';
    static override readonly pool: PoolOptions = pool;
    static create(): Connection {
      made.push(new Connection(made.length + 1));
      return made.at(-1) as Connection;
    }
    static reset(connection: Connection): void {
      given.push(['reset', connection]);
      connection.history.length = 0;
      connection.cache.clear();
      connection.state.user = undefined;
    }
    static verify(connection: Connection): boolean {
      given.push(['verify', connection]);
      return connection.secret === 'inner';
    }
    static validate(connection: Connection): boolean {
      given.push(['validate', connection]);
      return true;
    }
    static warm(connection: Connection): void {
      given.push(['warm', connection]);
    }
    static destroy(connection: Connection): void {
      given.push(['destroy', connection]);
    }
    static footprint(connection: Connection): number {
      given.push(['footprint', connection]);
      return 1;
    }
    protected override async execute(input: string): Promise<number> {
      this.resources.cache.set(input, { hits: 1 });
      await gate;
      return this.resources.say(`${input} ${this.resources.secret}`);
    }
  };
}

function guarded(pool: PoolOptions = {}, gate: Promise<void> = Promise.resolve()): Guarded {
  const given: Guarded['given'] = [];
  const made: Connection[] = [];
  return { Guarded: guardedClass({ max: 1, guard: 'revocable', ...pool }, given, made, gate), given, made };
}

/** Keeps parts of the resources, as a borrower by mistake does. */
function keep(connection: Connection): (() => unknown)[] {
  const { state, history, cache } = connection;
  const say = Reflect.get(connection, 'say') as Connection['say'];
  connection.say('kept');
  cache.set('a', { hits: 1 });
  const [first] = history;
  const found = cache.get('a');
  const bound = connection.say.bind(connection);
  return [
    () => connection.id,
    () => connection.secret,
    () => connection.say('late'),
    () => state.user,
    () => (state.user = 'late'),
    () => history.length,
    () => history.push({ text: 'late' }),
    () => [...history],
    () => first?.text,
    () => cache.set('late', { hits: 1 }),
    () => found?.hits,
    () => say.call(connection, 'late'),
    () => bound('late'),
    () => Object.keys(connection),
    () => 'id' in connection,
    () => Reflect.deleteProperty(connection, 'state'),
  ];
}

test('whatever was kept of the resources throws LEASE_RELEASED after the release', async () => {
  const { optimizer } = desk();
  const { Guarded, made } = guarded();
  const agent = await optimizer.pooled(Guarded);
  const uses = keep(agent.resources);
  agent.release();
  for (const use of uses) assert.throws(use, coded('LEASE_RELEASED', 'test', 'released'));
  await settle();
  assert.deepEqual([made[0]?.history, made[0]?.state.user, made[0]?.cache.size], [[], undefined, 0]);
});

test('the same after a discard, a revoke, a deadline and a close, with the reason in the message', async () => {
  const ends: Record<string, (house: ReturnType<typeof desk>, agent: { discard(): void }) => unknown> = {
    'discard()': (_house, agent) => agent.discard(),
    'by an operator': ({ optimizer }) => optimizer.revoke('test', 1),
    leaseMs: ({ clock }) => clock.advance(101),
    'when the pool closed': ({ optimizer }) => optimizer.close({ timeoutMs: 0 }),
  };
  for (const [word, end] of Object.entries(ends)) {
    const house = desk();
    const { Guarded } = guarded({ leaseMs: 100 });
    const agent = await house.optimizer.pooled(Guarded);
    const uses = keep(agent.resources);
    await end(house, agent);
    for (const use of uses) assert.throws(use, coded('LEASE_RELEASED', word));
  }
});

test('the next borrower of the same entry is not affected by the end of the last lease', async () => {
  const { optimizer } = desk();
  const { Guarded } = guarded();
  const first = await optimizer.pooled(Guarded);
  const kept = first.resources;
  assert.equal(kept.say('first'), 1);
  first.release();
  await settle();
  const second = await optimizer.pooled(Guarded);
  assert.equal(second.resources.id, 1);
  assert.equal(second.resources.say('second'), 1);
  assert.throws(() => kept.say('late'), coded('LEASE_RELEASED'));
  assert.deepEqual(
    second.resources.history.map(({ text }) => text),
    ['second'],
  );
});

test('while the lease lives, the resources are the same at every reading and work as themselves', async () => {
  const { optimizer } = desk();
  const { Guarded } = guarded();
  const agent = await optimizer.pooled(Guarded);
  assert.equal(agent.resources, agent.resources);
  assert.equal(agent.resources.state, agent.resources.state);
  assert.ok(agent.resources instanceof Connection);
  assert.equal(agent.resources.secret, 'inner');
  agent.resources.state.user = 'ada';
  assert.equal(agent.resources.state.user, 'ada');
  assert.ok(Array.isArray(agent.resources.history));
});

test('run, stream and use work on guarded resources', async () => {
  const { optimizer, clock } = desk();
  const { Guarded } = guarded();
  const agent = await optimizer.pooled(Guarded);
  assert.equal(await agent.run('one'), 1);
  assert.equal(await agent.stream('two').result, 2);
  agent.release();
  await clock.advance(1);
  assert.equal(await optimizer.use(Guarded, undefined, ({ resources }) => resources.say('three')), 1);
  await settle();
  assert.deepEqual(snapshotOf(optimizer).counters.destroyed, {});
});

test('a run that goes on after the end of its lease cannot touch the resources of the next', async () => {
  const { optimizer } = desk();
  const gate = Promise.withResolvers<void>();
  const { Guarded, made } = guarded({}, gate.promise);
  const agent = await optimizer.pooled(Guarded);
  const run = watch(agent.run('slow'));
  await settle();
  agent.release();
  const next = watch(optimizer.pooled(Guarded));
  gate.resolve();
  await settle();
  assert.equal(valueOf(next).resources.id, 2, 'the entry of an open run is dirty');
  assert.deepEqual(made[0]?.history, []);
  assert.throws(() => {
    throw run.error;
  }, coded('LEASE_RELEASED'));
});

test('hooks get the real resources, never a guarded one', async () => {
  const { optimizer, clock } = desk();
  const { Guarded, given, made } = guarded({ verify: 'fingerprint', maxMemoryKib: 1, validateEveryMs: 100 });
  await optimizer.prewarm(Guarded);
  const agent = await optimizer.pooled(Guarded);
  agent.resources.say('something');
  agent.release();
  await clock.advance(150);
  await optimizer.close();
  assert.deepEqual(
    given.map(([hook]) => hook),
    ['warm', 'reset', 'verify', 'footprint', 'validate', 'destroy'],
  );
  for (const [hook, connection] of given) assert.equal(connection, made[0], hook);
});

test('a guarded object that a borrower stores in its resources is stored as itself', async () => {
  const { optimizer } = desk();
  const create = (): { id: number } => {
    const made = { id: 1, box: { item: undefined as unknown }, item: { name: 'an item' } };
    return made;
  };
  type Boxed = { box: { item: unknown }; item: { name: string } };
  const Support = agentClass({ pool: { max: 1, guard: 'revocable' }, create });
  const first = await optimizer.pooled(Support);
  const boxed = first.resources as unknown as Boxed;
  boxed.box.item = boxed.item;
  first.release();
  const second = (await optimizer.pooled(Support)).resources as unknown as Boxed;
  assert.deepEqual([(second.box.item as { name: string }).name, second.box.item === second.item], ['an item', true]);
});

test('borrowers of a shared entry have a guard each', async () => {
  const { optimizer } = desk();
  const { Guarded } = guarded({ reuse: 'shared', max: 2 });
  const [a, b] = [await optimizer.pooled(Guarded), await optimizer.pooled(Guarded)];
  const [ofA, ofB] = [a.resources, b.resources];
  a.release();
  assert.throws(() => ofA.id, coded('LEASE_RELEASED'));
  assert.equal(ofB.id, 1);
});

test('strict guards exclusive classes, unless the class says none; nobody else is guarded unasked', async () => {
  const cases: [strict: boolean, pool: PoolOptions, isGuarded: boolean][] = [
    [true, { guard: undefined as never }, true],
    [true, { guard: 'none' }, false],
    [true, { guard: undefined as never, reuse: 'shared' }, false],
    [true, { guard: undefined as never, reuse: 'single-use' }, false],
    [true, { guard: 'revocable', reuse: 'shared' }, true],
    [false, { guard: undefined as never }, false],
    [false, { guard: 'revocable' }, true],
  ];
  for (const [strict, pool, isGuarded] of cases) {
    const { optimizer } = desk({ strict });
    const { Guarded } = guarded(pool);
    const agent = await optimizer.pooled(Guarded);
    const kept = agent.resources;
    agent.release();
    const what = JSON.stringify({ strict, ...pool });
    if (isGuarded) assert.throws(() => kept.id, coded('LEASE_RELEASED'), what);
    else assert.equal(kept.id, 1, what);
  }
});

test('an optimizer’s own `pools` decide about the guard too', async () => {
  const { optimizer } = desk({ strict: true, pools: { test: { guard: 'none' } } });
  const { Guarded } = guarded({ guard: undefined as never });
  const agent = await optimizer.pooled(Guarded);
  const kept = agent.resources;
  agent.release();
  assert.equal(kept.id, 1);
});

test('code that hears of the end through agent.signal meets the ended lease, and does no harm to the next', async () => {
  const { optimizer } = desk();
  const { Guarded, made } = guarded();
  const agent = await optimizer.pooled(Guarded);
  const kept = agent.resources;
  let seen: unknown;
  agent.signal.addEventListener('abort', () => {
    try {
      kept.say('from the abort listener');
    } catch (error) {
      seen = error;
    }
  });
  agent.release();
  assert.ok(coded('LEASE_RELEASED')(seen));
  await settle();
  assert.deepEqual(made[0]?.history, []);
});
