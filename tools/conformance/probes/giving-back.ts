/** Giving back twice, late, or what was never lent. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Loan } from '../contender.ts';
import { Maker, fails, ok, partly } from '../probe.ts';
import type { Finding, Probe } from '../probe.ts';
import { answerTo, settle } from '../settle.ts';

const lateRelease: Probe = {
  id: 'late-release',
  title: 'Late second release',
  good: 'A gives back, B borrows the same thing, A gives back again: B stays the only holder.',
  async run(contender) {
    const pool = contender.open(new Maker().settings(1));
    const a = await pool.acquire();
    await answerTo(() => a.release());
    const b = await pool.acquire();
    const answer = await answerTo(() => a.release());
    const c = await settle(pool.acquire(), 800);
    if (c.how === 'got') return fails(c.value.resource === b.resource ? 'two holders of one resource' : 'two on max 1');
    return ok(`one holder; the late release is ${answer === '' ? 'ignored' : answer}`);
  },
};

const doubleRelease: Probe = {
  id: 'double-release',
  title: 'Immediate double release',
  good: 'Two releases in one tick count once, whether or not somebody waits.',
  async run(contender) {
    const waited = await releasedTwiceBeforeWaiters(contender);
    const idle = await releasedTwiceIdle(contender);
    if (waited && idle) return ok('one holder each time');
    if (waited) return partly('two holders of one resource if it went idle');
    if (idle) return partly('two holders of one resource if others waited for it');
    return fails('two holders of one resource');
  },
};

/** A cleaning that takes a moment, so that the second release falls into it where there is one. */
const slowReset = (): Promise<void> => sleep(10);

function releaseTwice(loan: Loan): Promise<unknown> {
  return Promise.all([answerTo(() => loan.release()), answerTo(() => loan.release())]);
}

async function releasedTwiceBeforeWaiters(contender: Contender): Promise<boolean> {
  const pool = contender.open(new Maker().settings(1, { reset: slowReset }));
  const a = await pool.acquire();
  const b = settle(pool.acquire(), 800);
  const c = settle(pool.acquire(), 800);
  await releaseTwice(a);
  // B keeps what it gets, so C must not get anything.
  return (await b).how === 'got' && (await c).how !== 'got';
}

async function releasedTwiceIdle(contender: Contender): Promise<boolean> {
  const pool = contender.open(new Maker().settings(2, { reset: slowReset }));
  await releaseTwice(await pool.acquire());
  await sleep(40);
  const [b, c] = await Promise.all([settle(pool.acquire(), 800), settle(pool.acquire(), 800)]);
  return b.how === 'got' && c.how === 'got' && b.value.resource !== c.value.resource;
}

const foreignRelease: Probe = {
  id: 'foreign-release',
  title: 'Foreign release',
  good: 'Something that was never lent is refused aloud, and is never handed out.',
  async run(contender): Promise<Finding> {
    const maker = new Maker();
    const pool = contender.open(maker.settings(2));
    if (pool.releaseForeign === undefined) return ok('cannot be written: a release belongs to its loan');
    await pool.acquire();
    const foreign = new Maker().make();
    const answer = await answerTo(() => pool.releaseForeign?.(foreign));
    const b = await settle(pool.acquire(), 800);
    const c = await settle(pool.acquire(), 800);
    if (b.how !== 'got' || b.value.resource === foreign) return fails('the foreign thing was handed out');
    if (c.how === 'got') return fails('three lent on max 2');
    return answer === '' ? partly('ignored without a word') : ok(answer);
  },
};

export const GIVING_BACK: readonly Probe[] = [lateRelease, doubleRelease, foreignRelease];
