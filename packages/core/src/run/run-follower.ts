/** Follows the runs of a pool's agents: how long each took, how it ended, whether it left the resources clean. */

import type { LiveCall } from './call.ts';
import type { Entry } from '../entry.ts';
import { InputError, SophiaError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Hooks } from '../hooks.ts';
import type { House } from '../house.ts';
import type { Lease } from '../lease.ts';
import type { Recorder } from '../measure/stats.ts';

/** What may be done about a shared entry whose runs fail one after the other. */
export interface FailingEntries {
  lookAtFailing(entry: Entry): void;
}

/** How a run ends when its caller ends it; nothing is said of the entry. */
const CALLERS_DOING: ReadonlySet<ErrorCode> = new Set(['RUN_ABORTED', 'LEASE_RELEASED']);
/** So many failed runs in a row, with no success in between, and a shared entry is looked at. */
const FAILING_RUNS = 5;

export class RunFollower {
  readonly #house: House;
  readonly #recorder: Recorder;
  readonly #hooks: Hooks;
  readonly #failing: FailingEntries;
  readonly #isShared: boolean;

  constructor(house: House, recorder: Recorder, hooks: Hooks, failing: FailingEntries) {
    this.#house = house;
    this.#recorder = recorder;
    this.#hooks = hooks;
    this.#failing = failing;
    this.#isShared = hooks.isShared;
  }

  /** Runs `work` as a call of `lease`; settles as the work does, or as soon as the call is aborted. */
  follow<Output>(lease: Lease, call: LiveCall<never>, work: () => Promise<Output>): Promise<Output> {
    const { clock } = this.#house;
    const startMs = clock.now();
    lease.openCalls ??= new Set();
    lease.openCalls.add(call);
    // An aborted call stays open until execute() has really settled: until then it may touch the resources.
    const settled = lease.home.within(lease, work).then(
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
      this.#recorder.run(clock.now() - startMs, failure === undefined ? undefined : failureName(failure));
    };
    return call.race(settled).then(
      (output) => {
        counted(undefined);
        lease.entry.failuresInARow = 0;
        lease.entry.hasServed = true;
        return output;
      },
      (error: unknown) => {
        counted(error ?? new Error('rejected without a reason'));
        this.noteFailure(lease, error);
        if (this.#isShared) this.#noteShared(lease, error);
        throw error;
      },
    );
  }

  /** A shared entry is not destroyed for one borrower's failure; a row of them is a reason to look at it. */
  #noteShared(lease: Lease, error: unknown): void {
    const { entry } = lease;
    const isCallers = error instanceof InputError || (SophiaError.isInstance(error) && CALLERS_DOING.has(error.code));
    if (!lease.touched || isCallers || this.#hooks.survives(error)) return;
    entry.failuresInARow += 1;
    if (entry.failuresInARow % FAILING_RUNS === 0) this.#failing.lookAtFailing(entry);
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
