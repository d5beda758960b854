/** Creates entries before anyone needs them: several at a time, within a time limit, with a report of each. */

import { SophiaError, messageOf } from '../errors.ts';
import { ARGUMENT_CODES, checkOptions, integer, milliseconds } from '../settings/options.ts';
import type { Rule } from '../settings/options.ts';
import type { Pool } from '../pool.ts';

export interface PrewarmOptions {
  /** For a class with `static key`: the config whose key the entries are for. */
  readonly config?: unknown;
  /** Entries that shall exist; default `max` of the pool. A shared pool has one, whatever is asked for. */
  readonly count?: number;
  /** Creations at the same time. Default 4. */
  readonly parallel?: number;
  /** When to stop waiting, in milliseconds; creations under way go on. Default 60,000. */
  readonly timeoutMs?: number;
}

export interface PrewarmReport {
  readonly type: string;
  /** Entries that were missing. */
  readonly requested: number;
  readonly created: number;
  readonly failed: number;
  readonly timedOut: boolean;
  readonly durationMs: number;
  /** How each finished creation went, in order of completion. */
  readonly entries: readonly { readonly ms: number; readonly error: string | null }[];
}

const RULES: Record<keyof PrewarmOptions, Rule> = {
  config: { allows: () => true, describe: 'a config' },
  count: integer(1, 100_000),
  parallel: integer(1, 1_000),
  timeoutMs: milliseconds(1),
};

/** @throws SophiaError ARGUMENT_INVALID */
export async function prewarmPool(pool: Pool, options: PrewarmOptions): Promise<PrewarmReport> {
  checkOptions('The options of prewarm', options, RULES, ARGUMENT_CODES);
  const { count = pool.stock.max, parallel = 4, timeoutMs = 60_000 } = options;
  pool.configs.warm();
  const { shelves } = pool.stock;
  const shelf =
    shelves.isKeyed && options.config !== undefined
      ? shelves.of(pool.configs.check(options.config))
      : shelves.only(pool.type);
  const startMs = pool.clock.now();
  const requested = pool.stock.missing(count, shelf);
  const entries: { ms: number; error: string | null }[] = [];
  let left = requested;
  let timedOut = false;
  const worker = async (): Promise<void> => {
    // Borrowers may have had entries made meanwhile, so there may be fewer missing than at first.
    while (left > 0 && !timedOut && pool.stock.missing(count, shelf) > 0) {
      left -= 1;
      const { ms, error } = await pool.stock.prewarmOne(shelf);
      entries.push({ ms, error: error === undefined ? null : messageOf(error) });
    }
  };
  const work = Promise.all(Array.from({ length: Math.min(parallel, requested) }, worker));
  const late = (): SophiaError =>
    new SophiaError('CREATE_TIMEOUT', `Prewarming '${pool.type}' took over ${timeoutMs} ms.`);
  await pool.deadlines
    .within(timeoutMs, () => work, late)
    .catch(() => {
      timedOut = true;
    });
  pool.stock.keepWarm(count);
  shelves.prune(shelf);
  const failed = entries.filter(({ error }) => error !== null).length;
  const durationMs = pool.clock.now() - startMs;
  const created = entries.length - failed;
  pool.events.emit('pool.prewarmed', { type: pool.type, created, failed, durationMs });
  return { type: pool.type, requested, created, failed, timedOut, durationMs, entries: [...entries] };
}
