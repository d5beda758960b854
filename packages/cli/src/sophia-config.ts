/** `sophia.config`: the settings of the pools, between those of the classes and those of the environment. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OptimizerOptions } from '@sophia-ai/core';
import { CliError } from './cli-error.ts';

/** What the file exports by default, or, as JSON, is. */
export interface SophiaConfig {
  /** Settings per agent type, as in `static pool`. */
  readonly pools?: NonNullable<OptimizerOptions['pools']>;
}

/** Looked for in the working directory, in this order. */
const NAMES = ['sophia.config.ts', 'sophia.config.js', 'sophia.config.mjs', 'sophia.config.json'];

/**
 * Reads the file that was given, or the one in the working directory if there is one.
 * @throws CliError CONFIG_FILE_INVALID; what its settings say is checked where they are used.
 */
export async function sophiaConfig(given: string | undefined): Promise<SophiaConfig> {
  const path = given ?? NAMES.find((name) => existsSync(name));
  if (path === undefined) return {};
  const config = await load(resolve(path));
  const isObject = typeof config === 'object' && config !== null && !Array.isArray(config);
  const unknown = isObject ? Object.keys(config).find((name) => name !== 'pools') : undefined;
  if (isObject && unknown === undefined) return config;
  const why = isObject ? `it says ${JSON.stringify(unknown)}, which is not known` : 'it does not export an object';
  throw refused(resolve(path), why);
}

async function load(path: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(await readFile(path, 'utf8')) as unknown;
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (cause) {
    throw refused(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function refused(path: string, why: string, cause?: unknown): CliError {
  return new CliError(
    'CONFIG_FILE_INVALID',
    `${JSON.stringify(path)} cannot be used: ${why}. Export { pools: { <type>: { max: 20 } } } by default, or correct the path.`,
    cause === undefined ? undefined : { cause },
  );
}
