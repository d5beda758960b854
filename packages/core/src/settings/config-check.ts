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
    if (config === undefined) return (this.#absent ??= { value: this.#validate(this.#schema, config) }).value;
    if (typeof config !== 'object' || config === null) return this.#validate(this.#schema, config);
    const known = this.#checked.get(config);
    if (known !== undefined) return known;
    const checked = this.#validate(this.#schema, config);
    this.#checked.set(config, checked);
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
