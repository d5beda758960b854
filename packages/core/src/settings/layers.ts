/** The settings that come from outside the classes: `sophia.config` and the environment. */

import { SophiaError, messageOf } from '../errors.ts';
import { checkPoolOptions } from './options.ts';
import type { PoolOptions } from './options.ts';

export type SettingsByType = Readonly<Record<string, PoolOptions>>;

/** A variable of the process's environment, in runtimes that have one. */
export function readEnvironment(name: string): string | undefined {
  const host = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return host.process?.env?.[name];
}

/** @param text JSON such as `{"support":{"max":20}}`. @throws SophiaError OPTION_INVALID */
export function parsedSettings(text: string | undefined): SettingsByType {
  if (text === undefined || text.trim() === '') return {};
  try {
    const settings: unknown = JSON.parse(text);
    if (typeof settings === 'object' && settings !== null && !Array.isArray(settings))
      return settings as SettingsByType;
    throw new Error('it is no object');
  } catch (cause) {
    throw new SophiaError(
      'OPTION_INVALID',
      `SOPHIA_POOLS cannot be read: ${messageOf(cause)}. Give JSON of type names with settings, for example {"support":{"max":20}}.`,
      { cause },
    );
  }
}

/**
 * A copy, checked at start, also for types that are registered later.
 * @param source what to name in an error. @throws SophiaError OPTION_UNKNOWN, OPTION_INVALID
 */
export function checkedSettings(settings: SettingsByType, source: string): SettingsByType {
  for (const [type, options] of Object.entries(settings)) checkPoolOptions(type, options, source);
  return structuredClone(settings);
}

export function ofType(settings: SettingsByType, type: string): PoolOptions | undefined {
  return Object.hasOwn(settings, type) ? settings[type] : undefined;
}
