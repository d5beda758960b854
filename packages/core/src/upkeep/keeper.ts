/** Housekeeping of one pool, on timers that never keep the process alive: marks, leaks, health, lives, the queue. */

import { Deadline } from '../base/deadlines.ts';
import type { Deadlines } from '../base/deadlines.ts';
import type { Lease } from '../lease.ts';
import { MARK_EVERY_MS } from '../measure/stats.ts';
import type { Recorder } from '../measure/stats.ts';
import type { LeakWatch } from '../safety/leak-watch.ts';
import type { ResolvedPoolOptions } from '../settings/options.ts';
import type { Stock } from '../stock.ts';
import type { WaitingRoom } from '../waiting-room.ts';

/** The pool that is kept. */
export interface KeeperHome {
  readonly options: ResolvedPoolOptions;
  readonly now: () => number;
  readonly recorder: Recorder;
  readonly leases: Iterable<Lease>;
  readonly leaks: LeakWatch;
  readonly stock: Stock;
  readonly room: WaitingRoom;
}

/**
 * How often lives are looked at: often enough to tell apart what jitter has spread over 5 % of the age, and a tenth of
 * the rest; within these.
 */
const SHORTEST_SWEEP_MS = 10;
const LONGEST_SWEEP_MS = 30_000;

export class Keeper {
  readonly #background: Deadlines;
  readonly #chores: Deadline[] = [];
  #isStopped = false;

  constructor(home: KeeperHome, background: Deadlines) {
    this.#background = background;
    const { validateEveryMs, maxAgeMs, maxIdleMs } = home.options;
    const { stock, room, leaks, recorder } = home;
    const { health } = stock;
    const lifeMs = Math.min(Math.max(Math.min(maxAgeMs / 100, maxIdleMs / 10), SHORTEST_SWEEP_MS), LONGEST_SWEEP_MS);
    const always = (ms: number) => (): number => ms;
    this.#every(always(MARK_EVERY_MS), () => {
      recorder.mark(home.now());
      stock.shelves.forgetBare();
    });
    this.#every(
      () => leaks.sweepEveryMs,
      () => leaks.sweep(home.leases),
    );
    if (health.validates) this.#every(always(validateEveryMs), () => health.validate());
    if (health.limitsLife) this.#every(always(lifeMs), () => health.endLives());
    if (!room.shedding.isOn) return;
    this.#every(
      () => room.shedding.intervalMs,
      () => room.shedStanding(),
    );
  }

  /** Does `work` again and again, `everyMs` after it was done. */
  #every(everyMs: () => number, work: () => void | Promise<void>): void {
    const chore = new Deadline(() => void this.#do(chore, everyMs, work));
    this.#chores.push(chore);
    this.#background.add(chore, everyMs());
  }

  async #do(chore: Deadline, everyMs: () => number, work: () => void | Promise<void>): Promise<void> {
    await work();
    if (!this.#isStopped) this.#background.add(chore, everyMs());
  }

  stop(): void {
    this.#isStopped = true;
    for (const chore of this.#chores) this.#background.remove(chore);
  }
}
