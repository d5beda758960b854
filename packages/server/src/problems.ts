/** Every error on the wire: problem details (RFC 9457) with our stable code, from one table. */

import { ERROR_CODES, SophiaError } from '@sophia-ai/core';
import type { ErrorCode, PoolFacts } from '@sophia-ai/core';
import { SERVER_ERROR_CODES, ServerError } from './errors.ts';
import type { ServerErrorCode } from './errors.ts';

/** What a client gets for any error: `application/problem+json`, or the data of the SSE event `error`. */
export interface Problem {
  /** `urn:sophia:problem:` and the code. */
  readonly type: string;
  /** What the code means; the same for every occurrence. */
  readonly title: string;
  readonly status: number;
  /** What happened this time, and what to do. */
  readonly detail: string;
  readonly code: ErrorCode | ServerErrorCode;
  /** When it is worth to try again; the header `Retry-After` says it in whole seconds. */
  readonly retry_after_ms?: number;
  readonly [member: string]: unknown;
}

/** Errors of `listen()`, which happen before there is a client. */
type ListenCode = 'HOST_NOT_LOOPBACK' | 'PORT_REFUSED' | 'PORT_TAKEN';
type WireCode = ErrorCode | Exclude<ServerErrorCode, ListenCode>;

interface Handling {
  readonly status: number;
  /** Said in place of the error's own message, where that may tell internals. */
  readonly detail?: string;
  /** The same request may succeed a little later: the answer carries `Retry-After`. */
  readonly retry?: true;
  /** The operator is told, as the client cannot mend it. */
  readonly report?: true;
}

const HIDDEN =
  'The fault is on the side of the server; its log has the cause. Tell its operator the code and the time.';
const client = (status: number): Handling => ({ status });
const fault: Handling = { status: 500, detail: HIDDEN, report: true };
const busy: Handling = { status: 503, retry: true };

/**
 * Code → HTTP. 400: the request itself is malformed; 422: well-formed, but the agent's schema refuses it; 499: the
 * client is gone, nobody reads this; 503: try again after `Retry-After`.
 */
const HANDLING: Readonly<Record<WireCode, Handling>> = {
  ACQUIRE_ABORTED: client(499),
  ACQUIRE_SHED: busy,
  ACQUIRE_TIMEOUT: busy,
  ARGUMENT_INVALID: fault,
  BODY_INVALID: client(400),
  BODY_TOO_DEEP: client(400),
  BODY_TOO_LARGE: client(413),
  CONFIG_INVALID: client(422),
  CONSTRUCT_FAILED: fault,
  CONTENT_TYPE_UNSUPPORTED: client(415),
  CREATE_FAILED: {
    status: 503,
    detail: 'No agent of this type could be made; the pool keeps trying. The log of the server has the cause.',
    retry: true,
    report: true,
  },
  CREATE_TIMEOUT: { status: 503, detail: 'No agent of this type could be made in time.', retry: true, report: true },
  DESTROY_TIMEOUT: fault,
  DUPLICATE_CORE: fault,
  HEADER_INVALID: client(400),
  HOOK_INVALID: fault,
  HOST_REFUSED: client(403),
  INPUT_INVALID: client(422),
  INTERNAL_ERROR: fault,
  // What it names may be a credential.
  KEY_INVALID: { status: 422, detail: 'The config of this run has no usable key.', report: true },
  LEASE_FOREIGN: fault,
  // The server holds the lease until the run settles, so only a forced stop can end it earlier.
  LEASE_RELEASED: {
    status: 503,
    detail: 'The server stopped before the run had finished. Send it again.',
    retry: true,
  },
  METHOD_NOT_ALLOWED: client(405),
  NESTED_DEADLOCK: fault,
  NOT_READY: busy,
  NOT_RUNNABLE: fault,
  OPTION_INVALID: fault,
  OPTION_UNKNOWN: fault,
  ORIGIN_REFUSED: client(403),
  OUTPUT_INVALID: fault,
  POOL_CLOSED: { status: 503, detail: 'The server is stopping. Send the run again, to another process.', retry: true },
  POOL_DRAINING: {
    status: 503,
    detail: 'The server is stopping. Send the run again, to another process.',
    retry: true,
  },
  POOL_EXHAUSTED: busy,
  QUERY_INVALID: client(400),
  QUEUE_FULL: busy,
  RESET_MISSING: fault,
  RESET_TIMEOUT: fault,
  ROUTE_UNKNOWN: client(404),
  RUN_ABORTED: client(499),
  RUN_FAILED: { ...fault, detail: 'The agent failed while it ran; the log of the server has the cause.' },
  RUN_TIMEOUT: client(504),
  TYPE_INHERITED: fault,
  TYPE_INVALID: fault,
  TYPE_TAKEN: fault,
  TYPE_UNKNOWN: client(404),
  UNPOOLED: fault,
  VALIDATE_TIMEOUT: fault,
  VERIFY_TIMEOUT: fault,
  WARM_TIMEOUT: fault,
};

const MEANING: Readonly<Record<string, string>> = { ...ERROR_CODES, ...SERVER_ERROR_CODES };
/** Where nothing has been measured yet, a second is a pause that hurts nobody. */
const DEFAULT_RETRY_MS = 1_000;

/** Our errors have a row in the table; anything else is `INTERNAL_ERROR`. */
function codeOf(error: unknown): WireCode {
  const ours = SophiaError.isInstance(error) || error instanceof ServerError;
  return ours && Object.hasOwn(HANDLING, error.code) ? (error.code as WireCode) : 'INTERNAL_ERROR';
}

/** Whether the operator should hear of it. */
export function isServerFault(error: unknown): boolean {
  return HANDLING[codeOf(error)].report === true;
}

/** The problem document of an error; never a stack, never the message of an error that is not ours. */
export function problemOf(error: unknown): Problem {
  const code = codeOf(error);
  const { status, detail, retry } = HANDLING[code];
  // Only of a refusal that others' work caused do the counts help the client.
  const facts = SophiaError.isInstance(error) && HANDLING[code] === busy ? error.facts : undefined;
  const said = facts === undefined ? (error as Error).message : exhaustion(code, facts);
  return {
    type: `urn:sophia:problem:${code}`,
    title: MEANING[code] as string,
    status,
    detail: detail ?? said,
    code,
    ...(retry === true ? { retry_after_ms: facts?.retryAfterMs ?? DEFAULT_RETRY_MS } : {}),
    ...(error instanceof ServerError ? error.members : {}),
    ...(SophiaError.isInstance(error) && 'field' in error && error.field !== undefined ? { field: error.field } : {}),
  };
}

/** Counts, not causes: the message in core also names owners and the last creation error. */
function exhaustion(code: WireCode, facts: PoolFacts): string {
  const { type, max, leased, waiting, waitedMs } = facts;
  const what =
    code === 'ACQUIRE_TIMEOUT' ? `none came free within ${Math.round(waitedMs)} ms` : 'the run was not queued';
  return `${leased} of ${max} '${type}' agents are in use and ${waiting} runs wait; ${what}. Try again after the time in Retry-After.`;
}

/** @param members further members, such as the id of the run. */
export function problemResponse(error: unknown, members: Readonly<Record<string, unknown>> = {}): Response {
  const problem: Problem = { ...problemOf(error), ...members };
  const headers = new Headers(error instanceof ServerError ? error.headers : {});
  headers.set('Content-Type', 'application/problem+json');
  if (problem.retry_after_ms !== undefined)
    headers.set('Retry-After', String(Math.ceil(problem.retry_after_ms / 1_000)));
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
