/** Checks a borrower's config against the class's schema: once per config object, synchronously. */

import type { AnyAgentClass } from '../agent-class.ts';
import { SophiaError } from '../errors.ts';
import { describeIssues } from './schema.ts';
import type { StandardSchema } from './schema.ts';

export class ConfigCheck {
  readonly #type: string;
  readonly #schema: StandardSchema | undefined;
  readonly #checked = new WeakMap<object, unknown>();
  /** What `pooled()` without a config comes to, once it is known; the most frequent config of all. */
  #absent: { readonly value: unknown } | undefined = undefined;

  constructor(agentClass: AnyAgentClass & { readonly config?: StandardSchema }) {
    this.#type = agentClass.type;
    this.#schema = agentClass.config;
  }

  /** @returns the config as the schema gives it back. @throws SophiaError CONFIG_INVALID, HOOK_INVALID */
  check(config: unknown): unknown {
    if (this.#schema === undefined) return config;
    const isAbsent = config === undefined;
    if (isAbsent && this.#absent !== undefined) return this.#absent.value;
    if (!isAbsent && (typeof config !== 'object' || config === null)) return this.#validate(this.#schema, config);
    const known = isAbsent ? undefined : this.#checked.get(config);
    if (known !== undefined) return known;
    const checked = this.#validate(this.#schema, config);
    // Kept only if no borrower can write on it: the next one gets the same object.
    if (!isShareable(checked, ownObjects(config))) return checked;
    if (isAbsent) this.#absent = { value: checked };
    else this.#checked.set(config, checked);
    return checked;
  }

  /** Has the schema compile itself, which some do at their first use and which takes milliseconds. */
  warm(): void {
    try {
      this.check(undefined);
    } catch {
      // This class wants a config; its schema is compiled all the same.
    }
  }

  #validate(schema: StandardSchema, config: unknown): unknown {
    const result = schema['~standard'].validate(config);
    if (result instanceof Promise) {
      result.catch(() => undefined);
      throw new SophiaError(
        'HOOK_INVALID',
        `The config schema of '${this.#type}' answers asynchronously, but borrowing must not wait for it. Use a schema without asynchronous checks; do those in static create or execute().`,
      );
    }
    if (result.issues === undefined) return result.value;
    throw new SophiaError(
      'CONFIG_INVALID',
      `The config for '${this.#type}' was refused: ${describeIssues(result.issues)}. Correct it and call pooled() again; nothing was taken.`,
    );
  }
}

/** The objects that the caller gave: theirs to share, and not ours to freeze. */
function ownObjects(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found;
  found.add(value);
  for (const part of Object.values(value)) ownObjects(part, found);
  return found;
}

/** Freezes what the schema made. @returns whether all of it could be: a Map or an instance of a class cannot. */
function isShareable(value: unknown, callers: ReadonlySet<object>): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null || callers.has(value) || Object.isFrozen(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === Object.prototype || prototype === null;
  if (!isPlain) return false;
  const parts = Object.values(value);
  Object.freeze(value);
  return parts.every((part) => isShareable(part, callers));
}
