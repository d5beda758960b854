/** Agent classes made to order, and small observers that the suites share. */

import assert from 'node:assert/strict';

import { Agent, AgnoPerformanceOptimizer, SophiaError } from '@sophia-ai/core';
import type {
  AgentHooks,
  AnyAgentClass,
  Call,
  CreateContext,
  ErrorCode,
  EventName,
  Events,
  PoolOptions,
  PoolSnapshot,
  StandardSchema,
} from '@sophia-ai/core';
import { ManualClock, settle } from '@sophia-ai/core/testing';

/** What the pooled classes of these tests hold. */
export interface Thing {
  readonly id: number;
  notes?: string[];
}

export interface Recipe {
  readonly type?: string;
  readonly pool?: PoolOptions;
  readonly create?: (context: CreateContext) => Thing | Promise<Thing>;
  readonly reset?: 'stateless' | ((thing: Thing) => unknown);
  readonly validate?: (thing: Thing) => boolean | Promise<boolean>;
  readonly destroy?: (thing: Thing) => unknown;
  readonly warm?: (thing: Thing) => unknown;
  readonly verify?: (thing: Thing) => boolean | Promise<boolean>;
  readonly key?: (config: never) => object;
  readonly footprint?: (thing: Thing) => number | Promise<number>;
  readonly survives?: (error: unknown) => boolean;
  readonly config?: StandardSchema<unknown, unknown>;
  readonly input?: StandardSchema<unknown, unknown>;
  readonly output?: StandardSchema<unknown, unknown>;
  readonly execute?: (agent: TestAgent, input: unknown, call: Call) => unknown;
  readonly construct?: (agent: TestAgent) => void;
}

/** An agent whose protected side is open to tests. */
export abstract class TestAgent extends Agent<unknown, Thing, unknown, unknown, unknown> {
  scratch = 'own field';

  borrow<Class extends AnyAgentClass>(
    agentClass: Class,
    ...args: [config?: unknown, options?: unknown]
  ): Promise<InstanceType<Class>> {
    return (this.pooled as (...all: unknown[]) => Promise<InstanceType<Class>>)(agentClass, ...args);
  }
}

/** An exclusive class that counts its things from 1 and is stateless, unless the recipe says otherwise. */
export function agentClass(recipe: Recipe = {}) {
  const { type = 'test', pool = {}, execute, construct, ...hooks } = recipe;
  let made = 0;
  class Made extends TestAgent {
    static override readonly type: string = type;
    static override readonly pool: PoolOptions = pool;
    static readonly reset: NonNullable<AgentHooks<unknown, Thing, unknown, unknown>['reset']> = 'stateless';
    static create(_context: CreateContext): Thing | Promise<Thing> {
      made += 1;
      return { id: made };
    }

    constructor() {
      super();
      construct?.(this);
    }

    protected override execute(input: unknown, call: Call): unknown {
      return execute?.(this, input, call);
    }
  }
  Object.assign(Made, hooks);
  return Made;
}

export type MadeClass = ReturnType<typeof agentClass>;

/** What the configs of `keyedClass` say. */
export interface Account {
  readonly account: unknown;
}

/** A class with one key per account, whose things note for which they were made; `made` lists those in order. */
export function keyedClass(recipe: Recipe = {}) {
  const made: unknown[] = [];
  const Keyed = agentClass({
    key: ({ account }: Account) => ({ account }),
    create: ({ key }) => {
      const { account } = key as Account;
      made.push(account);
      return { id: made.length, notes: [String(account)] };
    },
    ...recipe,
  });
  return { Keyed, made };
}

export interface Desk {
  readonly clock: ManualClock;
  readonly optimizer: AgnoPerformanceOptimizer;
}

/** A front desk on a clock turned by hand, with jitter at its longest. */
export function desk(
  options: {
    readonly pools?: Record<string, PoolOptions>;
    readonly random?: () => number;
    readonly strict?: boolean;
  } = {},
): Desk {
  const clock = new ManualClock();
  return { clock, optimizer: new AgnoPerformanceOptimizer({ clock, random: () => 1, ...options }) };
}

/** The snapshot of the only type, or of the one that is named. */
export function snapshotOf(optimizer: AgnoPerformanceOptimizer, type = 'test', windowMs?: number): PoolSnapshot {
  const found = optimizer.snapshot(windowMs).find((snapshot) => snapshot.type === type);
  assert.ok(found, `'${type}' is registered`);
  return found;
}

export interface Watched<T> {
  state: 'pending' | 'resolved' | 'rejected';
  value: T | undefined;
  error: unknown;
  readonly promise: Promise<T>;
}

/** Looks on while a promise settles; never leaves a rejection unhandled. */
export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { state: 'pending', value: undefined, error: undefined, promise };
  promise.then(
    (value) => {
      watched.state = 'resolved';
      watched.value = value;
    },
    (error: unknown) => {
      watched.state = 'rejected';
      watched.error = error;
    },
  );
  return watched;
}

export function valueOf<T>(watched: Watched<T>): T {
  assert.equal(watched.state, 'resolved', `expected a value, got ${watched.state}: ${String(watched.error)}`);
  return watched.value as T;
}

export function codeOf(watched: Watched<unknown>): ErrorCode | string {
  assert.equal(watched.state, 'rejected', `expected a rejection, but it is ${watched.state}`);
  return watched.error instanceof SophiaError ? watched.error.code : String(watched.error);
}

/** A matcher for `assert.throws` and `assert.rejects`: our error class, this code, and these words in the message. */
export function coded(code: ErrorCode, ...words: (string | RegExp)[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof SophiaError, `expected a SophiaError ${code}, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    for (const word of words) {
      if (typeof word === 'string') assert.ok(error.message.includes(word), `'${word}' is not in: ${error.message}`);
      else assert.match(error.message, word);
    }
    return true;
  };
}

/** Everything that is emitted from now on under these names, in order. */
export function record<Name extends EventName>(
  optimizer: AgnoPerformanceOptimizer,
  ...names: Name[]
): { name: Name; payload: Events[Name] }[] {
  const seen: { name: Name; payload: Events[Name] }[] = [];
  for (const name of names) optimizer.on(name, (payload) => void seen.push({ name, payload }));
  return seen;
}

/** An AbortSignal that tells how many listeners it has. */
export function countedSignal(): { controller: AbortController; signal: AbortSignal; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>): void => {
    listeners.add(args[1]);
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
    listeners.delete(args[1]);
    remove(...args);
  };
  return { controller, signal, listeners: () => listeners.size };
}

/** Borrows all at once and lets what is ready settle. */
export async function borrowAll(
  optimizer: AgnoPerformanceOptimizer,
  Class: MadeClass,
  count: number,
): Promise<Watched<TestAgent>[]> {
  const all = Array.from({ length: count }, (_, index) =>
    watch<TestAgent>(optimizer.pooled(Class, undefined, { owner: `b${index}` })),
  );
  await settle();
  return all;
}

/** A Standard Schema by hand: `check` returns the value, or throws an error whose message becomes the issue. */
export function schema<Output = unknown>(
  check: (value: unknown) => Output,
  options: { readonly isAsync?: boolean; readonly path?: readonly PropertyKey[] } = {},
): StandardSchema<unknown, Output> {
  const validate = (value: unknown) => {
    try {
      return { value: check(value) };
    } catch (error) {
      return { issues: [{ message: (error as Error).message, path: options.path ?? [] }] };
    }
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'by-hand',
      validate: options.isAsync === true ? async (value) => validate(value) : validate,
    },
  };
}
