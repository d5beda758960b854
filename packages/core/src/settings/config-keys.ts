/**
 * Reads `static key(config)` as canonical text, so that equal keys meet whatever the order of their fields. It is read at
 * every acquire: whoever changes a config object must not get what was made for the account it named before.
 */

import type { AnyAgentClass } from '../agent-class.ts';
import { SophiaError } from '../errors.ts';
import type { KeyReader } from '../shelves.ts';

interface Read {
  readonly text: string;
  readonly key: object;
}

/** A key is a handful of fields; what is nested deeper is a mistake. */
const DEEPEST = 8;

export class ConfigKeys implements KeyReader {
  readonly #class: AnyAgentClass & { readonly key?: (config: unknown) => object };

  constructor(agentClass: AnyAgentClass & { readonly key?: (config: unknown) => object }) {
    this.#class = agentClass;
  }

  /** @throws SophiaError KEY_INVALID */
  read(config: unknown): Read {
    try {
      const key = this.#class.key?.(config);
      if (typeof key !== 'object' || key === null || Array.isArray(key)) {
        throw this.#error('static key must return a plain object');
      }
      return { text: canonical(key, '', DEEPEST, (why) => this.#error(why)), key: structuredClone(key) };
    } catch (cause) {
      if (cause instanceof SophiaError) throw cause;
      // What was thrown may name a credential: it stays in the cause.
      throw this.#error('static key threw', cause);
    }
  }

  #error(why: string, cause?: unknown): SophiaError {
    const what = `The key of a '${this.#class.type}' config cannot be used: ${why}`;
    const options = cause === undefined ? undefined : { cause };
    return new SophiaError(
      'KEY_INVALID',
      `${what}. Return a plain object of texts, numbers and booleans with just what static create depends on; nothing was taken.`,
      options,
    );
  }
}

/** Text that is the same for the same content. Messages name paths, never values: a key may hold credentials. */
function canonical(value: unknown, path: string, depth: number, refuse: (why: string) => Error): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) return `${typeof value}:${value}`;
  const where = path === '' ? 'it' : `'${path}'`;
  if (typeof value !== 'object') throw refuse(`${where} is a ${typeof value}`);
  if (depth === 0) throw refuse(`${where} is nested too deeply`);
  const inner = (name: string, part: unknown): string =>
    canonical(part, path === '' ? name : `${path}.${name}`, depth - 1, refuse);
  if (Array.isArray(value)) return `[${value.map((part, index) => inner(String(index), part)).join(',')}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refuse(`${where} is no plain object`);
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, part]) => `${JSON.stringify(name)}:${inner(name, part)}`).join(',')}}`;
}
