/** Errors of the server itself. Codes are stable, documented in docs/errors.md, never reused. */

/** Codes with what they mean in one line. Those of agents and pools are in `ERROR_CODES` of @sophia-ai/core. */
export const SERVER_ERROR_CODES = {
  BODY_INVALID: 'the body is not the JSON object that this route takes',
  BODY_TOO_DEEP: 'the JSON of the body is nested too deeply',
  BODY_TOO_LARGE: 'the body is larger than this server takes',
  CONTENT_TYPE_UNSUPPORTED: 'the body is not declared as plain application/json',
  HEADER_INVALID: 'a header, or the request line, has a value that is not allowed',
  HOST_NOT_LOOPBACK: 'the server was told to listen where other machines could reach it',
  HOST_REFUSED: 'the Host header names a host that this server does not answer for',
  INTERNAL_ERROR: 'the server failed in a way that it did not expect',
  METHOD_NOT_ALLOWED: 'this route exists, but not with this method',
  NOT_READY: 'the server is still starting, or is stopping',
  ORIGIN_REFUSED: 'the request was sent by a page of another site',
  PORT_REFUSED: 'the system does not let this user listen on the port',
  PORT_TAKEN: 'another process listens on the port',
  QUERY_INVALID: 'a query parameter is not known or has a value that is not allowed',
  ROUTE_UNKNOWN: 'no route has this path',
  RUN_FAILED: 'the agent threw an error while it ran',
} as const;

export type ServerErrorCode = keyof typeof SERVER_ERROR_CODES;

export class ServerError extends Error {
  override readonly name: string = 'ServerError';
  readonly code: ServerErrorCode;
  /** Headers that the answer needs, such as `Allow`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Further members of the problem document. */
  readonly members: Readonly<Record<string, unknown>>;

  /** @param message what happened, why, and what to do, as sentences that the client may read. */
  constructor(
    code: ServerErrorCode,
    message: string,
    options: ErrorOptions & {
      readonly headers?: Readonly<Record<string, string>>;
      readonly members?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message, options);
    this.code = code;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }
}

/** A value of a client as it is shown in a message: quoted and short. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
