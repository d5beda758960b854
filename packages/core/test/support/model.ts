/**
 * The model tests: whatever borrowers, hooks, operators and time do, and in whatever order, the pool's invariants hold
 * after every step. They run in several files, so that several processes share the work.
 *
 * A failing run prints its seed; `SOPHIA_MODEL_SEED=… SOPHIA_MODEL_RUNS=…` repeat or deepen it (runs per file). Its
 * shrunk history belongs into fixtures/histories.txt, as it is printed.
 */

import test from 'node:test';
import assert from 'node:assert/strict';

import fc from 'fast-check';
import type { PoolOptions } from '@sophia-ai/core';

import { World, turn } from './world.ts';
import type { Plan, RunMode, Who } from './world.ts';

const SEED = Number(process.env['SOPHIA_MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

function runsOf(usual: number): number {
  return Number(process.env['SOPHIA_MODEL_RUNS'] ?? usual);
}

/** One thing that happens. `at` picks among the agents, gates or waiters that there are. */
type Step =
  | { readonly do: 'acquire'; readonly waitMs: number | undefined; readonly withSignal: boolean; readonly who: Who }
  | { readonly do: 'try'; readonly who: Who }
  | { readonly do: 'touch' | 'abort' | 'retire' | 'revoke'; readonly at: number }
  | { readonly do: 'suspend' | 'resume' | 'renew' }
  | { readonly do: 'release' | 'late'; readonly at: number; readonly how: 'release' | 'discard' }
  | { readonly do: 'run'; readonly at: number; readonly mode: RunMode; readonly timeoutMs: number | undefined }
  | { readonly do: 'create' | 'reset' | 'destroy'; readonly at: number; readonly outcome: 'ok' | 'fail' }
  | { readonly do: 'throw next create' | 'health' }
  | { readonly do: 'resize'; readonly max: number }
  | { readonly do: 'prewarm'; readonly count: number; readonly parallel: number }
  | { readonly do: 'drain' | 'close'; readonly timeoutMs: number };

const at = fc.nat(9);
const outcome = fc.constantFrom<'ok' | 'fail'>('ok', 'ok', 'ok', 'fail');
const how = fc.constantFrom<'release' | 'discard'>('release', 'release', 'release', 'discard');
const who: fc.Arbitrary<Who> = fc.record({
  tenant: fc.constantFrom(undefined, undefined, 'x', 'y', 'z'),
  key: fc.constantFrom('a', 'b', 'c'),
});
const step = <Do extends Step['do'], Rest extends object>(
  name: Do,
  rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> },
) => fc.record({ do: fc.constant(name), ...rest }) as unknown as fc.Arbitrary<Step>;

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 24,
    arbitrary: step('acquire', {
      waitMs: fc.constantFrom(undefined, undefined, 0, 50, 500, 1_000),
      withSignal: fc.boolean(),
      who,
    }),
  },
  { weight: 3, arbitrary: step('try', { who }) },
  { weight: 8, arbitrary: step('touch', { at }) },
  { weight: 8, arbitrary: step('abort', { at }) },
  { weight: 20, arbitrary: step('release', { at, how }) },
  { weight: 4, arbitrary: step('late', { at, how }) },
  {
    weight: 10,
    arbitrary: step('run', {
      at,
      mode: fc.constantFrom<RunMode>('ok', 'ok', 'fail', 'fail before touching', 'bad input', 'hang'),
      timeoutMs: fc.constantFrom(undefined, 20, 300),
    }),
  },
  { weight: 24, arbitrary: step('create', { at, outcome }) },
  { weight: 16, arbitrary: step('reset', { at, outcome }) },
  { weight: 6, arbitrary: step('destroy', { at, outcome }) },
  { weight: 2, arbitrary: step('throw next create', {}) },
  { weight: 3, arbitrary: step('retire', { at }) },
  { weight: 2, arbitrary: step('revoke', { at }) },
  { weight: 2, arbitrary: step('suspend', {}) },
  { weight: 4, arbitrary: step('resume', {}) },
  { weight: 2, arbitrary: step('renew', {}) },
  { weight: 2, arbitrary: step('health', {}) },
  { weight: 4, arbitrary: step('resize', { max: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 3,
    arbitrary: step('prewarm', { count: fc.integer({ min: 1, max: 4 }), parallel: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: step('drain', { timeoutMs: fc.constantFrom(0, 100, 5_000) }) },
  { weight: 1, arbitrary: step('close', { timeoutMs: fc.constantFrom(0, 100, 5_000) }) },
);

const PLAN: fc.Arbitrary<Plan> = fc
  .record({
    reuse: fc.constantFrom<NonNullable<PoolOptions['reuse']>>(
      'exclusive',
      'exclusive',
      'exclusive',
      'shared',
      'single-use',
    ),
    exhaustion: fc.constantFrom<NonNullable<PoolOptions['exhaustion']>>('wait', 'wait', 'reject', 'grow'),
    max: fc.integer({ min: 1, max: 3 }),
    maxOverflow: fc.integer({ min: 1, max: 2 }),
    maxWaiting: fc.constantFrom(1, 3, 1_000),
    minIdle: fc.constantFrom(0, 0, 1, 3),
    createConcurrency: fc.integer({ min: 1, max: 3 }),
    createAttempts: fc.integer({ min: 1, max: 3 }),
    resets: fc.boolean(),
    validates: fc.boolean(),
    slowDestroy: fc.boolean(),
    keyed: fc.constantFrom(false, false, true),
    tenantBurst: fc.constantFrom(Infinity, Infinity, 1, 2),
    tenantMax: fc.constantFrom(Infinity, 1),
    tenantWeights: fc.constantFrom({}, { x: 3, y: 0.5 }),
    coolDownMs: fc.constantFrom(0, 0, 30),
    keepSuspects: fc.constantFrom(0, 0, 1, 2),
    suspectMs: fc.constant(600),
    maxUses: fc.constantFrom(Infinity, Infinity, 1, 3),
    maxAgeMs: fc.constantFrom(Infinity, Infinity, 900),
    maxIdleMs: fc.constantFrom(Infinity, Infinity, 250),
    leaseMs: fc.constantFrom(Infinity, Infinity, Infinity, 700),
  })
  .map(({ resets, validates, slowDestroy, keyed, reuse, exhaustion, max, minIdle, coolDownMs, ...pool }) => ({
    keyed,
    pool: {
      ...pool,
      reuse,
      max,
      coolDownMs: reuse === 'exclusive' ? coolDownMs : 0,
      minIdle: keyed ? 0 : Math.min(minIdle, max),
      exhaustion: reuse === 'shared' && exhaustion === 'grow' ? 'wait' : exhaustion,
    },
    resets,
    validates,
    slowDestroy,
  }));

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % Math.max(1, from.length)];
}

function perform(world: World, now: Step): void {
  switch (now.do) {
    case 'acquire':
      return world.acquire(now.waitMs, now.withSignal, now.who);
    case 'try':
      return world.tryAcquire(now.who);
    case 'touch': {
      const agent = pick(world.live, now.at);
      return void (agent !== undefined && world.touch(agent));
    }
    case 'abort':
      return pick(
        world.acquires.filter(({ fate }) => fate === 'waiting'),
        now.at,
      )?.abort();
    case 'release': {
      const agent = pick(world.live, now.at);
      return agent !== undefined ? world.release(agent, now.how) : undefined;
    }
    case 'late': {
      const agent = pick(world.released, now.at);
      return agent === undefined ? undefined : world.releaseLate(agent, now.how);
    }
    case 'run': {
      const agent = pick(world.live, now.at);
      return agent !== undefined ? world.run(agent, now.mode, now.timeoutMs) : undefined;
    }
    case 'create':
      return world.openCreation(now.at, now.outcome);
    case 'reset':
      return world.openReset(now.at, now.outcome);
    case 'destroy':
      return world.openDestroy(now.at, now.outcome);
    case 'throw next create':
      world.throwNext = true;
      return undefined;
    case 'health':
      world.healthy = !world.healthy;
      return undefined;
    case 'retire':
      return world.retire(now.at);
    case 'revoke':
      return world.revoke(now.at);
    case 'suspend':
      return world.suspend();
    case 'resume':
      return world.resume();
    case 'renew':
      return world.renew();
    case 'resize':
      return world.resize(now.max);
    case 'prewarm':
      return world.state === 'running' ? world.prewarm(now.count, now.parallel) : undefined;
    case 'drain':
      return world.drain(now.timeoutMs);
    case 'close':
      return world.close(now.timeoutMs);
  }
}

type Real = World;
type Command = fc.AsyncCommand<object, Real>;

/** Some steps in one tick, or a few microtasks apart, then a rest: whatever can run, runs. */
class Happen implements Command {
  readonly #steps: readonly { readonly step: Step; readonly ticks: number }[];

  constructor(steps: readonly { readonly step: Step; readonly ticks: number }[]) {
    this.#steps = steps;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, world: Real): Promise<void> {
    for (const { step: now, ticks } of this.#steps) {
      perform(world, now);
      world.checkAlways();
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      world.checkAlways();
    }
    await turn();
    world.checkSettled();
  }

  toString(): string {
    return this.#steps.map(({ step: now, ticks }) => `${JSON.stringify(now)}${ticks > 0 ? `+${ticks}` : ''}`).join(' ');
  }
}

class Pass implements Command {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, world: Real): Promise<void> {
    await world.clock.advance(this.#ms);
    await turn();
    world.checkSettled();
  }

  toString(): string {
    return `${this.#ms} ms pass`;
  }
}

const COMMANDS = fc.commands(
  [
    STEP.map((now) => new Happen([{ step: now, ticks: 0 }])),
    fc
      .array(fc.record({ step: STEP, ticks: fc.constantFrom(0, 0, 0, 1, 2, 3, 5) }), { minLength: 2, maxLength: 5 })
      .map((steps) => new Happen(steps)),
    fc.constantFrom(1, 20, 60, 120, 310, 500, 1_000, 2_000).map((ms) => new Pass(ms)),
  ],
  { maxCommands: 30, size: '+1' },
);

async function live(plan: Plan, commands: Iterable<Command>): Promise<void> {
  let world: World | undefined;
  await fc.asyncModelRun(() => {
    world = new World(plan);
    return { model: {}, real: world };
  }, commands);
  assert.ok(world);
  await world.rescue();
  await world.checkCapacity();
  await world.checkClosed();
}

/** Random histories, one command after the other. */
export function testHistories(usualRuns: number): void {
  const runs = runsOf(usualRuns);
  test(`the invariants hold after every step of ${runs} random histories`, async (t) => {
    t.diagnostic(`${runs} histories, SOPHIA_MODEL_SEED=${SEED}`);
    await fc.assert(fc.asyncProperty(PLAN, COMMANDS, live), { numRuns: runs, seed: SEED, endOnFailure: false });
  });
}

/** Histories that once failed, as they were printed; lines with `#` say what the fault was. */
export function testKnownHistories(text: string): void {
  let fault = '';
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    if (line.startsWith('#')) fault = line.slice(1).trim();
    else test(`once failed: ${fault}`, () => live(...historyOf(line)));
  }
}

