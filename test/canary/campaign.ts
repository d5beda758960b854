/**
 * All borrowers of some subjects, in a thread of their own: the test runner follows every promise of its thread, which
 * would cost as much as the checkouts, and two cores can work at once.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { setImmediate } from 'node:timers/promises';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { ManualClock } from '@sophia-ai/core/testing';
import { Tally, lookDeep, manyBorrow, turning } from './borrowers.ts';
import type { Scene } from './borrowers.ts';
import { Hidden } from './hidden.ts';
import { secretsInHeap, secretsInProcess } from './memory.ts';
import { search } from './search.ts';
import { randomFrom } from './secrets.ts';
import { SUBJECTS } from './subjects.ts';
import type { Borrowed } from './subjects.ts';

export interface Order {
  readonly company: keyof typeof SUBJECTS;
  readonly seed: number;
  readonly isFull: boolean;
}

export interface SubjectReport {
  readonly tally: Tally;
  readonly ms: number;
  /** Ends that should have come about and did not. */
  readonly missingEnds: readonly string[];
  /** Secrets of earlier borrowers in the memory of the process behind the agent, where it serves several. */
  readonly staleInProcess: number | undefined;
  /** The same in the heap of a thread that serves all. */
  readonly keptInThread: number | undefined;
}

export interface Report {
  readonly subjects: readonly SubjectReport[];
  /** Secrets in the heap of the thread while all pools stand idle. */
  readonly inHeap: readonly string[];
  /** Secrets that can be reached from the global object. */
  readonly inGlobals: readonly string[];
}

/** After so many checkouts one is searched for the hidden. */
const CHUNK = 1_000;
/** So far apart are the numbers of the borrowers of two subjects. */
const NUMBERS = 2_000_000;

async function runCampaign({ company, seed, isFull }: Order): Promise<Report> {
  // The AI SDK prints every failure of a stream; here they are wanted.
  console.error = () => undefined;
  using hidden = new Hidden();
  const scenes: Scene[] = [];
  const subjects: SubjectReport[] = [];
  for (const [index, subject] of SUBJECTS[company].entries()) {
    const clock = subject.isOnWall ? undefined : new ManualClock();
    const optimizer = new AgnoPerformanceOptimizer(clock === undefined ? {} : { clock });
    const tally = new Tally(subject.agentClass.type);
    const firstIndex = NUMBERS * (index + (company === 'light' ? 0 : 100));
    const random = randomFrom(seed + firstIndex);
    const scene: Scene = { subject, optimizer, clock, random, hidden, tally, firstIndex };
    scenes.push(scene);
    subjects.push(await allOf(scene, subject.checkouts[isFull ? 1 : 0]));
  }
  for (const scene of scenes) await leaveNothing(scene);
  const inHeap = await heapAtRest();
  const { foreign } = search({ globalThis }, { builtins: true, maxObjects: 1_000_000 });
  await Promise.all(scenes.map(({ optimizer }) => optimizer.close()));
  return { subjects, inHeap, inGlobals: foreign.map(({ path }) => path) };
}

async function allOf(scene: Scene, checkouts: number): Promise<SubjectReport> {
  const { subject, tally } = scene;
  const startMs = performance.now();
  while (tally.checkouts < checkouts - subject.deepAtEnd) {
    await manyBorrow(scene, Math.min(CHUNK - 1, checkouts - subject.deepAtEnd - tally.checkouts));
    if (tally.checkouts < checkouts - subject.deepAtEnd) await lookDeep(scene, 1);
  }
  let staleInProcess: number | undefined;
  let keptInThread: number | undefined;
  await lookDeep(scene, subject.deepAtEnd, async (agent, own) => {
    staleInProcess ??= await lookIntoProcess(scene, agent, own);
    keptInThread ??= await lookIntoThread(scene, agent);
  });
  const missingEnds = subject.badEndings.filter((ending) => tally.endings[ending] === undefined);
  return { tally, ms: performance.now() - startMs, missingEnds, staleInProcess, keptInThread };
}

/** @returns how many old secrets are there; what a process of one's own holds of others counts as met. */
async function lookIntoProcess({ subject, tally }: Scene, agent: Borrowed, own: string): Promise<number | undefined> {
  const pid = subject.pid?.(agent);
  const found = pid === undefined ? undefined : await secretsInProcess(pid);
  found?.delete(own);
  if (subject.agentClass.pool.reuse !== 'single-use') return found?.size;
  for (const secret of found ?? []) tally.met({ secret, path: `the memory of process ${pid}` });
  return undefined;
}

async function lookIntoThread({ subject, hidden }: Scene, agent: Borrowed): Promise<number | undefined> {
  const thread = subject.thread?.(agent, hidden);
  if (thread === undefined) return undefined;
  let isDone = false;
  const heap = secretsInHeap(thread).finally(() => {
    isDone = true;
  });
  // A thread that waits for work does not hear anything else.
  while (!isDone) await subject.ask(agent);
  return (await heap).size;
}

/** One more borrower, of whom nothing can be left: a pool remembers its last errand, with the entry it was about. */
async function leaveNothing(scene: Scene): Promise<void> {
  const { subject, optimizer, clock } = scene;
  const agent = await turning(clock, optimizer.pooled(subject.agentClass, subject.config('nobody', 'nobody')));
  // Seen, so they are reset or destroyed.
  void agent.resources;
  agent.release();
  const isBusy = (): boolean =>
    optimizer
      .snapshot()
      .some(({ leased, resetting, creating, destroying }) => leased + resetting + creating + destroying > 0);
  while (isBusy()) await (clock === undefined ? setImmediate() : clock.advance(1));
}

/** What is in the heap, and stays: ports and streams that have just ended are let go a moment later. */
async function heapAtRest(): Promise<string[]> {
  let found = new Set<string>();
  for (let look = 0; look < 4; look += 1) {
    await setImmediate();
    // The engine keeps the text of the last match.
    /neutral/.exec('neutral');
    found = await secretsInHeap();
    if (found.size === 0) break;
  }
  return [...found];
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
parentPort?.postMessage(await runCampaign(workerData as Order));
