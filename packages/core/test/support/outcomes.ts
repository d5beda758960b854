/** What the proofs share: the ways a hook may end, chance that a seed repeats, and the size at which a proof runs. */

import assert from 'node:assert/strict';

import type { Clock } from '@sophia-ai/core';

import { snapshotOf, watch } from './agents.ts';
import type { Desk, Recipe, Thing } from './agents.ts';

const IS_FULL = process.env['SOPHIA_PROVE'] === 'full';

/** The size of a proof: the whole with `SOPHIA_PROVE=full`, else a tenth of it, by the same code. */
export function sized(full: number): number {
  return IS_FULL ? full : full / 10;
}

/** Deadlines are rounded up by at most this. */
export const GRAIN_MS = 16;

/** The seed of a proof: of this run, or the one that is to be repeated. */
export const SEED: number = Number(process.env['SOPHIA_PROVE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** How a hook may end. */
export const OUTCOMES = ['ok', 'error', 'slow', 'never', 'throws'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Resolves once `ms` have passed on the clock. */
export function pass(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.startTimer(resolve, ms));
}

/** Ends a front desk: its close comes to an end, and leaves nothing behind. */
export async function closes({ clock, optimizer }: Desk): Promise<void> {
  const closed = watch(optimizer.close({ timeoutMs: 0 }));
  await clock.advance(60_000);
  assert.equal(closed.state, 'resolved', 'close ends');
  assert.equal(clock.pending, 0, 'no timer after close');
  const { idle, leased, creating, resetting, validating, destroying, waiting } = snapshotOf(optimizer);
  const left = [idle, leased, creating, resetting, validating, destroying, waiting];
  assert.deepEqual(left, [0, 0, 0, 0, 0, 0, 0], 'nothing lives after close');
}

/** What a hook returns that ends so; `value` is made at its end. A slow one takes `slowMs`. */
function act<T>(outcome: Outcome, clock: Clock, slowMs: number, value: () => T): T | Promise<T> {
  switch (outcome) {
    case 'ok':
      return value();
    case 'error':
      return Promise.reject(new Error('the hook rejects'));
    case 'slow':
      return pass(clock, slowMs).then(value);
    case 'never':
      return new Promise<T>(() => undefined);
    case 'throws':
      throw new Error('the hook throws');
  }
}

/** Chance from a seed: the same seed, the same course of things. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1 (mulberry32). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  /** A whole number, both ends included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** Whether an event of this probability happens. */
  is(probability: number): boolean {
    return this.next() < probability;
  }

  of<T>(...choices: readonly T[]): T {
    return choices[Math.floor(this.next() * choices.length)] as T;
  }
}

export const HOOKS = ['create', 'reset', 'validate', 'destroy'] as const;
export type Hook = (typeof HOOKS)[number];
export type Combination = Readonly<Record<Hook, Outcome>>;

/** A slow hook ends within this. */
const SLOWEST_MS = 100;

/** What happened in all histories of a proof: one in which nothing happens proves nothing. */
export const tally = new Map<string, number>();
export function count(what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1);
}

/** Resources, and what the test knows of them. */
export interface Watchful extends Thing {
  heldBy: string | undefined;
  /** A borrower has touched it since it was last cleaned. */
  soiled: boolean;
  /** The hook that works on it now. */
  within: { readonly hook: Hook; readonly outcome: Outcome } | undefined;
  /** It may not serve again. */
  condemned: boolean;
  destroyed: boolean;
}

/** Hooks that end as a combination says, and that know on what they may run. */
export class WatchedHooks {
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #combination: Combination;
  readonly #purity: number;
  readonly things: Watchful[] = [];
  readonly faults: unknown[] = [];
  creations = 0;
  /** From now on all end well. */
  isRescued = false;

  /** @param purity share of calls that end as the combination says; the others end well, so that later hooks are reached. */
  constructor(clock: Clock, chance: Chance, combination: Combination, purity: number) {
    this.#clock = clock;
    this.#chance = chance;
    this.#combination = combination;
    this.#purity = purity;
  }

  get recipe(): Pick<Recipe, Hook> {
    return {
      create: () => this.#create(),
      reset: (thing) => this.#reset(thing as Watchful),
      validate: (thing) => this.#work('validate', thing as Watchful, () => true),
      destroy: (thing) => this.#destroy(thing as Watchful),
    };
  }

  /** A failed check inside a hook or a listener must fail the test, not count as that hook's failure. */
  note(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.faults.push(error);
    }
  }

  #outcomeOf(hook: Hook): Outcome {
    const outcome = !this.isRescued && this.#chance.is(this.#purity) ? this.#combination[hook] : 'ok';
    count(`${hook} ${outcome}`);
    return outcome;
  }

  #act<T>(outcome: Outcome, value: () => T): T | Promise<T> {
    return act(outcome, this.#clock, this.#chance.integer(1, SLOWEST_MS), value);
  }

  #create(): Thing | Promise<Thing> {
    this.creations += 1;
    return this.#act<Thing>(this.#outcomeOf('create'), () => {
      const id = this.things.length + 1;
      const fresh = { soiled: false, within: undefined, condemned: false, destroyed: false };
      const thing: Watchful = { id, heldBy: undefined, ...fresh };
      this.things.push(thing);
      return thing;
    });
  }

  /** Runs a hook on resources that nobody holds and no other hook works on. */
  #work<T>(hook: Hook, thing: Watchful, value: () => T): T | Promise<T> {
    const outcome = this.#outcomeOf(hook);
    this.note(() => {
      assert.equal(thing.heldBy, undefined, `${hook} runs on what ${thing.heldBy} holds`);
      assert.ok(!thing.destroyed, `${hook} runs on what was destroyed`);
      const { within } = thing;
      assert.ok(within === undefined || within.outcome === 'never', `${hook} runs while ${within?.hook} does`);
    });
    const fails = outcome === 'error' || outcome === 'throws';
    thing.within = fails ? undefined : { hook, outcome };
    thing.condemned ||= fails;
    return this.#act(outcome, () => {
      thing.within = undefined;
      return value();
    });
  }

  #reset(thing: Watchful): unknown {
    return this.#work('reset', thing, () => {
      thing.soiled = false;
    });
  }

  #destroy(thing: Watchful): unknown {
    try {
      return this.#work('destroy', thing, () => undefined);
    } finally {
      thing.destroyed = true;
    }
  }
}