/** Reads `plan,command,command …`; a command is a row of steps with microtasks in between, or a span of time. */
function historyOf(line: string): [plan: Plan, commands: Command[]] {
  let rest = line.replaceAll('Number.POSITIVE_INFINITY', '"Infinity"');
  const object = (): unknown => {
    let depth = 0;
    let end = 0;
    do {
      depth += rest[end] === '{' ? 1 : rest[end] === '}' ? -1 : 0;
      end += 1;
    } while (depth > 0);
    const parsed: unknown = JSON.parse(rest.slice(0, end), (_, value: unknown) =>
      value === 'Infinity' ? Infinity : value,
    );
    rest = rest.slice(end);
    return parsed;
  };
  const plan = object() as Plan;
  const commands: Command[] = [];
  while (rest.startsWith(',')) {
    rest = rest.slice(1);
    const [passes, ms] = /^(\d+) ms pass/.exec(rest) ?? [];
    if (passes !== undefined) {
      commands.push(new Pass(Number(ms)));
      rest = rest.slice(passes.length);
      continue;
    }
    const steps: { step: Step; ticks: number }[] = [];
    do {
      rest = rest.trimStart();
      const now = object() as Step;
      const ticks = /^\+(\d+)/.exec(rest);
      rest = rest.slice(ticks?.[0].length ?? 0);
      steps.push({ step: now, ticks: Number(ticks?.[1] ?? 0) });
    } while (rest.startsWith(' {'));
    commands.push(new Happen(steps));
  }
  assert.equal(rest.trim(), '', 'the whole line was read');
  return [plan, commands];
}

