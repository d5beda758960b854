/** Counts how runs ended and how long each took for whoever asked. */

import { Histogram } from '@sophia-ai/core';
import type { HistogramSummary } from '@sophia-ai/core';
import type { Outcome } from './driver.ts';

export class Tally {
  succeeded = 0;
  cancelled = 0;
  readonly failed: Record<string, number> = {};
  readonly refused: Record<string, number> = {};
  readonly #roundTrips = new Histogram();

  add(outcome: Outcome, tookMs: number): void {
    if (outcome.kind === 'succeeded') {
      this.succeeded += 1;
      this.#roundTrips.record(tookMs * 1_000);
    } else if (outcome.kind === 'cancelled') this.cancelled += 1;
    else count(outcome.kind === 'failed' ? this.failed : this.refused, outcome.code);
  }

  /** From asking to the output, waiting included; successful runs only. */
  roundTrips(): HistogramSummary {
    return this.#roundTrips.summary();
  }
}

function count(counts: Record<string, number>, code: string): void {
  counts[code] = (counts[code] ?? 0) + 1;
}

export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}
