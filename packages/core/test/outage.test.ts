/**
 * Creation fails for a minute while 200 borrowers keep coming: what lives keeps serving, the others are told the true
 * cause, the attempts stay few, and the recovery is no stampede. `SOPHIA_PROVE=full` makes the outage ten times as long,
 * with ten times as many borrowers; `SOPHIA_PROVE_SEED=…` repeats a run.
 */

import assert from 'node:assert/strict';
import test from 'node:test';

import { PoolExhaustedError, SophiaError } from '@sophia-ai/core';
import type { CreateContext } from '@sophia-ai/core';

import { agentClass, desk, snapshotOf } from './support/agents.ts';
import type { Desk, Thing } from './support/agents.ts';
import { Chance, GRAIN_MS, SEED, closes, pass, sized } from './support/outcomes.ts';

const OUTAGE_MS = sized(600_000);
const BEFORE_MS = 10_000;
/** Longer than the longest pause between two attempts. */
const AFTER_MS = 45_000;
/** A second outage, as long as the shortest pauses take. */
const AGAIN_MS = 10_000;
/** On average; 200 borrowers in a minute. */
const GAP_MS = 300;
const LONGEST_GAP_MS = 320;
const HOLD_MS = 1_200;
const WAIT_MS = 2_000;
const CREATE_MS = 50;
const CREATE_TIMEOUT_MS = 1_000;
const MAX = 10;
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

const DOWN = new Error('ECONNREFUSED 10.0.0.1:443');

/** What `static create` does in the outage; `whenOver` comes to its end when the outage does, and succeeds. */
type Way = (here: Desk, whenOver: () => Promise<Thing>) => Promise<Thing>;
const WAYS: Record<string, Way> = {
  'rejects at once': () => Promise.reject(DOWN),
  throws: () => {
    throw DOWN;
  },
  'fails slowly': ({ clock }) => pass(clock, 700).then(() => Promise.reject(DOWN)),
  hangs: () => new Promise(() => undefined),
  'hangs, to succeed late': (_here, whenOver) => whenOver(),
};

/** Attempts that the shortest jitter allows in so many milliseconds: the first ones together, then one after each pause. */
function mostAttempts(durationMs: number, together: number): number {
  let attempts = together;
  let atMs = 0;
  for (let pauseMs = FIRST_PAUSE_MS; atMs <= durationMs; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    atMs += pauseMs / 2;
    attempts += 1;
  }
  return attempts;
}

interface Borrower {
  readonly startMs: number;
  /** Nothing lives and the next attempt is not due: nobody can serve it. */
  readonly inVain: boolean;
  settledMs: number | undefined;
  isServed: boolean;
  error: unknown;
}

interface Attempt {
  readonly startMs: number;
  readonly isUp: boolean;
  /** When the pause after the failure before it was over, at the earliest. */
  readonly dueMs: number;
  endMs: number | undefined;
}

class Scene {
  readonly here: Desk;
  readonly attempts: Attempt[] = [];
  readonly borrowers: Borrower[] = [];
  readonly #chance: Chance = new Chance(SEED);
  readonly #way: Way;
  readonly #Class: ReturnType<typeof agentClass>;
  readonly #live = new Map<Thing, (reason: string) => void>();
  #over = Promise.withResolvers<void>();
  #isUp = true;
  readonly faults: unknown[] = [];
  /** Attempts of which the pool has not told the end; it tells in the order of their beginnings. */
  readonly #open: Attempt[] = [];
  #failuresInARow = 0;
  #dueMs = Number.NEGATIVE_INFINITY;
  #lastError: unknown = undefined;
  #made = 0;
  #held = 0;
  #inFlight = 0;
  /** Highest counts since the last call of `mark`. */
  most: { inFlight: number; demand: number } = { inFlight: 0, demand: 0 };

  constructor(way: string, createConcurrency: number) {
    this.here = desk({ random: this.#chance.next });
    this.#way = WAYS[way] as Way;
    this.#Class = agentClass({
      pool: {
        max: MAX,
        waitMs: WAIT_MS,
        createConcurrency,
        createAttempts: ATTEMPTS,
        createTimeoutMs: CREATE_TIMEOUT_MS,
      },
      create: (context) => this.#create(context),
      destroy: (thing) => void this.#live.delete(thing),
    });
    this.here.optimizer.on('agent.create-failed', ({ failuresInARow, retryInMs, error }) => {
      this.#failuresInARow = failuresInARow;
      this.#lastError = error;
      // A failure begins a pause, unless one is on: none is if the attempt began after it, or if its last grain is over.
      const { startMs } = this.#open.shift() as Attempt;
      const isPausing = startMs < this.#dueMs && this.nowMs <= this.#dueMs + GRAIN_MS;
      if (!isPausing) this.#dueMs = this.nowMs + retryInMs;
    });
    this.here.optimizer.on('agent.created', () => {
      this.#open.shift();
      this.#failuresInARow = 0;
      this.#dueMs = Number.NEGATIVE_INFINITY;
    });
  }

