/** Every error of Sophia: one stable code each, documented in docs/errors.md, never reused. */

/** Codes with what they mean in one line. The page docs/errors.md tells causes and cures for each. */
export const ERROR_CODES = {
  ACQUIRE_ABORTED: 'the signal of an acquire was aborted before an agent was handed out',
  ACQUIRE_SHED: 'the queue has stood for too long, and this borrower had waited longest beyond the target',
  ACQUIRE_TIMEOUT: 'no agent became free within waitMs',
  ARGUMENT_INVALID: 'a public function was given a value it does not take',
  CONFIG_INVALID: 'the config did not pass the schema of the agent class',
  CONSTRUCT_FAILED: 'the constructor of the agent class threw',
  CREATE_FAILED: 'static create failed, several times in a row, with no other entry to serve',
  CREATE_TIMEOUT: 'static create did not settle within createTimeoutMs',
  DESTROY_TIMEOUT: 'static destroy did not settle within destroyTimeoutMs',
  DUPLICATE_CORE: 'the agent class extends the Agent of another copy of @sophia-ai/core',
  HOOK_INVALID: 'a static member of the agent class has the wrong kind',
  INPUT_INVALID: 'the input of run or stream was refused',
  KEY_INVALID: 'static key did not return a plain object of plain values',
  LEASE_FOREIGN: 'the agent was not handed out by this optimizer',
  LEASE_RELEASED: 'the agent was used after its lease had ended',
  NESTED_DEADLOCK: 'the agent could only come free if the borrower, who waits for it, went on first',
  NOT_RUNNABLE: 'the agent class has no execute method',
  OPTION_INVALID: 'an option has a value that is not allowed',
  OPTION_UNKNOWN: 'an option name is not known',
  OUTPUT_INVALID: 'what execute returned did not pass the output schema of the agent class',
  POOL_CLOSED: 'the pool is closed',
  POOL_DRAINING: 'the pool is draining and hands out no more agents',
  POOL_EXHAUSTED: 'every agent is leased and the policy does not wait',
  QUEUE_FULL: 'the queue of waiting borrowers is full',
  RESET_MISSING: 'an exclusive agent class does not say how to reset its resources',
  RESET_TIMEOUT: 'static reset did not settle within resetTimeoutMs',
  RUN_ABORTED: 'a run was aborted by its signal or by cancelling its stream',
  RUN_TIMEOUT: 'a run did not settle within its timeoutMs',
  TYPE_INHERITED: 'the agent class does not say its own type',
  TYPE_INVALID: 'the type of the agent class is not a usable name',
  TYPE_TAKEN: 'another agent class is registered under the same type',
  TYPE_UNKNOWN: 'no agent class is registered under this type',
  UNPOOLED: 'the agent class was constructed with new, which its pool forbids',
  VALIDATE_TIMEOUT: 'static validate did not settle within validateTimeoutMs',
  VERIFY_TIMEOUT: 'static verify or footprint did not settle within resetTimeoutMs',
  WARM_TIMEOUT: 'static warm did not settle within createTimeoutMs',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** In which part of an agent's life an error arises. */
export type Phase = 'register' | 'acquire' | 'create' | 'run' | 'release' | 'clean' | 'destroy';

const PHASES: Readonly<Record<ErrorCode, Phase>> = {
  ACQUIRE_ABORTED: 'acquire',
  ACQUIRE_SHED: 'acquire',
  ACQUIRE_TIMEOUT: 'acquire',
  ARGUMENT_INVALID: 'acquire',
  CONFIG_INVALID: 'acquire',
  CONSTRUCT_FAILED: 'acquire',
  CREATE_FAILED: 'create',
  CREATE_TIMEOUT: 'create',
  DESTROY_TIMEOUT: 'destroy',
  DUPLICATE_CORE: 'register',
  HOOK_INVALID: 'register',
  INPUT_INVALID: 'run',
  KEY_INVALID: 'acquire',
  LEASE_FOREIGN: 'release',
  LEASE_RELEASED: 'run',
  NESTED_DEADLOCK: 'acquire',
  NOT_RUNNABLE: 'run',
  OPTION_INVALID: 'register',
  OPTION_UNKNOWN: 'register',
  OUTPUT_INVALID: 'run',
  POOL_CLOSED: 'acquire',
  POOL_DRAINING: 'acquire',
  POOL_EXHAUSTED: 'acquire',
  QUEUE_FULL: 'acquire',
  RESET_MISSING: 'register',
  RESET_TIMEOUT: 'clean',
  RUN_ABORTED: 'run',
  RUN_TIMEOUT: 'run',
  TYPE_INHERITED: 'register',
  TYPE_INVALID: 'register',
  TYPE_TAKEN: 'register',
  TYPE_UNKNOWN: 'register',
  UNPOOLED: 'acquire',
  VALIDATE_TIMEOUT: 'clean',
  VERIFY_TIMEOUT: 'clean',
  WARM_TIMEOUT: 'create',
};

/** Recognises our errors even across two copies of this package. */
const BRAND = Symbol.for('sophia.error');

export class SophiaError extends Error {
  readonly code: ErrorCode;
  /** The state of the pool when it refused; `undefined` for errors that no pool raised. */
  readonly facts: PoolFacts | undefined;

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /** @param message what happened, why, and what to do, as sentences. */
  constructor(code: ErrorCode, message: string, options: ErrorOptions & { readonly facts?: PoolFacts } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = code === 'ACQUIRE_ABORTED' || code === 'RUN_ABORTED' ? 'AbortError' : new.target.name;
    this.code = code;
    this.facts = options.facts;
  }

  get phase(): Phase {
    return PHASES[this.code];
  }

  static isInstance(value: unknown): value is SophiaError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** A borrower's own mistake: the run is refused, the agent and its resources stay clean. */
export class InputError extends SophiaError {
  /** Dotted path of the offending field, when one is known. */
  readonly field: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly field?: string } = {}) {
    super('INPUT_INVALID', message, options);
    this.field = options.field;
  }
}

