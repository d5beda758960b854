/** Housekeeping of one pool, on timers that never keep the process alive: window marks and health checks. */

import type { Clock } from './clock.ts';
import { Deadline } from './deadlines.ts';
import type { Deadlines } from './deadlines.ts';
import { MARK_EVERY_MS } from './stats.ts';
import type { Recorder } from './stats.ts';

export interface KeeperHome {
  readonly clock: Clock;
  readonly background: Deadlines;
  readonly recorder: Recorder;
  readonly hooks: { readonly validates: boolean };
  readonly options: { readonly validateEveryMs: number };
  validateIdle(): Promise<void>;
}

export class Keeper {
  readonly #home: KeeperHome;
  readonly #mark: Deadline;
  readonly #validate: Deadline;
  #stopped = false;

  constructor(home: KeeperHome) {
    this.#home = home;
    this.#mark = new Deadline(() => {
      home.recorder.mark(home.clock.now());
      home.background.add(this.#mark, MARK_EVERY_MS);
    });
    this.#validate = new Deadline(() => void home.validateIdle().then(() => this.#scheduleValidation()));
    home.background.add(this.#mark, MARK_EVERY_MS);
    this.#scheduleValidation();
  }

  stop(): void {
    this.#home.background.remove(this.#mark);
    this.#home.background.remove(this.#validate);
    this.#stopped = true;
  }

  #scheduleValidation(): void {
    const { hooks, options, background } = this.#home;
    if (hooks.validates && !this.#stopped) background.add(this.#validate, options.validateEveryMs);
  }
}
