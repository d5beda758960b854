/** What load is driven against: agents in this process, or a server. Both answer the same questions. */

import type { MemoryFigures } from '@sophia-ai/core';

/** How one run ended. A refusal is an answer of a full pool, not a failure. */
export type Outcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'refused'; readonly code: string; readonly retryAfterMs: number | null };

/** Codes of errors that say "not now". */
export const REFUSALS: ReadonlySet<string> = new Set([
  'ACQUIRE_TIMEOUT',
  'POOL_CLOSED',
  'POOL_DRAINING',
  'POOL_EXHAUSTED',
  'QUEUE_FULL',
]);

/** Percentiles over a window; microseconds, `null` where nothing was measured. */
export interface Percentiles {
  readonly p50_us: number | null;
  readonly p99_us: number | null;
  readonly p999_us: number | null;
}

/** What the pool itself measured. */
export interface PoolFigures {
  /** What averages and percentiles cover; `this load` where nothing else is in them. */
  readonly window: string;
  readonly avg_instantiation_us: number | null;
  readonly avg_acquire_us: number | null;
  /** Agents handed out during the load: at once, after a creation, after waiting for another borrower. */
  readonly hits: number;
  readonly misses: number;
  readonly waits: number;
  /** Of every hand-out, without the time behind other borrowers. */
  readonly instantiation: Percentiles;
  readonly hit: Percentiles;
  readonly miss: Percentiles;
  readonly wait: Percentiles;
  readonly run: Percentiles;
  readonly pool_size: number;
  readonly pool_max: number;
  readonly memory: Memory;
}

export interface Memory {
  readonly memory_per_agent_kib: number | null;
  readonly shared_kib: number | null;
  readonly memory_method: string | null;
  readonly memory_error_pct: number | null;
}

export function memoryOf(figures: MemoryFigures | null): Memory {
  return {
    memory_per_agent_kib: figures?.memoryPerAgentKib ?? null,
    shared_kib: figures?.sharedKib ?? null,
    memory_method: figures?.method ?? null,
    memory_error_pct: figures?.errorPct ?? null,
  };
}

export interface Driver {
  /** Address of the server; `null` in this process. */
  readonly url: string | null;
  /** Runs once. Never rejects. */
  run(input: unknown, signal: AbortSignal): Promise<Outcome>;
  /** What the pool measured since the driver was made. */
  figures(elapsedMs: number): Promise<PoolFigures>;
  close(): Promise<void>;
}