/** Why no agent could be had, as far as the pool can tell. */
export type ExhaustionCause =
  /** More is asked for than `max` agents can serve. */
  | 'too-small'
  | 'slow-holds'
  /** Leases are held that look forgotten. */
  | 'leak'
  | 'creation-failing'
  | 'creation-slow'
  | 'reset-slow'
  /** Holders wait for agents themselves. */
  | 'nested'
  /** Timers fire late: something blocks the process. */
  | 'event-loop-starved'
  /** The tenant has as many agents as it may. */
  | 'tenant-limit'
  | 'suspended'
  | 'draining'
  | 'closed';

/** The state of the pool at the moment of a refusal. */
export interface PoolFacts {
  readonly type: string;
  readonly max: number;
  readonly leased: number;
  readonly idle: number;
  readonly creating: number;
  readonly resetting: number;
  readonly waiting: number;
  readonly waitedMs: number;
  /** The lease that is held longest, with the `owner` its borrower gave. */
  readonly oldestLease: { readonly heldMs: number; readonly owner: string | undefined } | null;
  readonly lastCreateError: string | null;
  /** When it is worth to try again, from the measured hold times; `null` before the first lease has ended. */
  readonly retryAfterMs: number | null;
  readonly reason: ExhaustionCause;
  /** One sentence that names the setting to change. */
  readonly advice: string;
}

export type ExhaustionCode = 'ACQUIRE_TIMEOUT' | 'POOL_EXHAUSTED' | 'QUEUE_FULL' | 'ACQUIRE_SHED' | 'NESTED_DEADLOCK';

const WHAT: Readonly<Record<ExhaustionCode, (facts: PoolFacts) => string>> = {
  ACQUIRE_TIMEOUT: ({ type, waitedMs }) => `No '${type}' agent became free within ${Math.round(waitedMs)} ms`,
  POOL_EXHAUSTED: ({ type, leased, max, reason }) =>
    reason === 'suspended'
      ? `No '${type}' agent is handed out now`
      : `Every '${type}' agent is leased${leased < max ? ' or being made for others' : ''}`,
  QUEUE_FULL: ({ type }) => `The queue for '${type}' agents is full`,
  ACQUIRE_SHED: ({ type, waitedMs }) =>
    `The queue for '${type}' agents has stood for too long; this borrower, after ${Math.round(waitedMs)} ms, was refused so that others are served in time`,
  NESTED_DEADLOCK: ({ type }) => `No '${type}' agent can ever come free for this borrower`,
};

export class PoolExhaustedError extends SophiaError {
  declare readonly facts: PoolFacts;
  /** Of a deadlock: who waits for whom, outermost first. */
  readonly chain: readonly string[];

  constructor(
    code: ExhaustionCode,
    facts: PoolFacts,
    options: { readonly cause?: unknown; readonly chain?: readonly string[] } = {},
  ) {
    const { max, leased, idle, creating, waiting, oldestLease, advice } = facts;
    const { cause, chain = [] } = options;
    const oldest =
      oldestLease === null
        ? ''
        : `; longest held: ${Math.round(oldestLease.heldMs)} ms by ${oldestLease.owner ?? 'an unnamed owner'}`;
    const counts = `${leased} of ${max} leased, ${idle} idle, ${creating} creating, ${waiting} waiting${oldest}`;
    const links = chain.length === 0 ? '' : ` ${chain.join('; ')}.`;
    super(code, `${WHAT[code](facts)} (${counts}).${links} ${advice}`, {
      facts,
      ...(cause === undefined ? {} : { cause }),
    });
    this.chain = chain;
  }

  get retryAfterMs(): number | null {
    return this.facts.retryAfterMs;
  }
}

/** A value as it is shown in a message: short, quoted, never a whole document. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'function') return `a function`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : shown(error);
}
