/** What can be set, its default, what is allowed; checked once at registration. */

import { SophiaError, shown } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

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
  /** An entry that has rested for longer is validated before it is lent, in milliseconds. Default `Infinity`: never. */
  readonly validateAfterIdleMs?: number;
  /** Longest time for `static destroy`, in milliseconds. Default 5,000. */
  readonly destroyTimeoutMs?: number;

  /** Longest life of an entry, in milliseconds, less up to 5 % at random so that they do not end together. Default `Infinity`. */
  readonly maxAgeMs?: number;
  /** Longest rest of an idle entry, in milliseconds; `minIdle` entries stay. Default `Infinity`. */
  readonly maxIdleMs?: number;
  /** Most leases of an entry. Default `Infinity`. */
  readonly maxUses?: number;
  /** Most memory of an entry in KiB, as told by `static footprint`; checked after a lease. Default `Infinity`. */
  readonly maxMemoryKib?: number;

  /** Whether resources are compared with their state after `create` before the next borrower gets them. Default `'none'`. */
  readonly verify?: 'none' | 'fingerprint';
  /** Every how many returns the fingerprint is compared; each one where a `tenant` is given. Default 100. */
  readonly verifyEvery?: number;
  /** Paths that the fingerprint leaves out, for example `'cache'` or `'stats.*.count'`. */
  readonly verifyIgnore?: readonly string[];
  /** `'revocable'`: borrowers get the resources behind a proxy that stops working with their lease. Default `'none'`. */
  readonly guard?: 'none' | 'revocable';
  /** How long a returned entry rests before it is reset, so that late callbacks meet nobody, in milliseconds. Default 0. */
  readonly coolDownMs?: number;
  /** Entries kept for a look after a failed verify or a revoke, beside `max`; shared ones are not. Default 0. */
  readonly keepSuspects?: number;
  /** How long each of those is kept, in milliseconds. Default 60,000. */
  readonly suspectMs?: number;

  /** Longest lease in milliseconds; then it is revoked and its entry destroyed. Default `Infinity`. */
  readonly leaseMs?: number;
  /** Age at which a lease is suspected to be a leak, in milliseconds. Default: 5 times the p99 of use, at least 30 s. */
  readonly leakAfterMs?: number;
  /** Which leaked leases are revoked: none, those whose agent was garbage-collected, or all suspects. Default `'never'`. */
  readonly reclaimLeaks?: 'never' | 'dropped' | 'held';
  /** What happens when the class is constructed with `new` in place of `pooled()`. Default `'count'`. */
  readonly unpooled?: 'count' | 'warn' | 'throw';

  /** Shares of tenants among those who wait; 1 where a tenant is not named. */
  readonly tenantWeights?: Readonly<Record<string, number>>;
  /** Most leases of one tenant while others wait. Default `Infinity`. */
  readonly tenantMax?: number;
  /** Most leases of one tenant while nobody else waits. Default `Infinity`. */
  readonly tenantBurst?: number;
  /** Under a standing queue whose shortest wait is above this, waiters above twice this are refused. Default `Infinity`: never. */
  readonly queueTargetMs?: number | 'auto';
}

/** `leakAfterMs` stays absent unless given: it follows the measured use. */
export type ResolvedPoolOptions = Readonly<
  Required<Omit<PoolOptions, 'leakAfterMs'>> & Pick<PoolOptions, 'leakAfterMs'>
>;

/** Which layer a setting comes from, weakest first. */
export type SettingSource = 'default' | 'class' | 'sophia.config' | 'environment' | 'live';

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
  validateAfterIdleMs: Number.POSITIVE_INFINITY,
  destroyTimeoutMs: 5_000,
  maxAgeMs: Number.POSITIVE_INFINITY,
  maxIdleMs: Number.POSITIVE_INFINITY,
  maxUses: Number.POSITIVE_INFINITY,
  maxMemoryKib: Number.POSITIVE_INFINITY,
  verify: 'none',
  verifyEvery: 100,
  verifyIgnore: [],
  guard: 'none',
  coolDownMs: 0,
  keepSuspects: 0,
  suspectMs: 60_000,
  leaseMs: Number.POSITIVE_INFINITY,
  reclaimLeaks: 'never',
  unpooled: 'count',
  tenantWeights: {},
  tenantMax: Number.POSITIVE_INFINITY,
  tenantBurst: Number.POSITIVE_INFINITY,
  queueTargetMs: Number.POSITIVE_INFINITY,
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

function orInfinity(rule: Rule): Rule {
  return {
    allows: (value) => value === Number.POSITIVE_INFINITY || rule.allows(value),
    describe: `${rule.describe}, or Infinity`,
  };
}

const PATHS: Rule = {
  allows: (value) => Array.isArray(value) && value.every((path) => typeof path === 'string' && path !== ''),
  describe: 'an array of paths such as "cache" or "stats.*.count"',
};

const WEIGHTS: Rule = {
  allows: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((weight) => typeof weight === 'number' && weight >= 0.01 && weight <= 1_000),
  describe: 'an object of tenant names with weights from 0.01 to 1,000',
};

