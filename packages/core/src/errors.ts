/** Every error of Sophia: one stable code each, documented in docs/errors.md, never reused. */

/** Codes with what they mean in one line. The page docs/errors.md tells causes and cures for each. */
export const ERROR_CODES = {
  ACQUIRE_ABORTED: 'the signal of an acquire was aborted before an agent was handed out',
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
  LEASE_FOREIGN: 'the agent was not handed out by this optimizer',
  LEASE_RELEASED: 'the agent was used after its lease had ended',
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
  VALIDATE_TIMEOUT: 'static validate did not settle within validateTimeoutMs',
  WARM_TIMEOUT: 'static warm did not settle within createTimeoutMs',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Recognises our errors even across two copies of this package. */
const BRAND = Symbol.for('sophia.error');

export class SophiaError extends Error {
  readonly code: ErrorCode;

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /** @param message what happened, why, and what to do, as sentences. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = code === 'ACQUIRE_ABORTED' || code === 'RUN_ABORTED' ? 'AbortError' : new.target.name;
    this.code = code;
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
export type ExhaustionCause = 'too-small' | 'slow-holds' | 'creation-failing' | 'creation-slow' | 'reset-slow';

/** The state of the pool at the moment of the refusal. */
export interface ExhaustionFacts {
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

export class PoolExhaustedError extends SophiaError {
  readonly facts: ExhaustionFacts;

  constructor(code: 'ACQUIRE_TIMEOUT' | 'POOL_EXHAUSTED' | 'QUEUE_FULL', facts: ExhaustionFacts, cause?: unknown) {
    const { type, max, leased, idle, creating, waiting, waitedMs, oldestLease } = facts;
    const what =
      code === 'ACQUIRE_TIMEOUT'
        ? `no '${type}' agent became free within ${Math.round(waitedMs)} ms`
        : code === 'QUEUE_FULL'
          ? `the queue for '${type}' agents is full`
          : `every '${type}' agent is leased${leased < max ? ' or being made for others' : ''}`;
    const oldest =
      oldestLease === null
        ? ''
        : `; longest held: ${Math.round(oldestLease.heldMs)} ms by ${oldestLease.owner ?? 'an unnamed owner'}`;
    const counts = `${leased} of ${max} leased, ${idle} idle, ${creating} creating, ${waiting} waiting${oldest}`;
    super(code, `${capital(what)} (${counts}). ${facts.advice}`, cause === undefined ? undefined : { cause });
    this.facts = facts;
  }

  get retryAfterMs(): number | null {
    return this.facts.retryAfterMs;
  }
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
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
