/**
 * Runs the hand-out some thousand times before anyone needs it. Code that was never run is interpreted, and the first
 * borrowers of a process would wait tens of microseconds instead of one. It borrows from pools of its own, so no
 * figure, event or constructor of a user sees anything of it.
 */

import { Agent } from './agent.ts';
import { Emitter } from './events.ts';
import type { House } from './house.ts';
import { resolvePoolOptions } from './options.ts';
import type { Reuse } from './options.ts';
import { Pool } from './pool.ts';

/** Enough for the optimizing compiler to have seen every function of the path; about 20 ms in all. */
const CYCLES = 3_000;

let rehearsed: Promise<void> | undefined = undefined;

/** Rehearses once per process, whoever asks. */
export function rehearse(house: House): Promise<void> {
  rehearsed ??= run({ ...house, events: new Emitter() });
  return rehearsed;
}

class Rehearsal extends Agent<object> {
  static override readonly type: string = 'rehearsal';
  static readonly reset = 'stateless';
}

async function run(house: House): Promise<void> {
  const modes: readonly Reuse[] = ['exclusive', 'shared'];
  for (const reuse of modes) {
    const pool = new Pool(Rehearsal, resolvePoolOptions(Rehearsal.type, { max: 1, reuse }), house);
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      (await pool.pooled({ cycle }, { owner: 'rehearsal' })).release();
    }
    await pool.close(0);
  }
}
