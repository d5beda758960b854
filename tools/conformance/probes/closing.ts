/** The end of a pool. */

import { Maker, fails, notOffered, ok, partly } from '../probe.ts';
import type { Finding, Probe } from '../probe.ts';
import { answerTo, quoted, settle, textOf } from '../settle.ts';

const acquireAfterClose: Probe = {
  id: 'acquire-after-close',
  title: 'Acquire after close',
  good: 'Whoever asks a closed pool is refused at once, and told that it is closed.',
  async run(contender): Promise<Finding> {
    const pool = contender.open(new Maker().settings(1));
    const a = await pool.acquire();
    await answerTo(() => a.release());
    const closed = await settle(pool.close(500), 1_500);
    if (closed.how !== 'got') return fails('close does not settle');
    const after = await settle(pool.acquire(), 800);
    if (after.how === 'got') return fails('the closed pool lends again');
    if (after.how === 'pending') return fails('the borrower never settles');
    if (after.ms > 200) return fails(`waits in vain for ${after.ms} ms`);
    const isClear = /clos|drain|end|destroy|shut/i.test(textOf(after.error));
    const seen = `refused at once with ${quoted(after.error)}`;
    return isClear ? ok(seen) : partly(`${seen}, which does not say why`);
  },
};

const closeWithHolder: Probe = {
  id: 'close-with-holder',
  title: 'Close with a holder that stays',
  good: 'Close is given a deadline, settles by it though a borrower never gives back, and ends what that borrower holds.',
  async run(contender): Promise<Finding> {
    const deadlineMs = 300;
    const maker = new Maker();
    const pool = contender.open(maker.settings(1));
    await pool.acquire();
    const closed = await settle(pool.close(deadlineMs), 1_500);
    if (!contender.closesByDeadline) {
      const how = closed.how === 'pending' ? 'still waits' : 'has settled';
      return notOffered(`close has no deadline; it ${how} after ${closed.ms} ms`);
    }
    if (closed.how !== 'got') return fails(`still waits ${closed.ms} ms after a deadline of ${deadlineMs} ms`);
    if (closed.ms > deadlineMs + 500) return fails(`settles only after ${closed.ms} ms`);
    const seen = `settles after ${closed.ms} ms with a deadline of ${deadlineMs} ms`;
    return maker.destroyed.length === 1 ? ok(seen) : partly(`${seen}, but never destroys what was held`);
  },
};

export const CLOSING: readonly Probe[] = [acquireAfterClose, closeWithHolder];
