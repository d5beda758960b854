/** Drives agents in this process, on an optimizer of its own. */

import { AgnoPerformanceOptimizer, PoolExhaustedError, SophiaError } from '@sophia-ai/core';
import type { AnyAgentClass, HistogramSummary, OptimizerOptions, PoolSnapshot } from '@sophia-ai/core';
import { measureMemory } from '@sophia-ai/core/node';
import { REFUSALS, memoryOf } from './driver.ts';
import type { Driver, Outcome, Percentiles, PoolFigures } from './driver.ts';

export class InProcessDriver implements Driver {
  readonly url = null;
  readonly #agentClass: AnyAgentClass;
  readonly #optimizer: AgnoPerformanceOptimizer;
  readonly #waitMs: number | undefined;

  constructor(agentClass: AnyAgentClass, waitMs: number | undefined, pools: OptimizerOptions['pools'] = {}) {
    this.#optimizer = new AgnoPerformanceOptimizer({ pools });
    this.#agentClass = agentClass;
    this.#waitMs = waitMs;
  }

  /** Fills the pool and measures memory, so that the load meets a warm process. */
  async prepare(): Promise<void> {
    await this.#optimizer.prewarm(this.#agentClass);
    // What cannot be created will be counted as failed runs; its memory stays unknown.
    await measureMemory(this.#optimizer, this.#agentClass).catch(() => undefined);
  }

  async run(input: unknown, signal: AbortSignal): Promise<Outcome> {
    try {
      const options = { signal, waitMs: this.#waitMs, owner: 'sophia load' };
      await using agent = await this.#optimizer.pooled(this.#agentClass, undefined, options);
      await agent.run(input, { signal });
      return { kind: 'succeeded' };
    } catch (error) {
      if (signal.aborted) return { kind: 'cancelled' };
      return outcomeOf(error);
    }
  }

  async figures(): Promise<PoolFigures> {
    const [pool] = this.#optimizer.snapshot(Number.POSITIVE_INFINITY) as [PoolSnapshot];
    const { timings, instantiation, avgInstantiationUs, avgAcquireUs } = pool.window;
    return {
      window: 'this load',
      avg_instantiation_us: avgInstantiationUs,
      avg_acquire_us: avgAcquireUs,
      hits: timings.hit.count,
      misses: timings.miss.count,
      waits: timings.wait.count,
      instantiation: percentiles(instantiation),
      hit: percentiles(timings.hit),
      miss: percentiles(timings.miss),
      wait: percentiles(timings.wait),
      run: percentiles(timings.run),
      pool_size: pool.size,
      pool_max: pool.max,
      memory: memoryOf(pool.memory),
    };
  }

  async close(): Promise<void> {
    await this.#optimizer.close();
  }
}

function outcomeOf(error: unknown): Outcome {
  const code = SophiaError.isInstance(error) ? error.code : error instanceof Error ? error.name : 'unknown';
  if (!REFUSALS.has(code)) return { kind: 'failed', code };
  return { kind: 'refused', code, retryAfterMs: error instanceof PoolExhaustedError ? error.retryAfterMs : null };
}

function percentiles({ p50Us, p99Us, p999Us }: HistogramSummary): Percentiles {
  return { p50_us: p50Us, p99_us: p99Us, p999_us: p999Us };
}