  get nowMs(): number {
    return this.here.clock.now();
  }

  get living(): number {
    return this.#live.size;
  }

  mark(): void {
    this.most = { inFlight: this.#inFlight, demand: this.#held };
  }

  #create({ signal, retire }: CreateContext): Promise<Thing> {
    const attempt: Attempt = { startMs: this.nowMs, isUp: this.#isUp, dueMs: this.#dueMs, endMs: undefined };
    this.attempts.push(attempt);
    this.#open.push(attempt);
    this.#inFlight += 1;
    this.most.inFlight = Math.max(this.most.inFlight, this.#inFlight);
    const ended = (): void => {
      if (attempt.endMs === undefined) this.#inFlight -= 1;
      attempt.endMs ??= this.nowMs;
    };
    // Whether or not anything is heard of it again: from now on it is none of the pool's creations.
    signal.addEventListener('abort', ended);
    const make = (): Thing => {
      this.#made += 1;
      const thing = { id: this.#made };
      this.#live.set(thing, retire);
      return thing;
    };
    const start = (): Promise<Thing> => {
      if (this.#isUp) return pass(this.here.clock, CREATE_MS).then(make);
      return this.#way(this.here, () => this.#over.promise.then(make));
    };
    const made = new Promise<Thing>((resolve) => {
      resolve(start());
    });
    return made.finally(ended);
  }

  /** Creation fails from now on, and of what lives only so many stay. */
  begin(survivors: number): void {
    this.#isUp = false;
    this.#over = Promise.withResolvers();
    for (const retire of [...this.#live.values()].slice(survivors)) retire('its host is gone');
  }

  end(): void {
    this.#isUp = true;
    this.#over.resolve();
  }

  #come(): void {
    const borrower: Borrower = {
      startMs: this.nowMs,
      inVain: this.living === 0 && this.#failuresInARow >= ATTEMPTS && this.nowMs < this.#dueMs,
      settledMs: undefined,
      isServed: false,
      error: undefined,
    };
    const expectedCause = this.#lastError;
    this.borrowers.push(borrower);
    const served = this.here.optimizer.use(this.#Class, undefined, async ({ resources }) => {
      borrower.settledMs = this.nowMs;
      borrower.isServed = true;
      assert.ok(this.#live.has(resources), 'what is handed out lives');
      this.#held += 1;
      await pass(this.here.clock, HOLD_MS);
      this.#held -= 1;
    });
    served.catch((error: unknown) => {
      if (borrower.isServed) return void this.faults.push(error);
      borrower.settledMs = this.nowMs;
      borrower.error = error;
      if (borrower.inVain && (error as Error).cause !== expectedCause) this.faults.push(error);
    });
  }

  /** Borrowers come, one by one, for so long. */
  async last(ms: number): Promise<void> {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      await this.here.clock.advance(this.#chance.integer(2 * GAP_MS - LONGEST_GAP_MS, LONGEST_GAP_MS));
      this.#come();
      await this.here.clock.advance(0);
      const { waiting, creating, leased, idle, resetting } = snapshotOf(this.here.optimizer);
      assert.ok(leased + idle + resetting + creating <= MAX);
      this.most.demand = Math.max(this.most.demand, this.#held + waiting);
      this.most.inFlight = Math.max(this.most.inFlight, creating);
    }
  }

  between(fromMs: number, toMs: number): Borrower[] {
    return this.borrowers.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
  }
}

/** Whoever could not be served was told why, and in time. */
function checkRefusals(borrowers: readonly Borrower[], survivors: number): void {
  let atOnce = 0;
  for (const { startMs, inVain, settledMs, isServed, error } of borrowers) {
    assert.ok(settledMs !== undefined && settledMs <= startMs + WAIT_MS + GRAIN_MS, 'everybody is answered in time');
    if (isServed) continue;
    assert.ok(SophiaError.isInstance(error), String(error));
    const { cause } = error;
    assert.ok(cause === DOWN || (SophiaError.isInstance(cause) && cause.code === 'CREATE_TIMEOUT'), 'the true cause');
    assert.ok(['CREATE_FAILED', 'ACQUIRE_TIMEOUT'].includes(error.code), error.code);
    if (error instanceof PoolExhaustedError) {
      assert.equal(error.facts.reason, 'creation-failing');
      assert.equal(error.facts.lastCreateError, (cause as Error).message);
    }
    if (!inVain) continue;
    assert.equal(error.code, 'CREATE_FAILED');
    assert.equal(settledMs, startMs, 'whom nobody can serve is told at once');
    atOnce += 1;
  }
  if (survivors > 0) assert.equal(atOnce, 0);
  else assert.ok(atOnce > borrowers.length * 0.7, `${atOnce} of ${borrowers.length} were told at once`);
}

/** Few attempts in the outage, none before its time, and never a long while without one. */
function checkAttempts(attempts: readonly Attempt[], endMs: number, together: number): void {
  assert.ok(attempts.length > ATTEMPTS, 'the pool keeps trying');
  const most = mostAttempts(OUTAGE_MS, together);
  assert.ok(attempts.length <= most, `${attempts.length} attempts, ${most} allowed`);
  for (const [index, { startMs, dueMs }] of attempts.entries()) {
    assert.ok(startMs >= dueMs, `attempt ${index} at ${startMs}, due at ${dueMs}`);
    const nextMs = attempts[index + 1]?.startMs ?? endMs;
    const longestMs = LONGEST_PAUSE_MS + GRAIN_MS + LONGEST_GAP_MS + CREATE_TIMEOUT_MS;
    assert.ok(nextMs - startMs <= longestMs, `no attempt for ${nextMs - startMs} ms`);
  }
}

for (const way of Object.keys(WAYS)) {
  for (const survivors of [0, 2]) {
    for (const createConcurrency of [2, 8]) {
      test(`create ${way} for ${OUTAGE_MS / 1_000} s, ${survivors} of the entries live on, ${createConcurrency} creations at once allowed: few attempts, true causes, no stampede`, async (t) => {
        t.diagnostic(`SOPHIA_PROVE_SEED=${SEED}`);
        const scene = new Scene(way, createConcurrency);
        await scene.last(BEFORE_MS);
        assert.ok(
          scene.borrowers.every(({ isServed }) => isServed),
          'all is well before',
        );
        const needed = scene.living;
        assert.ok(needed >= HOLD_MS / GAP_MS && needed <= scene.most.demand);

        const downMs = scene.nowMs;
        const before = scene.attempts.length;
        scene.begin(survivors);
        await scene.last(OUTAGE_MS);
        const upMs = scene.nowMs;
        const failed = scene.attempts.slice(before);
        checkAttempts(failed, upMs, createConcurrency);
        const inOutage = scene.between(downMs, upMs - WAIT_MS - GRAIN_MS);
        checkRefusals(inOutage, survivors);
        const served = inOutage.filter(({ isServed }) => isServed).length;
        const possible = (survivors * (OUTAGE_MS - WAIT_MS)) / HOLD_MS;
        assert.ok(served >= 0.98 * possible - survivors, `${served} served by what lives, ${possible} possible`);

        assert.equal(scene.living, survivors);
        assert.ok(scene.most.inFlight <= createConcurrency, `${scene.most.inFlight} creations at once`);
        scene.mark();
        scene.end();
        await scene.last(AFTER_MS);
        await scene.here.clock.advance(WAIT_MS + HOLD_MS + GRAIN_MS);
        checkRecovery({ scene, upMs, survivors, createConcurrency, isLate: way.includes('late') });

        // A creation that succeeds after it was given up has not ended the row of failures.
        if (!way.includes('late')) await checkNextOutage(scene);
        await closes(scene.here);
        assert.equal(scene.living, 0);
        assert.deepEqual(scene.faults, []);
      });
    }
  }
}

interface Recovery {
  readonly scene: Scene;
  readonly upMs: number;
  readonly survivors: number;
  readonly createConcurrency: number;
  /** The creations of the outage have all succeeded when it ended. */
  readonly isLate: boolean;
}

/** The pool is at full service within one pause, by creations that are few at a time and no more than needed. */
function checkRecovery({ scene, upMs, survivors, createConcurrency, isLate }: Recovery): void {
  const attempts = scene.attempts.filter(({ isUp, startMs }) => isUp && startMs >= upMs);
  assert.ok(scene.most.inFlight <= createConcurrency, `${scene.most.inFlight} creations at once`);
  assert.ok(scene.living <= MAX);
  let fullMs = upMs;
  if (!isLate) {
    const [probe, next] = attempts;
    assert.ok(probe?.endMs !== undefined);
    const latestMs = Math.max(upMs, probe.dueMs) + GRAIN_MS + LONGEST_GAP_MS;
    assert.ok(probe.startMs <= latestMs, `the first attempt came at ${probe.startMs}, it was due by ${latestMs}`);
    if (next !== undefined) assert.ok(next.startMs >= probe.endMs, 'one attempt is the probe for all');
    assert.ok(survivors + attempts.length <= scene.most.demand, `${attempts.length} made for ${scene.most.demand}`);
    fullMs = probe.endMs;
  }
  const afterwards = scene.borrowers.filter(({ startMs }) => startMs > fullMs);
  assert.ok(afterwards.length > AFTER_MS / GAP_MS / 5);
  for (const { startMs, settledMs, isServed } of afterwards) {
    assert.ok(isServed, `one who came at ${startMs} is refused, creation worked since ${fullMs}`);
    assert.ok((settledMs as number) - startMs <= HOLD_MS, 'nobody waits for long');
  }
}

/** The row of failures ended with the first success: a further outage begins with short pauses. */
async function checkNextOutage(scene: Scene): Promise<void> {
  const before = scene.attempts.length;
  scene.begin(0);
  await scene.last(AGAIN_MS);
  const retries = scene.attempts.length - before;
  assert.ok(retries > ATTEMPTS, `${retries} attempts`);
}
