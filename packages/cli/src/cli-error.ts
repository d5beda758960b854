/** Errors of the command itself: one stable code and one exit code each, documented in docs/errors.md. */

import { SophiaError } from '@sophia-ai/core';
import { ServerError } from '@sophia-ai/server';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** Codes with what they mean in one line. */
export const CLI_ERROR_CODES = {
  AGENT_UNKNOWN: 'the --agent flag names a type that is not served',
  ARGUMENT_UNEXPECTED: 'a command was given more arguments than it takes',
  COMMAND_UNKNOWN: 'the command is not known',
  CONFIG_FILE_INVALID: 'sophia.config cannot be read, or does not say what it should',
  ENVIRONMENT_INVALID: 'an environment variable has a value that is not allowed',
  FLAG_INVALID: 'a flag has no value, or one that is not allowed',
  FLAG_MISSING: 'a flag that the command needs was not given',
  FLAG_UNKNOWN: 'a flag is not known to the command',
  INPUT_MISSING: 'there is no input to run an agent with',
  MODULE_INVALID: 'the --module file cannot be loaded, or exports no agent class',
  SERVER_UNREACHABLE: 'the server of --url does not answer',
  SERVER_UNSUITABLE: 'the server of --url answers, but not as a Sophia server',
} as const;

export type CliErrorCode = keyof typeof CLI_ERROR_CODES;

export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly code: CliErrorCode;

  /** @param message what happened, why, and what to do, as sentences. */
  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const EXIT_BY_CODE: Readonly<Record<string, ExitCode>> = {
  SERVER_UNREACHABLE: EXIT.unavailable,
  SERVER_UNSUITABLE: EXIT.unavailable,
  PORT_TAKEN: EXIT.unavailable,
  PORT_REFUSED: EXIT.noPermission,
};

/** One line for stderr and the exit code of any error that ends the command. */
export function explain(error: unknown): { readonly line: string; readonly exitCode: ExitCode } {
  if (error instanceof CliError)
    return { line: `${error.code}: ${error.message}`, exitCode: EXIT_BY_CODE[error.code] ?? EXIT.usage };
  if (error instanceof ServerError || SophiaError.isInstance(error)) {
    return { line: `${error.code}: ${error.message}`, exitCode: EXIT_BY_CODE[error.code] ?? EXIT.config };
  }
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { line: `an unexpected error, please report it: ${what}`, exitCode: EXIT.internal };
}
