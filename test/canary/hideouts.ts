/** Resources with a place of every kind in which something can stay behind, and for each place how it is cleaned. */

import type { MemoryProcess } from './memory-process.ts';

const SHELF = Symbol('shelf');

/** A variable that only two functions know. */
function box(): { read: () => string; write: (text: string) => void } {
  let content = '';
  return {
    read: () => content,
    write: (text) => {
      content = text;
    },
  };
}

function* paused(text: string): Generator<undefined, string, undefined> {
  yield undefined;
  return text;
}

export class Hideouts {
  plain = '';
  nested = { cupboard: { drawer: '' } };
  list: string[] = [];
  mapValues = new Map<string, string>();
  mapKeys = new Map<string, boolean>();
  set = new Set<string>();
  [SHELF] = '';
  names: Record<string, boolean> = {};
  symbols: Record<symbol, boolean> = {};
  heir: object = Object.create({ legacy: '' }) as object;
  error: Error | undefined = undefined;
  buffer: Buffer = Buffer.alloc(64);
  wide: Uint16Array = new Uint16Array(64);
  box: ReturnType<typeof box> = box();
  bound: () => string = () => '';
  kept: Promise<string> = Promise.resolve('');
  generator: Generator<undefined, string, undefined> = paused('');
  screen: object = new Proxy({}, { get: () => undefined, ownKeys: () => [] });
  declare unlisted: string;
  /** Whose async context it was when these were made or cleaned; nobody's, if all is well. */
  maker = '';
  #private = '';
  readonly #keeper = {};
  #weak = new WeakMap<object, string>();
  readonly #process: MemoryProcess | undefined;
  readonly #fixed: ReadonlySet<PropertyKey>;

