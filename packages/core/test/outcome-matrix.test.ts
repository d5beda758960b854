/**
 * However create, reset, validate and destroy end, in all 625 combinations, the pool keeps its word to borrowers that
 * come, leave, hold, give back and are cut off at random moments.
 *
 * A failing run prints its seed; `SOPHIA_PROVE_SEED=…` repeats it, `SOPHIA_PROVE=full` runs ten times as many histories.
 */

import assert from 'node:assert/strict';
import test from 'node:test';

import { SophiaError } from '@sophia-ai/core';
import type { ErrorCode, PoolSnapshot } from '@sophia-ai/core';

import { agentClass, countedSignal, desk, snapshotOf, watch } from './support/agents.ts';
import type { MadeClass, TestAgent, Watched } from './support/agents.ts';
import { Chance, GRAIN_MS, HOOKS, OUTCOMES, SEED, WatchedHooks, count, sized, tally } from './support/outcomes.ts';
import type { Combination, Hook, Watchful } from './support/outcomes.ts';

const HISTORIES = sized(30);
/** Longest time of a hook. */
const TIMEOUT_MS: Readonly<Record<Hook, number>> = { create: 300, reset: 150, validate: 120, destroy: 150 };
/** All borrowers have come by then. */
const COMING_MS = 500;
const HISTORY_MS = 900;
const LONGEST_STEP_MS = 50;

interface Borrower {
  readonly name: string;
  readonly startMs: number;
  readonly waitMs: number;
  readonly watched: Watched<TestAgent>;
  readonly listeners: () => number;
  aborted?: boolean;
  settledMs?: number;
}

class History {
  readonly #chance: Chance;
  readonly #combination: Combination;
  readonly #max: number;
  readonly #concurrency: number;
  readonly #desk: ReturnType<typeof desk>;
  readonly #Class: MadeClass;
  readonly #agenda: { readonly atMs: number; readonly act: () => void }[] = [];
  readonly #borrowers: Borrower[] = [];
  readonly #held = new Map<string, { readonly agent: TestAgent; readonly thing: Watchful | undefined }>();
  readonly #heldEntries = new Map<number, string>();
  readonly #hooks: WatchedHooks;
  #pausedUntilMs = 0;
  #drainedMs: number | undefined = undefined;
  #closed: Watched<unknown> | undefined = undefined;

