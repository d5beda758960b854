/** Hooks that hang or throw, and what a borrower leaves behind. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Loan, ProbedPool, Resource } from '../contender.ts';
import { Maker, fails, notOffered, ok, partly } from '../probe.ts';
import type { Finding, Probe } from '../probe.ts';
import { answerTo, settle } from '../settle.ts';

const destroyMisbehaves: Probe = {
  id: 'destroy-misbehaves',
  title: 'Destroy hangs or throws',
  good: 'When a destroy hook hangs, throws or rejects, the slot is free again soon and whoever waits for it is served.',
  async run(contender) {
    const ways: Record<string, () => Promise<void>> = {
      hangs: () => new Promise(() => undefined),
      throws: () => {
        throw new Error('it would not end');
      },
      rejects: () => Promise.reject(new Error('it would not end')),
    };
    const seen: string[] = [];
    for (const [way, destroy] of Object.entries(ways)) {
      if (!(await servesAfterDiscard(contender, destroy))) seen.push(way);
    }
    if (seen.length === 0) return ok('the waiter is served each time');
    const stuck = `the waiter is not served if destroy ${seen.join(' or ')}`;
    return seen.length === Object.keys(ways).length ? fails(stuck) : partly(stuck);
  },
};

async function servesAfterDiscard(contender: Contender, destroy: () => Promise<void>): Promise<boolean> {
  const pool = contender.open(new Maker().settings(1, { destroy, waitMs: 600 }));
  const a = await pool.acquire();
  const waiting = settle(pool.acquire(), 1_000);
  await answerTo(() => a.discard());
  return (await waiting).how === 'got';
}

const validateHangs: Probe = {
  id: 'validate-hangs',
  title: 'Validate hangs',
  good: 'A health check that never settles is given up; the slot is not lost and borrowers do not wait for it in vain.',
  async run(contender): Promise<Finding> {
    if (contender.validates === 'no') return notOffered('no health check');
    if (contender.validates === 'sync') return notOffered('its health check is synchronous');
    let calls = 0;
    const validate = async ({ id }: Resource): Promise<boolean> => {
      calls += 1;
      return id === 1 ? new Promise(() => undefined) : true;
    };
    const pool = contender.open(new Maker().settings(1, { validate, waitMs: 600 }));
    // A pool may check what is new too.
    const a = await settle(pool.acquire(), 1_000);
    if (a.how === 'got') await answerTo(() => a.value.release());
    // Time for a check in the background to begin.
    await sleep(80);
    const b = await settle(pool.acquire(), 1_000);
    if (b.how === 'got') await answerTo(() => b.value.release());
    const c = await settle(pool.acquire(), 1_000);
    if (c.how !== 'got') return fails('the slot is lost for ever');
    if (calls === 0) return fails('the check was never asked');
    const inVain = [a, b].find(({ how }) => how !== 'got');
    return inVain === undefined
      ? ok(`given up; the next borrower is served after ${b.ms} ms`)
      : partly(`given up only when a borrower has waited ${inVain.ms} ms in vain`);
  },
};

const dirtyState: Probe = {
  id: 'dirty-state',
  title: 'Dirty state',
  good: 'What a borrower leaves in a resource, by a failed use or a plain release, does not reach the next borrower.',
  async run(contender) {
    const afterFailure = await nextAfter(contender, async (pool) => {
      const work = async (resource: Resource): Promise<void> => {
        resource.isDirty = true;
        throw new Error('the work failed');
      };
      await settle(pool.use?.(work) ?? useByHand(pool, work), 500);
    });
    const afterRelease = await nextAfter(contender, (pool) =>
      useByHand(pool, async (resource) => {
        resource.isDirty = true;
      }),
    );
    const seen = `failed use: ${afterFailure}; plain release: ${afterRelease}`;
    const dirty = [afterFailure, afterRelease].filter((what) => what === 'handed on dirty').length;
    if (dirty === 0) return ok(seen);
    if (contender.validates === 'no') return notOffered(`nothing cleans or checks in between; ${seen}`);
    return dirty === 1 ? partly(seen) : fails(seen);
  },
};

/** Cleaning in between, by whichever of the two hooks the pool has. */
const CLEANING = {
  reset: async (resource: Resource): Promise<void> => {
    resource.isDirty = false;
  },
  validate: ({ isDirty, isAlive }: Resource): boolean => !isDirty && isAlive,
};

