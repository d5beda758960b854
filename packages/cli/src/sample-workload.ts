/**
 * Runs the bundled input in this process, in bursts over all types at once, as when a batch of calls comes in, and at
 * a pace that leaves the machine to others. A hand-out after idle time finds the processor's caches cold and costs
 * tens of microseconds; in a burst only the first one does, which is how a process that serves many users behaves.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { SophiaError } from '@sophia-ai/core';
import type { AgnoPerformanceOptimizer, AnyAgentClass } from '@sophia-ai/core';
import { logNote } from './log.ts';

/** A batch of work comes in so many bursts, one after the other. */
const WAVES = 3;
/** Borrowers per burst and type; fewer than a pool has, so that a user's run needs not wait. */
export const SAMPLE_BORROWERS = 8;
/** All types rest at least so long between two batches, … */
const PAUSE_MS = 100;
/** … and so many times as long as the batch took: a quarter of the time is work at most. */
const REST_FACTOR = 3;
/** By this name leases of the sample are told from those of users. */
const OWNER = 'sample workload';

/** What a type is run with: long inputs one at a time, short ones beside them. */
export interface SampleInput {
  readonly long: readonly unknown[];
  readonly short: readonly unknown[];
}

/** Runs until the signal is aborted. Failures are logged once per kind and type; the batches go on. */
export async function runSampleWorkload(
  optimizer: AgnoPerformanceOptimizer,
  inputs: ReadonlyMap<AnyAgentClass, SampleInput>,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  const types = [...inputs];
  let turn = 0;
  while (!signal.aborted) {
    const startMs = performance.now();
    for (let wave = 0; wave < WAVES && !signal.aborted; wave += 1) {
      // Each type in turn is the one that finds the caches cold.
      const order = types.map((_, index) => types[(turn + index) % types.length] as (typeof types)[number]);
      await Promise.all(order.flatMap(([agentClass, own]) => burst(agentClass, own, turn)));
      turn += 1;
    }
    const restMs = Math.max(PAUSE_MS, REST_FACTOR * (performance.now() - startMs));
    await pause(restMs, undefined, { signal }).catch(() => undefined);
  }

  function burst(agentClass: AnyAgentClass, { long, short }: SampleInput, turn: number): Promise<void>[] {
    return Array.from({ length: SAMPLE_BORROWERS }, (_, place) => {
      const from = place === 0 || short.length === 0 ? long : short;
      return runOnce(agentClass, from[(turn + place) % from.length]).catch((error: unknown) =>
        tell(agentClass.type, error),
      );
    });
  }

  async function runOnce(agentClass: AnyAgentClass, input: unknown): Promise<void> {
    await using agent = await optimizer.pooled(agentClass, undefined, { signal, owner: OWNER });
    await agent.run(input, { signal });
  }

  function tell(type: string, error: unknown): void {
    const code = SophiaError.isInstance(error) ? error.code : 'RUN_FAILED';
    if (signal.aborted || told.has(`${type} ${code}`)) return;
    told.add(`${type} ${code}`);
    logNote(`A sample run of '${type}' failed with ${code}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