  constructor(combination: Combination, seed: number, purity: number) {
    const chance = new Chance(seed);
    this.#chance = chance;
    this.#combination = combination;
    this.#max = chance.integer(2, 3);
    this.#concurrency = chance.integer(1, 3);
    this.#desk = desk({ random: chance.next });
    this.#hooks = new WatchedHooks(this.#desk.clock, chance, combination, purity);
    this.#Class = agentClass({
      pool: {
        max: this.#max,
        minIdle: chance.integer(0, 1),
        createConcurrency: this.#concurrency,
        createAttempts: chance.integer(1, 3),
        createTimeoutMs: TIMEOUT_MS.create,
        resetTimeoutMs: TIMEOUT_MS.reset,
        validateTimeoutMs: TIMEOUT_MS.validate,
        validateEveryMs: 90,
        destroyTimeoutMs: TIMEOUT_MS.destroy,
      },
      ...this.#hooks.recipe,
    });
    this.#listen();
  }

  get #nowMs(): number {
    return this.#desk.clock.now();
  }

  // ---- what is heard

  #listen(): void {
    const { optimizer } = this.#desk;
    optimizer.on('lease.acquired', ({ owner = '', entryId }) => {
      this.#hooks.note(() =>
        assert.equal(this.#heldEntries.get(entryId), undefined, `${owner} gets what another holds`),
      );
      this.#heldEntries.set(entryId, owner);
      this.#hooks.note(() => this.#checkAlways());
    });
    optimizer.on('lease.released', ({ owner = '', entryId, how }) => {
      count(how);
      this.#heldEntries.delete(entryId);
      if (how === 'revoked') this.#letGo(owner);
    });
    optimizer.on('agent.create-failed', ({ retryInMs }) => {
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#nowMs + retryInMs + GRAIN_MS);
    });
  }

  // ---- borrowers

  #at(atMs: number, act: () => void): void {
    this.#agenda.push({ atMs, act });
    this.#agenda.sort((a, b) => a.atMs - b.atMs);
  }

  /** @param owned whether it holds and gives back by itself. */
  #come(name: string, waitMs: number, owned: boolean): void {
    const { controller, signal, listeners } = countedSignal();
    const promise = this.#desk.optimizer.pooled(this.#Class, undefined, { signal, waitMs, owner: name });
    const watched = watch<TestAgent>(promise);
    const borrower: Borrower = { name, startMs: this.#nowMs, waitMs, watched, listeners };
    this.#borrowers.push(borrower);
    if (owned && this.#chance.is(0.35)) {
      this.#at(this.#nowMs + this.#chance.integer(0, 12) * 10, () => {
        borrower.aborted = true;
        controller.abort(new Error(`${name} leaves`));
      });
    }
    const settled = (): void => {
      borrower.settledMs = this.#nowMs;
    };
    watched.promise.then(settled, settled);
    promise.then(
      (agent) => this.#receive(agent, name, owned),
      () => undefined,
    );
  }

  #receive(agent: TestAgent, name: string, owned: boolean): void {
    count('hand-outs');
    // One that never looks at the resources leaves nothing behind, and is not reset.
    const thing = this.#chance.is(0.8) ? (agent.resources as Watchful) : undefined;
    this.#held.set(name, { agent, thing });
    if (thing !== undefined) {
      this.#hooks.note(() => {
        assert.equal(thing.heldBy, undefined, `${name} shares with ${thing.heldBy}`);
        assert.ok(!thing.soiled, `${name} meets what another left behind`);
        assert.ok(!thing.condemned && !thing.destroyed, `${name} gets what may not serve again`);
        assert.equal(thing.within, undefined, `${name} gets what ${thing.within?.hook} works on`);
      });
      thing.heldBy = name;
      thing.soiled = true;
    }
    if (!owned) return;
    const holdMs = this.#chance.of(0, 0, 10, 40, 110, 250, Number.POSITIVE_INFINITY);
    if (holdMs === 0) this.#end(name);
    else if (holdMs < HISTORY_MS) this.#at(this.#nowMs + holdMs, () => this.#end(name));
  }

  #letGo(name: string): TestAgent | undefined {
    const held = this.#held.get(name);
    this.#held.delete(name);
    if (held?.thing !== undefined) held.thing.heldBy = undefined;
    return held?.agent;
  }

  #end(name: string): void {
    const thing = this.#held.get(name)?.thing;
    const agent = this.#letGo(name);
    if (this.#drainedMs !== undefined && agent !== undefined) count('released during drain');
    const isDiscarded = this.#chance.is(0.15);
    if (isDiscarded && thing !== undefined) thing.condemned = true;
    if (isDiscarded) agent?.discard();
    else agent?.release();
    if (this.#chance.is(0.1)) agent?.release();
  }

  // ---- what must hold

  /** Holds at any moment, also in the middle of a tick. */
  #checkAlways(): PoolSnapshot {
    const snapshot = snapshotOf(this.#desk.optimizer);
    const { idle, leased, creating, resetting, validating, destroying } = snapshot;
    // A place is free only once what stood there is destroyed.
    const taken = idle + leased + creating + resetting + validating + destroying;
    assert.ok(taken <= this.#max, `${taken} entries where ${this.#max} are allowed`);
    assert.ok(creating <= this.#concurrency, `${creating} creations, ${this.#concurrency} allowed`);
    return snapshot;
  }

  /** Holds when no promise is left to run. */
  #checkSettled(): void {
    const { leased, waiting, idle, creating, resetting, validating, destroying, counters } = this.#checkAlways();
    assert.deepEqual(this.#hooks.faults, []);
    assert.equal(leased, this.#held.size, 'leases are those of live agents');
    assert.equal(counters.created, this.#hooks.things.length, 'every creation that succeeded is counted');
    const now = this.#nowMs;
    let pending = 0;
    for (const borrower of this.#borrowers) {
      const { name, watched, startMs, waitMs, listeners } = borrower;
      if (watched.state === 'pending') {
        pending += 1;
        assert.ok(now <= startMs + waitMs + GRAIN_MS, `${name} waits beyond its deadline`);
        assert.equal(listeners(), 1, `${name} can leave`);
      } else assert.equal(listeners(), 0, `${name} leaves no listener on its signal`);
      if (watched.state === 'rejected') this.#checkRefusal(borrower, watched.error);
    }
    assert.equal(waiting, pending, 'the queue holds who has not been answered');
    if (waiting > 0) assert.equal(idle, 0, 'nobody waits while an entry rests');
    const hasRoom = leased + creating + resetting + validating + destroying < this.#max;
    if (this.#closed === undefined && waiting > creating && hasRoom && creating === 0) {
      assert.ok(now <= this.#pausedUntilMs, 'one who waits is helped where there is room, or a pause is on');
    }
  }

  #checkRefusal({ name, startMs, waitMs, settledMs = 0, aborted = false }: Borrower, error: unknown): void {
    assert.ok(SophiaError.isInstance(error), `${name}: ${String(error)}`);
    const isTrue: Partial<Record<ErrorCode, boolean>> = {
      ACQUIRE_TIMEOUT: settledMs >= startMs + waitMs,
      ACQUIRE_ABORTED: aborted,
      CREATE_FAILED: this.#combination.create !== 'ok' && this.#combination.create !== 'slow',
      POOL_DRAINING: this.#drainedMs !== undefined && startMs >= this.#drainedMs,
      POOL_CLOSED: this.#closed !== undefined,
    };
    assert.equal(isTrue[error.code], true, `${name} is told ${error.code} without cause`);
  }

  // ---- the course of things

  #plan(): void {
    const chance = this.#chance;
    const borrowers = chance.integer(6, 8);
    for (let index = 0; index < borrowers; index += 1) {
      // On a grid, so that many things fall into one tick.
      this.#at(chance.integer(0, COMING_MS / 10) * 10, () => {
        this.#come(`b${index}`, chance.of(0, 30, 120, 300, 800), true);
      });
    }
    if (!chance.is(0.3)) return;
    this.#at(chance.integer(0, HISTORY_MS / 10) * 10, () => {
      this.#drainedMs = this.#nowMs;
      const drained = watch(this.#desk.optimizer.drain({ timeoutMs: 200 }));
      this.#at(this.#nowMs + 220, () => assert.equal(drained.state, 'resolved', 'drain ends in time'));
    });
  }

  /** Does what is due, with the invariants after each thing and after each step, until `untilMs`. */
  async #live(untilMs: number): Promise<void> {
    const { clock } = this.#desk;
    for (;;) {
      const nextMs = Math.min(this.#agenda[0]?.atMs ?? untilMs, this.#nowMs + LONGEST_STEP_MS, untilMs);
      await clock.advance(Math.max(0, nextMs - this.#nowMs));
      while ((this.#agenda[0]?.atMs ?? Number.POSITIVE_INFINITY) <= this.#nowMs) {
        this.#agenda.shift()?.act();
        this.#checkAlways();
      }
      await clock.advance(0);
      this.#checkSettled();
      if (this.#nowMs >= untilMs && (this.#agenda[0]?.atMs ?? Number.POSITIVE_INFINITY) > untilMs) return;
    }
  }

  /** No place was lost: once the hooks end well again, as many as `max` agents can be had at once. */
  async #recover(): Promise<void> {
    this.#hooks.isRescued = true;
    for (const name of Array.from(this.#held.keys())) this.#end(name);
    // What hangs runs into its time-out, after a reset or a check comes the destruction; then the pause must end.
    await this.#live(this.#nowMs + TIMEOUT_MS.create + TIMEOUT_MS.destroy);
    await this.#live(Math.max(this.#nowMs, this.#pausedUntilMs) + 1);
    for (let index = 0; index < this.#max; index += 1) this.#come(`r${index}`, 100, false);
    await this.#live(this.#nowMs + 50);
    assert.equal(this.#held.size, this.#max, 'max agents can be had again');
  }

  async #close(): Promise<void> {
    const { clock, optimizer } = this.#desk;
    const timeoutMs = this.#chance.of(0, 40, 200);
    this.#closed = watch(optimizer.close({ timeoutMs }));
    this.#checkAlways();
    await this.#live(this.#nowMs + timeoutMs + TIMEOUT_MS.reset + TIMEOUT_MS.destroy + GRAIN_MS);
    assert.equal(this.#closed.state, 'resolved', 'close ends in time');
    // A creation that outlives the close comes to its end; nobody waits any more, so no listener is left either.
    await clock.advance(TIMEOUT_MS.create + TIMEOUT_MS.destroy);
    this.#checkSettled();
    const { idle, leased, creating, resetting, validating, destroying, waiting, counters } = snapshotOf(optimizer);
    const left = [idle, leased, creating, resetting, validating, destroying, waiting];
    assert.deepEqual(left, [0, 0, 0, 0, 0, 0, 0], 'nothing lives after close');
    const alive = this.#hooks.things.filter(({ destroyed }) => !destroyed);
    assert.deepEqual(alive, [], 'whatever was created is destroyed');
    const gone = Object.values(counters.destroyed).reduce((sum, number) => sum + number, 0);
    assert.equal(gone, this.#hooks.things.length, 'created = destroyed');
    assert.equal(counters.created + counters.createFailed, this.#hooks.creations, 'every creation ended once');
    assert.equal(clock.pending, 0, 'no timer after close');
  }

  async run(): Promise<void> {
    this.#desk.optimizer.register(this.#Class);
    this.#plan();
    // Half of them are closed in the midst of things, the others first show that no place was lost.
    const isCutShort = this.#chance.is(0.5);
    await this.#live(isCutShort ? this.#chance.integer(10, 60) * 10 : HISTORY_MS);
    if (!isCutShort && this.#drainedMs === undefined) await this.#recover();
    await this.#close();
    for (const { watched } of this.#borrowers) {
      count(watched.error instanceof SophiaError ? watched.error.code : watched.state);
    }
  }
}

async function prove(combination: Combination, seed: number): Promise<void> {
  for (let index = 0; index < HISTORIES; index += 1) {
    // The first ends every call as the combination says, the others let some through to the next hook.
    const purity = index === 0 ? 1 : 0.5;
    const history = new History(combination, seed + index, purity);
    try {
      await history.run();
    } catch (cause) {
      const how = HOOKS.map((hook) => `${hook} ${combination[hook]}`).join(', ');
      throw new Error(`${how}; history ${index} of SOPHIA_PROVE_SEED=${SEED}`, { cause });
    }
  }
}

for (const [c, create] of OUTCOMES.entries()) {
  for (const [r, reset] of OUTCOMES.entries()) {
    test(`create ${create}, reset ${reset}, whatever validate and destroy do: nobody shared, lost, late or left over`, async (t) => {
      t.diagnostic(`SOPHIA_PROVE_SEED=${SEED}`);
      for (const [v, validate] of OUTCOMES.entries()) {
        for (const [d, destroy] of OUTCOMES.entries()) {
          const seed = SEED + (((c * 5 + r) * 5 + v) * 5 + d) * 1_000;
          await prove({ create, reset, validate, destroy }, seed);
        }
      }
    });
  }
}

test('the matrix met every outcome of every hook, every refusal and every way a lease ends', () => {
  for (const hook of HOOKS) {
    for (const outcome of OUTCOMES) {
      assert.ok((tally.get(`${hook} ${outcome}`) ?? 0) > 100, `${hook} ${outcome}: ${tally.get(`${hook} ${outcome}`)}`);
    }
  }
  const others = ['hand-outs', 'released', 'revoked', 'released during drain', 'ACQUIRE_TIMEOUT', 'ACQUIRE_ABORTED'];
  for (const what of [...others, 'CREATE_FAILED', 'POOL_DRAINING', 'POOL_CLOSED']) {
    assert.ok((tally.get(what) ?? 0) > 50, `${what}: ${tally.get(what)}`);
  }
});
