/** Borrowers, several at once: each looks whether it meets what another has left, leaves its own, and ends well or badly. */

import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { ManualClock } from '@sophia-ai/core/testing';
import { caller } from './hard-agent.ts';
import type { Hidden } from './hidden.ts';
import { plantByForce } from './plants.ts';
import { search } from './search.ts';
import type { Findings, Found } from './search.ts';
import { secretOf } from './secrets.ts';
import type { Borrowed, Ending, Subject } from './subjects.ts';

/** Of a hundred borrows, this many end badly. */
const BAD_IN_HUNDRED = 10;
const TENANTS = 7;
/** Long enough for a run to begin, on the clock that is turned by hand and on the wall. */
const TIMEOUT_MS = 5;

/** Reports name this many places; the count goes on. */
const MOST_NAMED = 20;

/** What happened to the borrowers of one subject. */
export class Tally {
  readonly type: string;
  checkouts = 0;
  readonly endings: Partial<Record<Ending, number>> = {};
  /** Searches with an eye for the hidden. */
  deepSearches = 0;
  mostObjects = 0;
  /** Searches that left something out. */
  limited = 0;
  foreignSecrets = 0;
  /** Where they were met. */
  readonly foreign: string[] = [];
  /** Most places in which a borrower met the own secret after leaving it. */
  mostPlaces = 0;
  /** Old secrets in bytes around a view that does not show them. */
  stale = 0;

  constructor(type: string) {
    this.type = type;
  }

  note({ objects, limited, foreign, stale }: Findings): void {
    this.mostObjects = Math.max(this.mostObjects, objects);
    if (limited) this.limited += 1;
    this.stale += stale.length;
    for (const found of foreign) this.met(found);
  }

  met({ secret, path }: Found): void {
    this.foreignSecrets += 1;
    if (this.foreign.length < MOST_NAMED) this.foreign.push(`${this.type}: ${secret} at ${path}`);
  }
}

export interface Scene {
  readonly subject: Subject;
  readonly optimizer: AgnoPerformanceOptimizer;
  /** Turned by hand where all work is done in this thread. */
  readonly clock: ManualClock | undefined;
  readonly random: () => number;
  readonly hidden: Hidden;
  readonly tally: Tally;
  /** The numbers of these borrowers begin here. */
  readonly firstIndex: number;
}

interface Newcomer {
  readonly secret: string;
  readonly tenant: string;
  readonly ending: Ending;
}

/** `count` checkouts, by twice as many borrowers at once as there may be agents. */
export async function manyBorrow(scene: Scene, count: number): Promise<void> {
  let left = count;
  const borrower = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const who = newcomer(scene);
      // On the wall's clock all deadlines share a timer, which keeps the context of its first: see contexts.test.ts.
      if (scene.clock === undefined) await borrowOnce(scene, who);
      else await caller.run(who.secret, () => borrowOnce(scene, who));
    }
  };
  await turning(scene.clock, Promise.all(Array.from({ length: 2 * scene.subject.max }, borrower)));
}

/** `count` checkouts at once while nobody works: each is searched for the hidden too, before it leaves its own. */
export async function lookDeep(
  scene: Scene,
  count: number,
  look?: (agent: Borrowed, own: string) => Promise<void>,
): Promise<void> {
  const { tally, hidden, clock } = scene;
  const newcomers = Array.from({ length: count }, () => newcomer(scene, 'released'));
  const agents = await turning(clock, Promise.all(newcomers.map((who) => borrow(scene, who))));
  for (const [index, agent] of agents.entries()) {
    const own = newcomers[index]?.secret as string;
    tally.note(search(rootsOf(agent), { own, hidden: hidden.eye(), maxObjects: 200_000 }));
    tally.deepSearches += 1;
    hidden.rest();
    await look?.(agent, own);
    await turning(clock, leaveTraces(scene, agent, own));
    tally.mostPlaces = Math.max(tally.mostPlaces, search(rootsOf(agent), { own }).own.length);
  }
  for (const agent of agents) agent.release();
}

function newcomer({ subject, tally, random, firstIndex }: Scene, fixed?: Ending): Newcomer {
  const { badEndings } = subject;
  // Each bad end once among the first, however few there are; then as it happens.
  const first = tally.checkouts % 2 === 0 ? badEndings[tally.checkouts / 2] : undefined;
  const bad = badEndings[Math.floor(random() * badEndings.length)] as Ending;
  const isBad = random() * 100 < BAD_IN_HUNDRED;
  const ending = fixed ?? first ?? (isBad ? bad : 'released');
  tally.checkouts += 1;
  tally.endings[ending] = (tally.endings[ending] ?? 0) + 1;
  const secret = secretOf(firstIndex + tally.checkouts, random);
  return { secret, tenant: `tenant-${Math.floor(random() * TENANTS)}`, ending };
}

function borrow({ subject, optimizer }: Scene, { secret, tenant }: Newcomer): Promise<Borrowed> {
  return optimizer.pooled(subject.agentClass, subject.config(secret, tenant), { tenant });
}

async function borrowOnce(scene: Scene, who: Newcomer): Promise<void> {
  const { subject, optimizer } = scene;
  const { secret, tenant, ending } = who;
  if (ending !== 'threw') {
    const agent = await borrow(scene, who);
    await meet(scene, agent, who);
    return endLease(subject, agent, who);
  }
  const failure = new Error(`thrown with ${secret}`);
  const work = async (agent: Borrowed): Promise<never> => {
    await meet(scene, agent, who);
    throw failure;
  };
  const used = optimizer.use(subject.agentClass, subject.config(secret, tenant), work, { tenant });
  await assert.rejects(used, (error) => error === failure);
}

/** Looks round first, then leaves the secret wherever it can. */
async function meet(scene: Scene, agent: Borrowed, { secret: own }: Newcomer): Promise<void> {
  const told = await scene.subject.ask(agent);
  scene.tally.note(search({ ...rootsOf(agent), told, context: caller.getStore() }, { own }));
  await leaveTraces(scene, agent, own);
}

async function leaveTraces({ subject, tally }: Scene, agent: Borrowed, own: string): Promise<void> {
  const answered = await subject.leave(agent, own);
  tally.note(search({ answered }, { own }));
  plantByForce(agent, own);
  if (subject.byForce) plantByForce(agent.resources, own);
}

function rootsOf(agent: Borrowed): Record<string, unknown> {
  return { agent, resources: agent.resources };
}

async function endLease(subject: Subject, agent: Borrowed, { secret, ending }: Newcomer): Promise<void> {
  const lingering = subject.lingering?.(secret);
  if (ending === 'discarded') return agent.discard();
  if (ending === 'stream left') {
    // Nobody awaits it: the release aborts it.
    agent.stream(lingering).result.catch(() => undefined);
    await setImmediate();
  } else if (ending === 'failed') {
    await assert.rejects(agent.run(subject.failing?.(secret)));
  } else if (ending === 'timed out') {
    await assert.rejects(agent.run(lingering, { timeoutMs: TIMEOUT_MS }), { code: 'RUN_TIMEOUT' });
  } else if (ending === 'aborted') {
    const controller = new AbortController();
    const run = agent.run(lingering ?? subject.failing?.(secret), { signal: controller.signal });
    controller.abort(new Error(secret));
    await assert.rejects(run, { code: 'RUN_ABORTED' });
  }
  agent.release();
}

/** Lets time pass until the promise is settled, where no other clock does it. */
export async function turning<T>(clock: ManualClock | undefined, promise: Promise<T>): Promise<T> {
  if (clock === undefined) return promise;
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  while (!isSettled) await clock.advance(1);
  return settled;
}