/** What one borrower does with its agent, as a script of its own life. */
interface Script {
  readonly waitMs: number | undefined;
  readonly who: Who;
  readonly leaves: boolean;
  readonly mode: RunMode | undefined;
  readonly ends: 'release' | 'discard' | 'twice' | 'never';
}

const SCRIPT: fc.Arbitrary<Script> = fc.record({
  waitMs: fc.constantFrom(undefined, 100, 1_000),
  who,
  leaves: fc.boolean(),
  mode: fc.constantFrom<RunMode | undefined>(undefined, 'ok', 'fail', 'bad input', 'hang'),
  ends: fc.constantFrom<Script['ends']>('release', 'release', 'discard', 'twice', 'never'),
});

/** Borrowers as scripts, their steps and those of hooks and time in random order. */
export function testSchedules(usualRuns: number): void {
  const runs = runsOf(usualRuns);
  test(`borrowers, hooks and time in any interleaving: nothing is shared, lost or left (${runs} schedules)`, async (t) => {
    t.diagnostic(`${runs} schedules, SOPHIA_MODEL_SEED=${SEED}`);
    const outcomes = fc.infiniteStream(fc.constantFrom<'ok' | 'fail'>('ok', 'ok', 'ok', 'fail'));
    const scripts = fc.array(SCRIPT, { minLength: 1, maxLength: 8 });
    const property = fc.asyncProperty(fc.scheduler(), PLAN, scripts, outcomes, play);
    await fc.assert(property, { numRuns: runs, seed: SEED });
  });
}

