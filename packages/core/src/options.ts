/** What can be set, its default, what is allowed; checked once at registration. */

import { SophiaError, shown } from './errors.ts';
import type { ErrorCode } from './errors.ts';

/** How an entry serves borrowers. */
export type Reuse =
  /** One borrower at a time; reset in between. */
  | 'exclusive'
  /** One entry serves up to `max` leases at once. */
  | 'shared'
  /** Made in advance, used once, destroyed, replaced in the background. */
  | 'single-use';

export interface PoolOptions {
  /** How an entry serves borrowers. Default `'exclusive'`. */
  readonly reuse?: Reuse;
  /** Most agents leased at once. Default 10. */
  readonly max?: number;
  /** Entries kept idle in the background; not above `max`. Default 0. */
  readonly minIdle?: number;
  /** What happens when all agents are leased: wait in a queue, be refused, or grow beyond `max`. Default `'wait'`. */
  readonly exhaustion?: 'wait' | 'reject' | 'grow';
  /** With `exhaustion: 'grow'`: most entries beyond `max`, each used once. Default equal to `max`. */
  readonly maxOverflow?: number;
  /** Longest wait for an agent, in milliseconds. Default 30,000. */
  readonly waitMs?: number;
  /** Most borrowers that wait for others to give an agent back. Default 10,000. */
  readonly maxWaiting?: number;
  /** Creations at the same time (prewarming has its own number). Default 2. */
  readonly createConcurrency?: number;
  /** Failed creations in a row after which waiting borrowers are told, if nothing else can serve them. Default 3. */
  readonly createAttempts?: number;
  /** Longest time for `static create`, and for `static warm`, in milliseconds. Default 30,000. */
  readonly createTimeoutMs?: number;
  /** Longest time for `static reset`, in milliseconds. Default 5,000. */
  readonly resetTimeoutMs?: number;
  /** Longest time for `static validate`, in milliseconds. Default 5,000. */
  readonly validateTimeoutMs?: number;
  /** How often idle entries are validated, in milliseconds. Default 30,000. */
  readonly validateEveryMs?: number;
  /** Longest time for `static destroy`, in milliseconds. Default 5,000. */
  readonly destroyTimeoutMs?: number;
}

export type ResolvedPoolOptions = Readonly<Required<PoolOptions>>;

/** `max` has its default at the front desk, `maxOverflow` is `max` unless given. */
const DEFAULTS: Omit<ResolvedPoolOptions, 'max' | 'maxOverflow'> = {
  reuse: 'exclusive',
  minIdle: 0,
  exhaustion: 'wait',
  waitMs: 30_000,
  maxWaiting: 10_000,
  createConcurrency: 2,
  createAttempts: 3,
  createTimeoutMs: 30_000,
  resetTimeoutMs: 5_000,
  validateTimeoutMs: 5_000,
  validateEveryMs: 30_000,
  destroyTimeoutMs: 5_000,
};

/** What a value must be; `describe` completes the sentence "allowed: …". */
export interface Rule {
  readonly allows: (value: unknown) => boolean;
  readonly describe: string;
}

export function oneOf(...values: readonly string[]): Rule {
  return {
    allows: (value) => values.includes(value as string),
    describe: values.map((value) => `'${value}'`).join(', '),
  };
}

export function integer(from: number, to: number): Rule {
  return {
    allows: (value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
    describe: `a whole number from ${from} to ${to}`,
  };
}

/** The longest that any time-out may be: seven days. */
const LONGEST_MS = 7 * 24 * 3_600_000;

export function milliseconds(from: number): Rule {
  return {
    allows: (value) => typeof value === 'number' && value >= from && value <= LONGEST_MS,
    describe: `milliseconds from ${from} to ${LONGEST_MS} (7 days)`,
  };
}

export const MAX_RULE: Rule = integer(1, 100_000);

const RULES: Record<keyof PoolOptions, Rule> = {
  reuse: oneOf('exclusive', 'shared', 'single-use'),
  max: MAX_RULE,
  minIdle: integer(0, 100_000),
  exhaustion: oneOf('wait', 'reject', 'grow'),
  maxOverflow: integer(1, 100_000),
  waitMs: milliseconds(0),
  maxWaiting: integer(0, 1_000_000),
  createConcurrency: integer(1, 1_000),
  createAttempts: integer(1, 1_000),
  createTimeoutMs: milliseconds(1),
  resetTimeoutMs: milliseconds(1),
  validateTimeoutMs: milliseconds(1),
  validateEveryMs: milliseconds(1),
  destroyTimeoutMs: milliseconds(1),
};

/**
 * Refuses unknown names and values that are not allowed, naming what was given and what may be.
 * `undefined` counts as "not given".
 */
export function checkOptions(
  where: string,
  given: unknown,
  rules: Readonly<Record<string, Rule>>,
  codes: { readonly unknown: ErrorCode; readonly invalid: ErrorCode } = {
    unknown: 'OPTION_UNKNOWN',
    invalid: 'OPTION_INVALID',
  },
): void {
  if (given === undefined) return;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new SophiaError(codes.invalid, `${where} must be an object, but ${shown(given)} was given.`);
  }
  // Not Object.entries: this runs at every acquire that has options.
  for (const name in given) {
    const value = (given as Record<string, unknown>)[name];
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      const known = Object.keys(rules).join(', ');
      throw new SophiaError(codes.unknown, `${where} has no option '${name}'. Known options: ${known}.`);
    }
    if (value !== undefined && !rule.allows(value)) {
      throw new SophiaError(
        codes.invalid,
        `${where}: '${name}' was given as ${shown(value)}; allowed: ${rule.describe}.`,
      );
    }
  }
}

