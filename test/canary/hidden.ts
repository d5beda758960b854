/**
 * An eye for what is inside objects but no property of them, through the debugger's protocol in this very process:
 * #private fields, variables of closures, entries of weak collections, results of promises, targets of proxies,
 * arguments of bound functions.
 */

import { Session } from 'node:inspector';
import type { Debugger, Runtime } from 'node:inspector';
import { Agent } from '@sophia-ai/core';
import type { HiddenEye } from './search.ts';

/** How the debugger gets at a value of ours, and hands values of its own to us. */
const DESK = Symbol.for('sophia.canary.desk');
const GROUP = 'canary';

interface Desk {
  asked: unknown;
  handed: readonly unknown[];
}

/** The names of variables and private fields matter to a reader of the path; these would only lead round in circles. */
const NOT_INSIDE = new Set(['[[Prototype]]', '[[FunctionLocation]]', '[[GeneratorLocation]]']);

/** Where nothing is opened: the pool's own books, which no borrower can reach, and the runtime's. */
const NOT_OURS = /^node:|\/packages\/core\/|^$/;
/** Libraries keep things per module for the whole process, not per entry; the heap snapshot looks there. */
const LIBRARY = /\/node_modules\//;

export class Hidden implements Disposable {
  readonly #session = new Session();
  readonly #desk: Desk = { asked: undefined, handed: [] };
  readonly #urlOfScript = new Map<string, string>();
  /** Scripts whose module variables this search has seen. */
  readonly #openedModules = new Set<string>();

  constructor() {
    this.#session.connect();
    Object.defineProperty(globalThis, DESK, { value: this.#desk, configurable: true });
    this.#session.on('Debugger.scriptParsed', ({ params }: { params: Debugger.ScriptParsedEventDataType }) => {
      this.#urlOfScript.set(params.scriptId, params.url);
    });
  }

  /** To be called for each search, as it opens every module again. */
  eye(): HiddenEye {
    this.#openedModules.clear();
    return (value) => this.#inside(value);
  }

  /** Lets go of every object that was looked at. */
  rest(): void {
    this.#desk.asked = undefined;
    this.#desk.handed = [];
    this.#post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
  }

  [Symbol.dispose](): void {
    this.rest();
    this.#session.disconnect();
    Reflect.deleteProperty(globalThis, DESK);
  }

  #inside(value: object): [string, unknown][] {
    const { internalProperties = [], privateProperties = [] } = this.#propertiesOf(value);
    const location = internalProperties.find(({ name }) => name.endsWith('Location]]'))?.value;
    const script = (location?.value as { scriptId?: string } | undefined)?.scriptId;
    const url = script === undefined ? '' : this.#urlOf(script);
    const inside = internalProperties.filter(
      ({ name }) => !NOT_INSIDE.has(name) && (name !== '[[Scopes]]' || !NOT_OURS.test(url)),
    );
    // The lease is where an agent ends and the pool's books begin.
    const fields = privateProperties.filter(({ name }) => !(name === '#lease' && value instanceof Agent));
    return this.#valuesOf([...inside, ...fields]).flatMap(([name, found]): [string, unknown][] =>
      name === '[[Scopes]]'
        ? this.#variables(Array.from(found as ArrayLike<Scope>), script ?? '', url)
        : [[name, found]],
    );
  }

  #urlOf(script: string): string {
    if (!this.#urlOfScript.has(script)) {
      // Told of all scripts at once; a debugger that stays would slow down everything that runs.
      this.#post('Debugger.enable');
      this.#post('Debugger.disable');
    }
    const url = this.#urlOfScript.get(script) ?? '';
    this.#urlOfScript.set(script, url);
    return url;
  }

  #variables(scopes: readonly Scope[], script: string, url: string): [string, unknown][] {
    return scopes.flatMap(({ description, object }): [string, unknown][] => {
      if (description === 'Global') return [];
      if (description === 'Module') {
        if (LIBRARY.test(url) || this.#openedModules.has(script)) return [];
        this.#openedModules.add(script);
      }
      return [[`[${description}]`, object]];
    });
  }

  #propertiesOf(value: object): Properties {
    this.#desk.asked = value;
    const expression = `globalThis[Symbol.for('${DESK.description}')].asked`;
    const { result } = this.#post<Runtime.EvaluateReturnType>('Runtime.evaluate', { expression, objectGroup: GROUP });
    return this.#post('Runtime.getProperties', {
      objectId: result.objectId,
      ownProperties: true,
      generatePreview: false,
      nonIndexedPropertiesOnly: true,
    });
  }

  /** Texts come with the answer; objects are handed over by the debugger's calling us with them. */
  #valuesOf(found: readonly { name: string; value?: Runtime.RemoteObject | undefined }[]): [string, unknown][] {
    const texts = found.flatMap(({ name, value }): [string, unknown][] =>
      typeof value?.value === 'string' ? [[name, value.value]] : [],
    );
    const objects = found.filter(({ value }) => value?.objectId !== undefined);
    if (objects.length === 0) return texts;
    this.#post('Runtime.callFunctionOn', {
      functionDeclaration: `function (...values) { globalThis[Symbol.for('${DESK.description}')].handed = values; }`,
      objectId: objects[0]?.value?.objectId,
      arguments: objects.map(({ value }) => ({ objectId: value?.objectId })),
    });
    return [...texts, ...objects.map(({ name }, index): [string, unknown] => [name, this.#desk.handed[index]])];
  }

  #post<Answer>(method: string, parameters: object = {}): Answer {
    let failure: Error | null = null;
    let answer: unknown;
    this.#session.post(method, parameters, (error, result) => {
      failure = error;
      answer = result;
    });
    if (failure !== null) throw new Error(`${method} failed: ${JSON.stringify(failure)}`);
    return answer as Answer;
  }
}

/** The types of Node do not know of private fields yet. */
interface Properties extends Runtime.GetPropertiesReturnType {
  readonly privateProperties?: readonly { readonly name: string; readonly value?: Runtime.RemoteObject }[];
}

interface Scope {
  readonly description: string;
  readonly object: object;
}
