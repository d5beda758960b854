/** Follows the runs of a pool's agents: how long each took, how it ended, whether it left the resources clean. */

import type { LiveCall } from './call.ts';
import type { Clock } from './clock.ts';
import { InputError, SophiaError } from './errors.ts';
import type { Hooks } from './hooks.ts';
import type { Lease } from './lease.ts';
import type { Recorder } from './stats.ts';

export class RunFollower {
  readonly #clock: Clock;
  readonly #recorder: Recorder;
  readonly #hooks: Hooks;

  constructor(clock: Clock, recorder: Recorder, hooks: Hooks) {
    this.#clock = clock;
    this.#recorder = recorder;
    this.#hooks = hooks;
  }

  /** Runs `work` as a call of `lease`; settles as the work does, or as soon as the call is aborted. */
  follow<Output>(lease: Lease, call: LiveCall<never>, work: () => Promise<Output>): Promise<Output> {
    const startMs = this.#clock.now();
    lease.openCalls ??= new Set();
    lease.openCalls.add(call);
    // An aborted call stays open until execute() has really settled: until then it may touch the resources.
    const settled = work().then(
      (output) => {
        lease.openCalls?.delete(call);
        // It went on after its abort, and may have touched the resources only then.
        if (call.reason !== undefined) this.noteFailure(lease, call.reason);
        return output;
      },
      (error: unknown) => {
        lease.openCalls?.delete(call);
        this.noteFailure(lease, error);
        throw error;
      },
    );
    const counted = (failure: unknown): void => {
      call.close();
      this.#recorder.run(this.#clock.now() - startMs, failure === undefined ? undefined : failureName(failure));
    };
    return call.race(settled).then(
      (output) => {
        counted(undefined);
        return output;
      },
      (error: unknown) => {
        counted(error ?? new Error('rejected without a reason'));
        this.noteFailure(lease, error);
        throw error;
      },
    );
  }

  /** A failure of the borrower's work makes the lease dirty, unless it cannot have touched the resources. */
  noteFailure(lease: Lease, error: unknown): void {
    if (lease.ended !== undefined || !lease.touched || error instanceof InputError) return;
    if (!this.#hooks.survives(error)) lease.dirty = true;
  }
}

function failureName(error: unknown): string {
  if (SophiaError.isInstance(error)) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
