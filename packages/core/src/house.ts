/** What all pools of a front desk share. */

import type { FrontDesk } from './agent-class.ts';
import type { Clock } from './clock.ts';
import type { Deadlines } from './deadlines.ts';
import type { Emitter } from './events.ts';
import type { HomeContext } from './home-context.ts';

export interface House {
  readonly desk: FrontDesk;
  readonly clock: Clock;
  readonly random: () => number;
  /** Deadlines that someone waits for; they keep the process alive. */
  readonly deadlines: Deadlines;
  /** Housekeeping; it never keeps the process alive. */
  readonly background: Deadlines;
  home: HomeContext;
  readonly events: Emitter;
}
