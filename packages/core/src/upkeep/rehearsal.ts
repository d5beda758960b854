/**
 * Runs the hand-out some thousand times before anyone needs it. Code that was never run is interpreted, and the first
 * borrowers of a process would wait tens of microseconds instead of one. It borrows from pools of its own, so no
 * figure, event or constructor of a user sees anything of it.
 */

import type { AnyAgentClass } from '../agent-class.ts';
import { Agent } from '../agent.ts';
import { Emitter } from '../events.ts';
import type { House } from '../house.ts';
import { resolvePoolOptions } from '../settings/options.ts';
import type { PoolOptions } from '../settings/options.ts';
import { Pool } from '../pool.ts';

/** Enough for the optimizing compiler to have seen every function of the path; about 20 ms in all. */
const CYCLES = 3_000;

let rehearsed: Promise<void> | undefined = undefined;

/** Rehearses once per process, whoever asks. */
export function rehearse(house: House): Promise<void> {
  rehearsed ??= run({ ...house, events: new Emitter() });
  return rehearsed;
}

/** Several, and different ones: code that was compiled for one class alone is thrown away at the second. */
function rehearsalClasses(): AnyAgentClass[] {
  return Array.from({ length: 5 }, (_, index) => {
    return class Rehearsal extends Agent<object> {
      static override readonly type: string = `rehearsal-${index}`;
      static override readonly pool: PoolOptions = { max: 1, reuse: index % 2 === 0 ? 'exclusive' : 'shared' };
      static readonly reset = 'stateless';
      readonly own: number = index;
    };
  });
}

async function run(house: House): Promise<void> {
  const { signal } = new AbortController();
  const pools = rehearsalClasses().map(
    (agentClass) =>
      new Pool(agentClass, resolvePoolOptions(agentClass.type, { default: { max: 1 }, class: agentClass.pool }), house),
  );
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const pool = pools[cycle % pools.length] as Pool;
    (await pool.pooled({ cycle }, { signal, owner: 'rehearsal' })).release();
    // Without config and options too: another way through the same functions.
    (await pool.pooled(undefined)).release();
  }
  await Promise.all(pools.map((pool) => pool.life.close(0)));
}