  constructor(process?: MemoryProcess) {
    this.#process = process;
    Object.defineProperty(this, 'unlisted', { value: '', writable: true, enumerable: false });
    this.#fixed = new Set(Reflect.ownKeys(this));
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  writePrivate(text: string): void {
    this.#private = text;
  }

  writeWeak(text: string): void {
    this.#weak = new WeakMap([[this.#keeper, text]]);
  }

  writeProcess(text: string): Promise<unknown> | undefined {
    return this.#process?.ask({ remember: text });
  }

  wipeProcess(): Promise<unknown> | undefined {
    return this.#process?.ask({ forget: true });
  }

  async end(): Promise<void> {
    await this.#process?.end();
  }

  /** Takes away what somebody has put on the object itself. */
  sweep(): void {
    for (const key of Reflect.ownKeys(this)) if (!this.#fixed.has(key)) Reflect.deleteProperty(this, key);
  }

  /** What these resources tell of their own accord; a search of their properties alone does not see it. */
  async tell(): Promise<unknown> {
    return [
      this.#private,
      this.#weak.get(this.#keeper),
      this.box.read(),
      this.bound(),
      await this.kept,
      await this.#process?.ask({ recall: true }),
    ];
  }
}

export interface Place {
  readonly leave: (hideouts: Hideouts, secret: string) => unknown;
  readonly clean: (hideouts: Hideouts) => unknown;
  /** What finds it: a walk over properties, an eye for the hidden, or only the question what there is. */
  readonly foundBy: 'walk' | 'eye' | 'question';
}

/** A fresh container each, since a borrower may have written on the old one itself. */
export const PLACES: Readonly<Record<string, Place>> = {
  'a plain field': {
    leave: (hideouts, secret) => (hideouts.plain = secret),
    clean: (hideouts) => (hideouts.plain = ''),
    foundBy: 'walk',
  },
  'a nested object': {
    leave: ({ nested }, secret) => (nested.cupboard.drawer = secret),
    clean: (hideouts) => (hideouts.nested = { cupboard: { drawer: '' } }),
    foundBy: 'walk',
  },
  'an array': {
    leave: ({ list }, secret) => list.push('before', secret),
    clean: (hideouts) => (hideouts.list = []),
    foundBy: 'walk',
  },
  'a value of a Map': {
    leave: ({ mapValues }, secret) => mapValues.set('last', secret),
    clean: (hideouts) => (hideouts.mapValues = new Map()),
    foundBy: 'walk',
  },
  'a key of a Map': {
    leave: ({ mapKeys }, secret) => mapKeys.set(secret, true),
    clean: (hideouts) => (hideouts.mapKeys = new Map()),
    foundBy: 'walk',
  },
  'a Set': {
    leave: ({ set }, secret) => set.add(secret),
    clean: (hideouts) => (hideouts.set = new Set()),
    foundBy: 'walk',
  },
  'a property under a symbol': {
    leave: (hideouts, secret) => (hideouts[SHELF] = secret),
    clean: (hideouts) => (hideouts[SHELF] = ''),
    foundBy: 'walk',
  },
  'the name of a property': {
    leave: ({ names }, secret) => (names[secret] = true),
    clean: (hideouts) => (hideouts.names = {}),
    foundBy: 'walk',
  },
  'the name of a symbol': {
    leave: ({ symbols }, secret) => (symbols[Symbol(secret)] = true),
    clean: (hideouts) => (hideouts.symbols = {}),
    foundBy: 'walk',
  },
  'a property that is not enumerable': {
    leave: (hideouts, secret) => (hideouts.unlisted = secret),
    clean: (hideouts) => (hideouts.unlisted = ''),
    foundBy: 'walk',
  },
  'a property that was added': {
    leave: (hideouts, secret) => Object.assign(hideouts, { addition: { by: secret } }),
    clean: (hideouts) => hideouts.sweep(),
    foundBy: 'walk',
  },
  'the prototype of an object': {
    leave: ({ heir }, secret) => Object.assign(Object.getPrototypeOf(heir) as object, { legacy: secret }),
    clean: (hideouts) => (hideouts.heir = Object.create({ legacy: '' }) as object),
    foundBy: 'walk',
  },
  'the cause of an error': {
    leave: (hideouts, secret) => (hideouts.error = new Error('failed', { cause: new Error(secret) })),
    clean: (hideouts) => (hideouts.error = undefined),
    foundBy: 'walk',
  },
  'a Buffer': {
    leave: ({ buffer }, secret) => buffer.write(secret, 8, 'latin1'),
    clean: (hideouts) => (hideouts.buffer = Buffer.alloc(64)),
    foundBy: 'walk',
  },
  'two bytes a sign in a typed array': {
    leave: ({ wide }, secret) => wide.set(Array.from(secret, (sign) => sign.charCodeAt(0))),
    clean: (hideouts) => (hideouts.wide = new Uint16Array(64)),
    foundBy: 'walk',
  },
  'a #private field': {
    leave: (hideouts, secret) => hideouts.writePrivate(secret),
    clean: (hideouts) => hideouts.writePrivate(''),
    foundBy: 'eye',
  },
  'a variable of a closure': {
    leave: (hideouts, secret) => hideouts.box.write(secret),
    clean: (hideouts) => (hideouts.box = box()),
    foundBy: 'eye',
  },
  'an entry of a WeakMap': {
    leave: (hideouts, secret) => hideouts.writeWeak(secret),
    clean: (hideouts) => hideouts.writeWeak(''),
    foundBy: 'eye',
  },
  'an argument of a bound function': {
    leave: (hideouts, secret) => (hideouts.bound = ((text: string) => text).bind(undefined, secret)),
    clean: (hideouts) => (hideouts.bound = () => ''),
    foundBy: 'eye',
  },
  'the result of a promise': {
    leave: (hideouts, secret) => (hideouts.kept = Promise.resolve(secret)),
    clean: (hideouts) => (hideouts.kept = Promise.resolve('')),
    foundBy: 'eye',
  },
  'a variable of a paused generator': {
    leave: (hideouts, secret) => {
      hideouts.generator = paused(secret);
      hideouts.generator.next();
    },
    clean: (hideouts) => (hideouts.generator = paused('')),
    foundBy: 'eye',
  },
  'the target of a proxy': {
    leave: (hideouts, secret) => (hideouts.screen = screenOf({ behind: secret })),
    clean: (hideouts) => (hideouts.screen = screenOf({})),
    foundBy: 'eye',
  },
  'the memory of a child process': {
    leave: (hideouts, secret) => hideouts.writeProcess(secret),
    clean: (hideouts) => hideouts.wipeProcess(),
    foundBy: 'question',
  },
};

/** Shows nothing of what is behind it. */
function screenOf(target: object): object {
  return new Proxy(target, { get: () => undefined, ownKeys: () => [] });
}

const ALL: readonly (readonly [name: string, place: Place])[] = Object.entries(PLACES);

export async function leaveEverywhere(hideouts: Hideouts, secret: string): Promise<void> {
  for (const [, { leave }] of ALL) {
    const left = leave(hideouts, secret);
    if (left instanceof Promise) await left;
  }
}

/** @param forgotten the place that is not cleaned, to see whether the search finds it. */
export async function cleanAll(hideouts: Hideouts, forgotten?: string): Promise<void> {
  for (const [name, { clean }] of ALL) {
    const cleaned = name === forgotten ? undefined : clean(hideouts);
    if (cleaned instanceof Promise) await cleaned;
  }
}