async function useByHand(pool: ProbedPool, work: (resource: Resource) => Promise<void>): Promise<void> {
  const loan = await pool.acquire();
  try {
    await work(loan.resource);
  } finally {
    await answerTo(() => loan.release());
  }
}

async function nextAfter(contender: Contender, use: (pool: ProbedPool) => Promise<void>): Promise<string> {
  const pool = contender.open(new Maker().settings(1, CLEANING));
  await use(pool);
  const next = await settle(pool.acquire(), 800);
  if (next.how !== 'got') return 'next borrower not served';
  const { id, isDirty } = next.value.resource;
  if (isDirty) return 'handed on dirty';
  return id === 1 ? 'cleaned' : 'replaced';
}

const diedIdle: Probe = {
  id: 'died-while-idle',
  title: 'Died while idle',
  good: 'A resource that ended while idle is not handed out, whether or not anybody told the pool of its end.',
  async run(contender): Promise<Finding> {
    if (await servesLiving(contender, 'silent')) return ok('checked before lending');
    const saves: string[] = [];
    if (await servesLiving(contender, 'announced')) saves.push('its end is announced');
    if (await servesLiving(contender, 'silent', 200)) saves.push('the check in the background has come round');
    if (saves.length > 0) return partly(`handed out dead, unless ${saves.join(' or ')}`);
    return contender.validates === 'no' ? notOffered('handed out dead') : fails('handed out dead');
  },
};

/** Borrows `laterMs` after an idle resource has died. */
async function servesLiving(contender: Contender, end: 'silent' | 'announced', laterMs = 0): Promise<boolean> {
  const pool = contender.open(new Maker().settings(1, CLEANING));
  const a: Loan = await pool.acquire();
  await answerTo(() => a.release());
  await sleep(10);
  a.resource.isAlive = false;
  if (end === 'announced') a.resource.announceDeath?.();
  if (laterMs > 0) await sleep(laterMs);
  const next = await settle(pool.acquire(), 800);
  return next.how === 'got' && next.value.resource.isAlive;
}

const asyncContext: Probe = {
  id: 'async-context',
  title: 'Async context of hooks',
  good: 'Hooks do not run in the async context of the borrower who happened to cause them: a connection would keep that request’s trace for life.',
  async run(contender) {
    const context = new AsyncLocalStorage<string>();
    const maker = new Maker();
    const seenIn: Record<string, string | undefined> = {};
    const see = (hook: string): void => {
      seenIn[hook] ??= context.getStore();
    };
    const pool = contender.open(
      maker.settings(1, {
        create: async () => {
          see('create');
          return maker.make();
        },
        destroy: async () => see('destroy'),
        reset: async () => see('reset'),
      }),
    );
    await context.run('the first borrower', async () => {
      const a = await pool.acquire();
      await answerTo(() => a.release());
      const b = await pool.acquire();
      await answerTo(() => b.discard());
      const c = await pool.acquire();
      await answerTo(() => c.release());
    });
    await sleep(50);
    const leaks = Object.keys(seenIn).filter((hook) => seenIn[hook] !== undefined);
    if (leaks.length === 0) return ok('in the pool’s own');
    const seen = `${leaks.join(', ')} in the borrower’s`;
    return leaks.includes('create') ? fails(seen) : partly(seen);
  },
};

export const HOOKS: readonly Probe[] = [destroyMisbehaves, validateHangs, dirtyState, diedIdle, asyncContext];