function given(options: PoolOptions): PoolOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/**
 * Layers settings over the defaults, weakest first; the first layer brings `max`.
 * @throws SophiaError OPTION_UNKNOWN or OPTION_INVALID, naming the option and what is allowed.
 */
export function resolvePoolOptions(type: string, ...layers: readonly (PoolOptions | undefined)[]): ResolvedPoolOptions {
  for (const layer of layers) checkOptions(`The pool of '${type}'`, layer, RULES);
  const merged = Object.assign({}, DEFAULTS, ...layers.map((layer) => given(layer ?? {}))) as ResolvedPoolOptions;
  const options = { ...merged, maxOverflow: merged.maxOverflow ?? merged.max };
  if (options.minIdle > options.max) {
    throw invalid(type, 'minIdle', options.minIdle, `at most max, which is ${options.max}`);
  }
  if (options.exhaustion === 'grow' && options.reuse === 'shared') {
    throw invalid(type, 'exhaustion', 'grow', `'wait' or 'reject' for a shared agent; raise max instead`);
  }
  return options;
}

function invalid(type: string, option: string, value: unknown, allowed: string): SophiaError {
  const what = `The pool of '${type}': '${option}' was given as ${shown(value)}`;
  return new SophiaError('OPTION_INVALID', `${what}; allowed: ${allowed}.`);
}

/** Options of one acquire. */
export interface AcquireOptions {
  /** Ends the wait; an agent that was already handed out is not affected. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait in milliseconds; the pool's `waitMs` if absent. 0 means: now or not at all. */
  readonly waitMs?: number | undefined;
  /** Who borrows, for errors, events and the list of holders. */
  readonly owner?: string | undefined;
}

export const FUNCTION_RULE: Rule = { allows: (value) => typeof value === 'function', describe: 'a function' };

const SIGNAL_RULE: Rule = {
  allows: (value) => typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value,
  describe: 'an AbortSignal',
};

export const ARGUMENT_CODES: { readonly unknown: ErrorCode; readonly invalid: ErrorCode } = {
  unknown: 'ARGUMENT_INVALID',
  invalid: 'ARGUMENT_INVALID',
};

const ACQUIRE_RULES: Record<keyof AcquireOptions, Rule> = {
  signal: SIGNAL_RULE,
  waitMs: milliseconds(0),
  owner: {
    allows: (value) => typeof value === 'string' && value.length <= 200,
    describe: 'text of at most 200 characters',
  },
};

/** @throws SophiaError ARGUMENT_INVALID */
export function checkAcquireOptions(options: AcquireOptions): void {
  checkOptions('The options of an acquire', options, ACQUIRE_RULES, ARGUMENT_CODES);
}

/** Options of one run or stream. */
export interface RunOptions {
  /** Aborts this run. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time for this run, in milliseconds; unlimited if absent. */
  readonly timeoutMs?: number | undefined;
}

const RUN_RULES: Record<keyof RunOptions, Rule> = { signal: SIGNAL_RULE, timeoutMs: milliseconds(1) };

/** @throws SophiaError ARGUMENT_INVALID */
export function checkRunOptions(options: RunOptions): void {
  checkOptions('The options of a run', options, RUN_RULES, ARGUMENT_CODES);
}

/** @throws SophiaError ARGUMENT_INVALID */
export function checkArgument(what: string, value: unknown, rule: Rule): void {
  if (!rule.allows(value)) {
    throw new SophiaError('ARGUMENT_INVALID', `${what} was given as ${shown(value)}; allowed: ${rule.describe}.`);
  }
}
