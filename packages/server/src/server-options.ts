/** What a server can be told, and the checks on it. */

import { AgnoPerformanceOptimizer, SophiaError } from '@sophia-ai/core';
import type { AnyAgentClass } from '@sophia-ai/core';
import type { RunInfo } from './run.ts';

export interface ServerOptions {
  /** Whose agents are served. The server drains and closes it when it is closed itself. */
  readonly optimizer: AgnoPerformanceOptimizer;
  /** The classes to serve, registered if they are not yet; default: every registered class that has `execute`. */
  readonly agents?: readonly AnyAgentClass[];
  /**
   * Names that a Host header may have, without port, in place of `localhost`, `127.x.x.x` and `[::1]`; for a
   * handler that is mounted in a server of your own, behind its authentication.
   */
  readonly allowedHosts?: readonly string[];
  /** Largest body of a request. Default 6 MiB. */
  readonly maxBodyBytes?: number;
  /** Time between two comments in an event stream. Default 15,000. */
  readonly heartbeatMs?: number;
  /** Bytes of an event stream that may wait for a slow reader. Default 262,144. */
  readonly streamBufferBytes?: number;
  /** The process also runs a sample workload: every answer with figures says so. Default false. */
  readonly sampleWorkload?: boolean;
  /** Further reasons why the process is not ready yet. */
  readonly notReady?: () => readonly string[];
  /** Hears of what clients cannot mend, with its cause. Default: nobody. */
  readonly onError?: (error: unknown, run: RunInfo | undefined) => void;
}

const isWhole = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 2 ** 30;
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string');

const RULES: Record<keyof ServerOptions, readonly [allows: (value: unknown) => boolean, describe: string]> = {
  optimizer: [(value) => value instanceof AgnoPerformanceOptimizer, 'an AgnoPerformanceOptimizer'],
  agents: [Array.isArray, 'an array of agent classes'],
  allowedHosts: [isTexts, 'an array of host names'],
  maxBodyBytes: [isWhole, 'a whole number from 1 to 1,073,741,824'],
  heartbeatMs: [isWhole, 'whole milliseconds from 1'],
  streamBufferBytes: [isWhole, 'a whole number from 1 to 1,073,741,824'],
  sampleWorkload: [(value) => typeof value === 'boolean', 'true or false'],
  notReady: [isFunction, 'a function'],
  onError: [isFunction, 'a function'],
};

/** @throws SophiaError OPTION_UNKNOWN, OPTION_INVALID */
export function checkServerOptions(options: ServerOptions): void {
  const given: object = typeof options === 'object' && options !== null ? options : {};
  for (const [name, value] of Object.entries({ optimizer: undefined, ...given })) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof ServerOptions] : undefined;
    if (rule === undefined) {
      const known = Object.keys(RULES).join(', ');
      throw new SophiaError('OPTION_UNKNOWN', `createServer has no option '${name}'. Known options: ${known}.`);
    }
    const [allows, describe] = rule;
    if ((value !== undefined || name === 'optimizer') && !allows(value)) {
      throw new SophiaError(
        'OPTION_INVALID',
        `createServer: '${name}' has a value that is not allowed; allowed: ${describe}.`,
      );
    }
  }
}
