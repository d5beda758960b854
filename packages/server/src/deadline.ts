/** One budget for a run: what waiting for an agent has used is no longer there for the run itself. */

import { ServerError, quoted } from './errors.ts';

/** Request header with the budget in whole milliseconds, waiting included. */
export const DEADLINE_HEADER = 'Sophia-Deadline-Ms';
const LONGEST_MS = 3_600_000;

export class Budget {
  readonly #dueMs: number | undefined;

  /** @throws ServerError HEADER_INVALID */
  constructor(headers: Headers) {
    const given = headers.get(DEADLINE_HEADER);
    if (given === null) return;
    const limitMs = /^\d{1,7}$/.test(given) ? Number(given) : 0;
    if (limitMs < 1 || limitMs > LONGEST_MS) {
      throw new ServerError(
        'HEADER_INVALID',
        `${DEADLINE_HEADER} was given as ${quoted(given)}; allowed: whole milliseconds from 1 to ${LONGEST_MS} (1 h).`,
      );
    }
    this.#dueMs = performance.now() + limitMs;
  }

  /** Milliseconds left, at least 1; `undefined` without a deadline. */
  leftMs(): number | undefined {
    return this.#dueMs === undefined ? undefined : Math.max(1, this.#dueMs - performance.now());
  }
}
