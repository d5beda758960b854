/** Waiting: in which order, how it ends, and what its end says. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Loan, ProbedPool, Resource } from '../contender.ts';
import { Maker, fails, notOffered, ok, partly } from '../probe.ts';
import type { Finding, Probe } from '../probe.ts';
import { answerTo, quoted, settle, textOf } from '../settle.ts';
import type { Outcome } from '../settle.ts';

const waiterGivesUp: Probe = {
  id: 'waiter-gives-up',
  title: 'Release after a waiter gave up',
  good: 'What is given back after a waiter timed out goes to the next waiter at once, or to whoever asks next.',
  async run(contender) {
    const lone = contender.open(new Maker().settings(1, { waitMs: 200 }));
    const a = await lone.acquire();
    const gaveUp = await settle(lone.acquire(), 600);
    await answerTo(() => a.release());
    const next = await settle(lone.acquire(), 600);
    if (gaveUp.how === 'pending') return fails('the waiter never settles');
    if (next.how !== 'got') return fails('the resource is lost');

    // One waiter is past its time, the one behind it is not.
    const pool = contender.open(new Maker().settings(1, { waitMs: 400 }));
    const holder = await pool.acquire();
    const early = settle(pool.acquire(), 1_000);
    await sleep(300);
    const late = settle(pool.acquire(), 1_000);
    await early;
    await sleep(50);
    await answerTo(() => holder.release());
    const served = await late;
    return served.how === 'got'
      ? ok('the next is served, and so is a waiter behind')
      : fails('the waiter behind is passed over until its own time is up, with the resource idle');
  },
};

const nested: Probe = {
  id: 'nested-borrowing',
  title: 'Nested borrowing',
  good: 'Three borrowers on max 3 who each want a second one can never be served; they hear that, and why, before their time is up.',
  async run(contender) {
    const waitMs = 1_000;
    const pool = contender.open(new Maker().settings(3, { waitMs }));
    let holding = 0;
    const all = Promise.withResolvers<number>();
    const allHold = async (): Promise<void> => {
      holding += 1;
      if (holding === 3) all.resolve(performance.now());
      await all.promise;
    };
    const roots = Array.from({ length: 3 }, () =>
      settle(pool.nest?.(allHold) ?? borrowTwo(pool, allHold), waitMs + 500),
    );
    const outcomes = await Promise.all(roots);
    const refused = outcomes.filter((outcome) => outcome.how === 'refused');
    const first = refused.toSorted((one, other) => one.ms - other.ms)[0];
    if (first === undefined) return fails(`all hang for more than ${waitMs} ms`);
    const names = /nest|deadlock/i.test(textOf(first.error));
    const seen = `first refusal after ${first.ms} ms, ${refused.length} of 3 refused`;
    if (first.ms < waitMs / 2) return names ? ok(`${seen}, naming the nesting`) : partly(`${seen}, without saying why`);
    if (names) return partly(`${seen}, naming the nesting`);
    return saysCounts(first.error)
      ? partly(`${seen}, telling only that all are lent`)
      : fails(`${seen}, with no cause`);
  },
};

/** As borrowers do it where the pool knows nothing of who borrows for whom. */
async function borrowTwo(pool: ProbedPool, allHold: () => Promise<void>): Promise<void> {
  const first = await pool.acquire();
  try {
    await allHold();
    const second = await pool.acquire();
    await answerTo(() => second.release());
  } finally {
    await answerTo(() => first.release());
  }
}

function saysCounts(error: unknown): boolean {
  return /\d+\s*(?:of|\/)\s*\d+|\b(?:used|leased|borrowed|idle|waiting|pending|max)\b\D{0,4}\d/i.test(textOf(error));
}

const order: Probe = {
  id: 'order',
  title: 'Order of waiters',
  good: 'Waiters are served first come first served, and a newcomer does not overtake them.',
  async run(contender) {
    const pool = contender.open(new Maker().settings(1));
    const holder = await pool.acquire();
    const served: string[] = [];
    const borrow = async (name: string): Promise<void> => {
      const loan = await pool.acquire();
      served.push(name);
      await answerTo(() => loan.release());
    };
    const waiters = ['1', '2', '3', '4'].map(borrow);
    await sleep(20);
    const given = answerTo(() => holder.release());
    waiters.push(borrow('newcomer'));
    await given;
    await settle(Promise.all(waiters), 1_000);
    const idle = await idleOrder(contender);
    const seen = `${served.join(', ')}; idle ones: ${idle}`;
    return served.join() === '1,2,3,4,newcomer' ? ok(seen) : fails(seen);
  },
};

