/** Creation that fails for ever, or never comes. */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Resource } from '../contender.ts';
import { Maker, fails, ok, partly } from '../probe.ts';
import type { Finding, Probe } from '../probe.ts';
import { answerTo, settle, textOf } from '../settle.ts';

const CAUSE = 'no route to the database';
const WINDOW_MS = 500;
/** More tries than this in the window are a storm, not a retry. */
const STORM = 20;
/** No timer fired for this long, while creations went on and on. */
const STARVED_MS = 250;

const failsAtOnce: Probe = {
  id: 'create-fails-at-once',
  title: 'Create fails at once',
  good: 'Creation that fails in a microtask, for ever, leaves the event loop alive, is retried with pauses if at all, and its cause is told to whoever waits.',
  async run(contender) {
    const { creations, longestGapMs, waits, told, pending } = await fail(contender, 3, () => undefined);
    const seen = `${creationsOf(creations)} in ${WINDOW_MS} ms`;
    if (longestGapMs > STARVED_MS && creations > STORM) return fails(`${seen}, event loop stopped meanwhile`);
    if (pending > 0) return fails(`${seen}; ${pending} of ${waits} waiters never settle`);
    if (creations > STORM) return partly(`${seen}, without a pause`);
    return told === waits ? ok(`${seen}; the waiters are told the cause`) : partly(`${seen}; the cause is not told`);
  },
};

const failsLater: Probe = {
  id: 'create-fails-later',
  title: 'Create fails a turn later',
  good: 'While creation fails, neither one patient borrower nor one who asks again at once makes a storm of creations.',
  async run(contender) {
    const { creations, told, waits } = await fail(contender, 1, nextTurn);
    const insisting = await insist(contender);
    const seen = `${creationsOf(creations)} in ${WINDOW_MS} ms for a patient borrower, ${creationsOf(insisting)} for an insisting one`;
    if (creations > STORM) return fails(seen);
    return insisting > STORM || told < waits ? partly(seen) : ok(seen);
  },
};

function creationsOf(count: number): string {
  return `${count.toLocaleString('en-US')} creation${count === 1 ? '' : 's'}`;
}

/** How `waits` borrowers fare while every creation fails after `before`. */
async function fail(
  contender: Contender,
  waits: number,
  before: () => unknown,
): Promise<{ creations: number; longestGapMs: number; waits: number; told: number; pending: number }> {
  let startMs: number | undefined = undefined;
  let creations = 0;
  const create = async (): Promise<Resource> => {
    startMs ??= performance.now();
    // Ends a loop in which no timer would ever fire.
    if (performance.now() - startMs > WINDOW_MS) return new Promise(() => undefined);
    creations += 1;
    const turn = before();
    if (turn !== undefined) await turn;
    throw new Error(CAUSE);
  };
  const pool = contender.open(new Maker().settings(3, { create, waitMs: 300 }));
  let longestGapMs = 0;
  let beatMs = performance.now();
  const beat = setInterval(() => {
    longestGapMs = Math.max(longestGapMs, performance.now() - beatMs);
    beatMs = performance.now();
  }, 10);
  const outcomes = await Promise.all(Array.from({ length: waits }, () => settle(pool.acquire(), 1_200)));
  await sleep(WINDOW_MS);
  clearInterval(beat);
  const told = outcomes.filter((outcome) => outcome.how === 'refused' && textOf(outcome.error).includes(CAUSE));
  const pending = outcomes.filter(({ how }) => how === 'pending');
  return { creations, longestGapMs, waits, told: told.length, pending: pending.length };
}

/** How many creations one borrower causes who asks again, a turn later, whenever refused. */
async function insist(contender: Contender): Promise<number> {
  let creations = 0;
  const create = async (): Promise<Resource> => {
    creations += 1;
    await nextTurn();
    throw new Error(CAUSE);
  };
  const pool = contender.open(new Maker().settings(3, { create, waitMs: 300 }));
  const endMs = performance.now() + WINDOW_MS;
  while (performance.now() < endMs) {
    await settle(pool.acquire(), Math.max(0, endMs - performance.now()));
    await nextTurn();
  }
  return creations;
}

const hangs: Probe = {
  id: 'create-hangs',
  title: 'Create never settles',
  good: 'A creation that never settles is given up after a time; its slot serves again, and whoever waited settles.',
  async run(contender): Promise<Finding> {
    const maker = new Maker();
    let calls = 0;
    const create = async (): Promise<Resource> => {
      calls += 1;
      return calls === 1 ? new Promise(() => undefined) : maker.make();
    };
    const pool = contender.open(maker.settings(1, { create, waitMs: 600 }));
    const first = await settle(pool.acquire(), 1_200);
    if (first.how === 'got') {
      await answerTo(() => first.value.release());
      return ok(`given up; the waiter is served after ${first.ms} ms`);
    }
    const next = await settle(pool.acquire(), 1_200);
    const waiter = first.how === 'pending' ? 'the waiter never settles' : `the waiter is refused after ${first.ms} ms`;
    if (next.how !== 'got') return fails(`the slot is lost for ever; ${waiter}`);
    return first.how === 'pending' ? fails(waiter) : ok(`${waiter}, the next one is served`);
  },
};

export const CREATING: readonly Probe[] = [failsAtOnce, failsLater, hangs];
