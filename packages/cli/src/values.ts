/** Reads the values of flags and environment variables; whatever is refused says what was given and what is allowed. */

import { CliError } from './cli-error.ts';

/** Turns the text after `flag` into a value. @throws CliError FLAG_INVALID */
export type Parse<Value> = (text: string, flag: string) => Value;

export const DEFAULT_PORT = 8787;
export const DEFAULT_HOST = '127.0.0.1';
export const PORT_VARIABLE = 'SOPHIA_PORT';

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const LONGEST_MS = 24 * UNITS_MS.h;

function refused(flag: string, text: string, allowed: string): CliError {
  return new CliError('FLAG_INVALID', `${flag} was given as ${shown(text)}; allowed: ${allowed}.`);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** @returns `undefined` for anything but digits between the limits. */
function whole(text: string, from: number, to: number): number | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : undefined;
}

function wholeNumber(from: number, to: number, what = 'a whole number'): Parse<number> {
  return (text, flag) => {
    const value = whole(text, from, to);
    if (value === undefined) throw refused(flag, text, `${what} from ${from} to ${to}`);
    return value;
  };
}

export const port: Parse<number> = wholeNumber(0, 65_535, 'a port');
export const concurrency: Parse<number> = wholeNumber(1, 10_000);
export const waitMs: Parse<number> = wholeNumber(1, 3_600_000, 'whole milliseconds');

export const text: Parse<string> = (value, flag) => {
  if (value.trim() === '') throw refused(flag, value, 'text that is not empty');
  return value;
};

/** `500ms`, `30s`, `2m`, `1h`. */
export const duration: Parse<number> = (value, flag) => {
  const [, digits = '', unit = 'ms'] = /^(\d{1,9})(ms|s|m|h)$/.exec(value) ?? [];
  const durationMs = Number(digits) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (durationMs < 1 || durationMs > LONGEST_MS) {
    throw refused(flag, value, 'a whole number with a unit, such as 500ms, 30s or 2m, up to 24h');
  }
  return durationMs;
};

/** Where a server is reached: scheme, host and port, nothing behind. */
export const serverUrl: Parse<string> = (value, flag) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (!isPlain) throw refused(flag, value, 'the address of a server, such as http://127.0.0.1:8787');
  return url.origin;
};

/** The port of the environment; an empty value counts as none. @throws CliError ENVIRONMENT_INVALID */
export function portOfEnvironment(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const value = environment[PORT_VARIABLE] ?? '';
  if (value === '') return undefined;
  const found = whole(value, 0, 65_535);
  if (found !== undefined) return found;
  throw new CliError(
    'ENVIRONMENT_INVALID',
    `The environment variable ${PORT_VARIABLE} is ${shown(value)}; allowed: a port from 0 to 65535. Correct or unset it, or give --port.`,
  );
}