async function idleOrder(contender: Contender): Promise<string> {
  const pool = contender.open(new Maker().settings(3));
  const loans = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
  for (const loan of loans) {
    await answerTo(() => loan.release());
    await sleep(5);
  }
  const { resource } = await pool.acquire();
  if (resource === loans[2].resource) return 'newest first';
  return resource === loans[0].resource ? 'oldest first' : 'in no order';
}

const abort: Probe = {
  id: 'abort',
  title: 'Abort while waiting',
  good: 'An AbortSignal ends a wait at once, and one that fires while the resource is being handed over does not lose it.',
  async run(contender): Promise<Finding> {
    if (contender.abort === 'none') return notOffered('a waiting borrower cannot leave');
    const pool = contender.open(new Maker().settings(1));
    await pool.acquire();
    const controller = new AbortController();
    const waiting = settle(pool.acquire({ signal: controller.signal }), 800);
    await sleep(20);
    controller.abort(new Error('the client left'));
    const { how, ms } = await waiting;
    if (how !== 'refused' || ms > 200) return fails('the abort is not heeded');
    const races = [-1, 0, 1, 2, 3, 4, 5, 6, 8, 10];
    const lost = (await Promise.all(races.map((turns) => loses(contender, turns)))).filter(Boolean).length;
    if (lost > 0) return fails(`${lost} of ${races.length} races with a hand-over lose the resource`);
    const seen = `none of ${races.length} races with a hand-over loses the resource`;
    return contender.abort === 'signal' ? ok(seen) : partly(`by an abort of its own, no AbortSignal; ${seen}`);
  },
};

/** Aborts a waiter `turns` microtasks after the release that serves it (-1: just before it). */
async function loses(contender: Contender, turns: number): Promise<boolean> {
  const pool = contender.open(new Maker().settings(1));
  const holder = await pool.acquire();
  const controller = new AbortController();
  const waiting = settle(pool.acquire({ signal: controller.signal }), 800);
  await sleep(20);
  if (turns < 0) controller.abort();
  const given = answerTo(() => holder.release());
  for (let turn = 0; turn < turns; turn += 1) await undefined;
  controller.abort();
  await given;
  const outcome: Outcome<Loan> = await waiting;
  if (outcome.how === 'got') await answerTo(() => outcome.value.release());
  return (await settle(pool.acquire(), 800)).how !== 'got';
}

const timeoutError: Probe = {
  id: 'timeout-error',
  title: 'What a timeout says',
  good: 'It says how many are lent, who holds one (where a name was given), and why the last creation failed (where one did).',
  async run(contender) {
    const pool = contender.open(new Maker().settings(1, { waitMs: 150 }));
    await pool.acquire({ owner: 'nightly report' });
    const full = await settle(pool.acquire(), 600);
    const create = (): Promise<Resource> => Promise.reject(new Error('no route to the database'));
    // The first creations of a pool that is starved by them: kept from being endless.
    let calls = 0;
    const failing = contender.open(
      new Maker().settings(1, {
        waitMs: 150,
        create: () => ((calls += 1) > 1_000 ? new Promise<Resource>(() => undefined) : create()),
      }),
    );
    const failed = await settle(failing.acquire(), 800);
    if (full.how !== 'refused' || failed.how !== 'refused') return fails('the waiter never settles');
    const said = {
      counts: saysCounts(full.error),
      owner: textOf(full.error).includes('nightly report'),
      cause: textOf(failed.error).includes('no route to the database'),
    };
    const names = Object.keys(said) as (keyof typeof said)[];
    const missing = names.filter((name) => !said[name]);
    if (missing.length === 0) return ok('counts, owner and cause');
    const message = quoted(full.error);
    if (missing.length === names.length) return fails(`nothing: ${message}`);
    return partly(`${names.filter((name) => said[name]).join(' and ')}, no ${missing.join(', no ')}: ${message}`);
  },
};

export const WAITING: readonly Probe[] = [waiterGivesUp, nested, order, abort, timeoutError];
