/**
 * Runs the bundled input in this process, in bursts, as work arrives in life, and at a pace that leaves the machine
 * to others. Hand-outs after idle time find the processor's caches cold and cost tens of microseconds each; in a
 * burst only the first one does, which is how a process that serves many users behaves.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { SophiaError } from '@sophia-ai/core';
import type { AgnoPerformanceOptimizer, AnyAgentClass } from '@sophia-ai/core';
import { logNote } from './log.ts';

/** Borrowers per burst and type; fewer than a pool has, so that a user's run needs not wait. */
export const SAMPLE_BORROWERS = 8;
/** A type rests at least so long between two bursts, … */
const PAUSE_MS = 100;
/** … and so many times as long as the burst took: a quarter of the time is work at most. */
const REST_FACTOR = 3;
/** By this name leases of the sample are told from those of users. */
const OWNER = 'sample workload';

/** What a type is run with: long inputs one at a time, short ones beside them. */
export interface SampleInput {
  readonly long: readonly unknown[];
  readonly short: readonly unknown[];
}

/** Runs until the signal is aborted. Failures are logged once per kind and type; the bursts go on. */
export async function runSampleWorkload(
  optimizer: AgnoPerformanceOptimizer,
  inputs: ReadonlyMap<AnyAgentClass, SampleInput>,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  await Promise.all([...inputs].map(([agentClass, own]) => repeat(agentClass, own)));

  async function repeat(agentClass: AnyAgentClass, { long, short }: SampleInput): Promise<void> {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const startMs = performance.now();
      const burst = Array.from({ length: SAMPLE_BORROWERS }, (_, place) => {
        const from = place === 0 || short.length === 0 ? long : short;
        return runOnce(agentClass, from[(turn + place) % from.length]);
      });
      await Promise.all(burst.map((run) => run.catch((error: unknown) => tell(agentClass.type, error))));
      const restMs = Math.max(PAUSE_MS, REST_FACTOR * (performance.now() - startMs));
      await pause(restMs, undefined, { signal }).catch(() => undefined);
    }
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
