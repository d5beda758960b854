/**
 * Makes entries: few at a time, never in a tight loop, and never more than someone wants. A failure is retried
 * after a growing, jittered pause across a timer; a success that comes after its time-out is offered to the pool.
 */

import { Deadline } from './base/deadlines.ts';
import type { Entry } from './entry.ts';
import { SophiaError } from './errors.ts';
import type { DestroyReason } from './events.ts';
import type { Hooks } from './hooks.ts';
import type { House } from './house.ts';
import type { ResolvedPoolOptions } from './settings/options.ts';
import type { Shelf } from './shelf.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

/** What the creator asks of its pool. */
export interface CreatorHome extends Pick<House, 'clock' | 'random' | 'deadlines' | 'background' | 'events'> {
  readonly type: string;
  readonly options: ResolvedPoolOptions;
  readonly hooks: Hooks;
  /** Creations under way, for all keys. */
  creating: number;
  /** Most creations under way for all keys. */
  readonly creatingLimit: number;
  /** A new entry in state `creating`, counted from now on. */
  addEntry(shelf: Shelf): Entry;
  /** The entry's creation succeeded; it is to serve. */
  put(entry: Entry): void;
  destroy(entry: Entry, reason: DestroyReason): void;
  /** The entry's creation failed; it is gone. */
  dropEntry(entry: Entry): void;
  /** The resources of an entry ended by themselves. */
  retireEntry(entry: Entry, reason: string): void;
  /** A creation that was given up has succeeded after all. @param mayServe false if it is of no use any more. */
  takeLate(shelf: Shelf, resources: unknown, startedMs: number, mayServe: boolean): Entry;
  readonly recorder: { created(createMs: number): void };
  /** A creation failed; the waiters may have to be told. */
  noteCreateFailed(shelf: Shelf, error: unknown): void;
  /** A creation has succeeded or failed: others may begin. */
  creationEnded(shelf: Shelf): void;
  /** The pause after failures is over for this shelf. */
  pauseEnded(shelf: Shelf): void;
}

/** Work on new resources before they may serve. @returns why it failed, or `undefined`. */
type Prepare = (entry: Entry) => Promise<unknown>;

/** One creation under way. */
class Attempt {
  readonly entry: Entry;
  readonly controller = new AbortController();
  readonly deadline: Deadline;
  readonly outcome = Promise.withResolvers<unknown>();
  isOpen = true;
  /** What came of it; set while it is prepared. */
  made: { readonly resources: unknown } | undefined = undefined;
  /** Its resources have said that they ended. */
  hasEnded = false;
  /** The entry that its resources stand in: another one, if they came too late for the first. */
  current: Entry;

  constructor(entry: Entry, onLate: () => void) {
    this.entry = entry;
    this.current = entry;
    this.deadline = new Deadline(onLate);
  }
}

export class Creator {
  readonly #home: CreatorHome;
  readonly #shelf: Shelf;
  readonly #pause: Deadline;
  readonly #open = new Set<Attempt>();
  #pausing = false;
  #isStopped = false;
  failuresInARow = 0;
  /** Those that stood before the last success. */
  #failuresBefore = 0;
  #lastFailureMs = Number.NEGATIVE_INFINITY;
  lastError: unknown = undefined;
  /** Creations under way. */
  inFlight = 0;