async function play(
  scheduler: fc.Scheduler,
  plan: Plan,
  scripts: readonly Script[],
  outcomesOfHooks: Iterator<'ok' | 'fail'>,
): Promise<void> {
  const world = new World(plan);
  const next = (): 'ok' | 'fail' => outcomesOfHooks.next().value ?? 'ok';
  const turnOf = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
  const borrower = async (script: Script, index: number): Promise<void> => {
    await turnOf(`borrower ${index} comes`);
    world.acquire(script.waitMs, script.leaves, script.who);
    const acquire = world.acquires.at(-1);
    assert.ok(acquire);
    if (script.leaves) void turnOf(`borrower ${index} leaves`).then(() => acquire.abort());
    const agent = await acquire.watched.promise.catch(() => undefined);
    if (agent === undefined) return;
    await turnOf(`borrower ${index} works`);
    if (script.mode !== undefined && world.live.includes(agent)) world.run(agent, script.mode, 200);
    await turnOf(`borrower ${index} ends`);
    if (script.ends === 'never' || !world.live.includes(agent)) return;
    world.release(agent, script.ends === 'discard' ? 'discard' : 'release');
    if (script.ends === 'twice') {
      await turnOf(`borrower ${index} ends again`);
      world.releaseLate(agent, 'release');
    }
  };
  const done = scripts.map((script, index) => borrower(script, index));
  for (let step = 0; step < 30; step += 1) {
    // The hooks' gates and the clock take their turns among those of the borrowers.
    void turnOf('a creation').then(() => world.openCreation(0, next()));
    void turnOf('a reset').then(() => world.openReset(0, next()));
    void turnOf('a destruction').then(() => world.openDestroy(0, next()));
    await scheduler.waitIdle();
    world.checkAlways();
    await world.clock.advance(step % 3 === 0 ? 120 : 1);
    await turn();
    world.checkSettled();
  }
  await world.clock.advance(2_500);
  await world.rescue();
  await world.checkCapacity();
  await world.checkClosed();
  await Promise.all([scheduler.waitIdle(), ...done]);
}