const TARGET: Rule = {
  allows: (value) => value === 'auto' || orInfinity(milliseconds(1)).allows(value),
  describe: `'auto', ${orInfinity(milliseconds(1)).describe}`,
};

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
  validateAfterIdleMs: orInfinity(milliseconds(0)),
  destroyTimeoutMs: milliseconds(1),
  maxAgeMs: orInfinity(milliseconds(1)),
  maxIdleMs: orInfinity(milliseconds(1)),
  maxUses: orInfinity(integer(1, 1_000_000_000)),
  maxMemoryKib: orInfinity(integer(1, 1_000_000_000)),
  verify: oneOf('none', 'fingerprint'),
  verifyEvery: integer(1, 1_000_000),
  verifyIgnore: PATHS,
  guard: oneOf('none', 'revocable'),
  coolDownMs: milliseconds(0),
  keepSuspects: integer(0, 1_000),
  suspectMs: milliseconds(1),
  leaseMs: orInfinity(milliseconds(1)),
  leakAfterMs: orInfinity(milliseconds(1)),
  reclaimLeaks: oneOf('never', 'dropped', 'held'),
  unpooled: oneOf('count', 'warn', 'throw'),
  tenantWeights: WEIGHTS,
  tenantMax: orInfinity(integer(1, 100_000)),
  tenantBurst: orInfinity(integer(1, 100_000)),
  queueTargetMs: TARGET,
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

/** @throws SophiaError OPTION_UNKNOWN, OPTION_INVALID */
export function checkPoolOptions(type: string, given: PoolOptions | undefined, source = ''): void {
  checkOptions(`The pool of '${type}'${source === '' ? '' : ` (from ${source})`}`, given, RULES);
}

/** The settings of a pool in force, and where those that are no defaults come from. */
export interface PoolSettings {
  readonly options: ResolvedPoolOptions;
  readonly sources: Readonly<Record<string, SettingSource>>;
}

/** The layers of one type's settings that were given, each checked on its own. */
export type SettingLayers = Readonly<Partial<Record<SettingSource, PoolOptions | undefined>>>;

/** Weakest first. */
const SOURCES: readonly SettingSource[] = ['default', 'class', 'sophia.config', 'environment', 'live'];

/**
 * Layers settings over the defaults; the layer `default` brings `max`.
 * @returns the settings in force and where each that is no default comes from.
 * @throws SophiaError OPTION_UNKNOWN or OPTION_INVALID, naming the option and what is allowed.
 */
export function resolvePoolOptions(type: string, layers: SettingLayers): PoolSettings {
  const merged: Record<string, unknown> = { ...DEFAULTS };
  const sources: Record<string, SettingSource> = {};
  for (const source of SOURCES) {
    const layer = layers[source];
    checkPoolOptions(type, layer);
    for (const [name, value] of Object.entries(layer ?? {})) {
      if (value === undefined) continue;
      merged[name] = value;
      sources[name] = source;
    }
  }
  merged['maxOverflow'] ??= merged['max'];
  merged['tenantMax'] = Math.min(merged['tenantMax'] as number, merged['tenantBurst'] as number);
  // A copy: what a class does to its settings later reaches no open pool.
  const options = structuredClone(merged) as unknown as ResolvedPoolOptions;
  if (options.minIdle > options.max) {
    throw invalid(type, 'minIdle', options.minIdle, `at most max, which is ${options.max}`);
  }
  if (options.exhaustion === 'grow' && options.reuse === 'shared') {
    throw invalid(type, 'exhaustion', 'grow', `'wait' or 'reject' for a shared agent; raise max instead`);
  }
  return { options, sources };
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
  /** On whose behalf: tenants share by weight, and an entry crosses from one to another only reset and verified. */
  readonly tenant?: string | undefined;
  /** Longest lease in milliseconds; the pool's `leaseMs` if absent. */
  readonly leaseMs?: number | undefined;
}

/** What `tryPooled` takes: it never waits. */
export type TryOptions = Pick<AcquireOptions, 'owner' | 'tenant' | 'leaseMs'>;

export const FUNCTION_RULE: Rule = { allows: (value) => typeof value === 'function', describe: 'a function' };

const SIGNAL_RULE: Rule = {
  allows: (value) => typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value,
  describe: 'an AbortSignal',
};

export const ARGUMENT_CODES: { readonly unknown: ErrorCode; readonly invalid: ErrorCode } = {
  unknown: 'ARGUMENT_INVALID',
  invalid: 'ARGUMENT_INVALID',
};

const NAME_RULE: Rule = {
  allows: (value) => typeof value === 'string' && value.length <= 200,
  describe: 'text of at most 200 characters',
};

const ACQUIRE_RULES: Record<keyof AcquireOptions, Rule> = {
  signal: SIGNAL_RULE,
  waitMs: milliseconds(0),
  owner: NAME_RULE,
  tenant: NAME_RULE,
  leaseMs: orInfinity(milliseconds(1)),
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
