/** What all pools of a front desk share. */

import type { FrontDesk } from './agent-class.ts';
import type { Clock } from './base/clock.ts';
import type { Deadlines } from './base/deadlines.ts';
import type { Emitter } from './events.ts';
import type { HomeContext } from './base/home-context.ts';
import type { Lease } from './lease.ts';

/** Knows, by the runtime's own means, in which lease's run some code runs. */
export interface Nesting {
  current(): Lease | undefined;
  run<Result>(lease: Lease, work: () => Result): Result;
}

export interface House {
  readonly desk: FrontDesk;
  readonly clock: Clock;
  readonly random: () => number;
  /** Deadlines that someone waits for; they keep the process alive. */
  readonly deadlines: Deadlines;
  /** Housekeeping; it never keeps the process alive. */
  readonly background: Deadlines;
  home: HomeContext;
  /** Set by `trackNesting` of `@sophia-ai/core/node`. */
  nesting: Nesting | undefined;
  /** As in tests: every return is verified, resources are guarded. */
  readonly isStrict: boolean;
  readonly events: Emitter;
}