  constructor(home: CreatorHome, shelf: Shelf) {
    this.#home = home;
    this.#shelf = shelf;
    this.#pause = new Deadline(() => {
      this.#pausing = false;
      home.pauseEnded(shelf);
    });
  }

  /** Creation has failed again and again, and the next try is not due yet. */
  get isBroken(): boolean {
    return this.#pausing && this.failuresInARow >= this.#home.options.createAttempts;
  }

  /** Failures are remembered for as long as the longest pause, also when nobody asks meanwhile. */
  get remembersFailures(): boolean {
    return this.#pausing || this.#home.clock.now() - this.#lastFailureMs < LONGEST_PAUSE_MS;
  }

  /** How many creations may begin now, as far as the limits and a pause after failures allow. */
  get startable(): number {
    if (this.#pausing) return 0;
    const { options, creating, creatingLimit } = this.#home;
    // After a failure one creation is the probe for all.
    const limit = this.failuresInARow === 0 ? options.createConcurrency : 1;
    return Math.max(0, Math.min(limit - this.inFlight, creatingLimit - creating));
  }

  /** Starts up to `count` creations. */
  start(count: number): void {
    for (let left = Math.min(count, this.startable); left > 0; left -= 1) void this.create();
  }

  /**
   * Creates one entry now, whatever the limit.
   * @param prepare work on the new resources before the entry may serve; its failure destroys the entry.
   * @returns the error, or `undefined` when the entry was admitted.
   */
  create(prepare?: Prepare): Promise<unknown> {
    const home = this.#home;
    const { createTimeoutMs } = home.options;
    const attempt = new Attempt(home.addEntry(this.#shelf), () => {
      const error = this.#timeoutError(createTimeoutMs);
      this.#fail(attempt, error);
      attempt.controller.abort(error);
    });
    const { entry, controller, outcome } = attempt;
    this.inFlight += 1;
    home.creating += 1;
    this.#open.add(attempt);
    home.deadlines.add(attempt.deadline, createTimeoutMs);
    const log = (message: string, fields?: object): void =>
      home.events.emit('agent.log', { type: home.type, entryId: entry.id, message, fields });
    const retire = (reason: string): void => {
      attempt.hasEnded = true;
      home.retireEntry(attempt.current, reason);
    };
    const context = { key: structuredClone(this.#shelf.key), signal: controller.signal, retire, log };
    home.hooks.create(context).then(
      (resources) => this.#made(attempt, resources, prepare),
      (error: unknown) => {
        if (attempt.isOpen) this.#fail(attempt, error ?? new Error('static create rejected without a reason'));
      },
    );
    return outcome.promise;
  }

  async #made(attempt: Attempt, resources: unknown, prepare: Prepare | undefined): Promise<void> {
    const home = this.#home;
    const { entry } = attempt;
    const createMs = home.clock.now() - entry.startedMs;
    if (!attempt.isOpen) {
      this.#recovered(createMs);
      return this.#takeLate(attempt, resources, true);
    }
    attempt.made = { resources };
    entry.resources = resources;
    home.deadlines.remove(attempt.deadline);
    const failuresBefore = this.failuresInARow;
    this.#succeeded(entry, createMs);
    let error = await prepare?.(entry);
    // Given up meanwhile, and ended.
    if (!attempt.isOpen) return;
    // One that was begun before a renewal is as good as any, but not to serve.
    const hasEnded = entry.retiredFor !== undefined && entry.retiredFor !== 'renewed';
    if (hasEnded) error ??= new Error('the resources were retired before they could serve');
    this.#finish(attempt, error);
    if (error === undefined) home.put(entry);
    else home.destroy(entry, entry.retiredFor ?? 'warm-failed');
    if (hasEnded) this.failedAfterAll(entry, error, failuresBefore);
    home.creationEnded(this.#shelf);
  }

  #finish(attempt: Attempt, error: unknown): void {
    attempt.isOpen = false;
    this.inFlight -= 1;
    this.#home.creating -= 1;
    this.#home.deadlines.remove(attempt.deadline);
    this.#open.delete(attempt);
    attempt.outcome.resolve(error);
  }

  #fail(attempt: Attempt, error: unknown): void {
    this.#finish(attempt, error);
    this.#home.dropEntry(attempt.entry);
    this.#failed(attempt.entry, error);
  }

  /** A creation given up has succeeded after all, or was given up while it was prepared. */
  #takeLate(attempt: Attempt, resources: unknown, mayServe: boolean): void {
    const { startedMs } = attempt.entry;
    attempt.current = this.#home.takeLate(this.#shelf, resources, startedMs, mayServe && !attempt.hasEnded);
  }

  /** What was made ended before it was of use: as good as a failed creation, and to be retried no faster than one. */
  failedAfterAll(entry: Entry, error: unknown, failuresBefore: number | undefined = this.#failuresBefore): void {
    this.failuresInARow = failuresBefore;
    this.#failed(entry, error);
  }

  /** Tells every creation under way to stop; none is retried. */
  abort(reason: Error): void {
    this.#isStopped = true;
    this.#home.background.remove(this.#pause);
    for (const { controller } of this.#open) controller.abort(reason);
  }

  /** Counts every creation under way as failed now. */
  abandon(reason: Error): void {
    for (const attempt of this.#open) {
      this.#fail(attempt, reason);
      if (attempt.made !== undefined) this.#takeLate(attempt, attempt.made.resources, false);
    }
  }

  #succeeded(entry: Entry, createMs: number): void {
    this.#recovered(createMs);
    this.#home.events.emit('agent.created', { type: this.#home.type, entryId: entry.id, createMs });
  }

  #recovered(createMs: number): void {
    this.#failuresBefore = this.failuresInARow;
    this.failuresInARow = 0;
    this.lastError = undefined;
    this.#home.recorder.created(createMs);
  }

  #failed(entry: Entry, error: unknown): void {
    const home = this.#home;
    this.failuresInARow += 1;
    this.#lastFailureMs = home.clock.now();
    this.lastError = error;
    const whole = Math.min(FIRST_PAUSE_MS * 2 ** (this.failuresInARow - 1), LONGEST_PAUSE_MS);
    const retryInMs = whole * (0.5 + home.random() / 2);
    if (!this.#pausing && !this.#isStopped) {
      this.#pausing = true;
      home.background.add(this.#pause, retryInMs);
    }
    const { failuresInARow } = this;
    home.events.emit('agent.create-failed', { type: home.type, entryId: entry.id, failuresInARow, retryInMs, error });
    home.noteCreateFailed(this.#shelf, error);
    home.creationEnded(this.#shelf);
  }

  #timeoutError(limitMs: number): SophiaError {
    return new SophiaError(
      'CREATE_TIMEOUT',
      `static create of '${this.#home.type}' did not settle within ${limitMs} ms. See what it waits for, make it heed the signal it is given, or raise createTimeoutMs.`,
    );
  }
}
