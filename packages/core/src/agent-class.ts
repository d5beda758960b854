/** The contract of an agent class: what its static side may say, and how its type parameters are read. */

import type { Agent } from './agent.ts';
import type { Lease } from './lease.ts';
import type { AcquireOptions, PoolOptions, TryOptions } from './settings/options.ts';
import type { StandardSchema } from './settings/schema.ts';

/** What `static create` receives. @typeParam Key what `static key` returns. */
export interface CreateContext<Key = unknown> {
  /** The part of the config that these resources depend on; `undefined` for a class without `static key`. */
  readonly key: Key;
  /** Aborted when `createTimeoutMs` is over or the pool closes; pass it on to whatever you open. */
  readonly signal: AbortSignal;
  /**
   * Says that these resources are of no more use, for example because their process ended: an idle entry is destroyed
   * and replaced at once, a leased one when its lease ends.
   */
  readonly retire: (reason: string) => void;
  /** Reports progress or trouble as the event `agent.log`. Never pass secrets. */
  readonly log: (message: string, fields?: object) => void;
}

/** An example of a run, shown to people and machines, and executed by tests. */
export interface RunExample<Input> {
  readonly input: Input;
  readonly description?: string;
}

/**
 * The static members of an agent class. All are optional but `create` (where resources are not `undefined`)
 * and `reset` (where `reuse` is `'exclusive'`). Hooks run in the pool's async context, never in a borrower's.
 */
export interface AgentHooks<Config, Resources, Input, Output> {
  /** Makes the dear part, once per entry. May take seconds. */
  // oxlint-disable-next-line typescript/no-explicit-any -- its type is that of `key`, see Checked
  readonly create?: (context: CreateContext<any>) => Resources | Promise<Resources>;
  /**
   * The fields of the config that creation depends on (credentials, a tenant), as a plain object. Borrowers with the same
   * key share entries; the object reaches `create` and nothing else, never a log, a label or a metric.
   */
  readonly key?: (config: Config) => object;
  /**
   * Cleans the resources between two borrowers; `false`, a throw or a rejection destroys the entry. `'stateless'` says
   * that a borrower can leave nothing behind (declare it `static readonly`).
   */
  readonly reset?: 'stateless' | ((resources: Resources) => void | boolean | Promise<void | boolean>);
  /** Whether the resources are clean after `reset`; `false`, a throw or a rejection destroys the entry. */
  readonly verify?: (resources: Resources) => boolean | Promise<boolean>;
  /** Whether an idle entry is still healthy; `false`, a throw or a rejection destroys it. */
  readonly validate?: (resources: Resources) => boolean | Promise<boolean>;
  /** Ends the resources; called once for each that was created. */
  readonly destroy?: (resources: Resources) => unknown;
  /** A dry run at prewarming, so that the first borrower does not pay for lazy work. */
  readonly warm?: (resources: Resources) => unknown;
  /** Whether the resources are still clean after a run failed with `error`. */
  readonly survives?: (error: unknown) => boolean;
  /** Bytes that these resources hold outside this thread's heap (worker threads, native code). */
  readonly footprint?: (resources: Resources) => number | Promise<number>;
  /** Checks the config, once per config object; must answer synchronously. */
  readonly config?: StandardSchema<unknown, Config>;
  readonly input?: StandardSchema<unknown, Input>;
  readonly output?: StandardSchema<unknown, Output>;
  readonly description?: string;
  readonly examples?: readonly RunExample<Input>[];
}

// oxlint-disable-next-line typescript/no-explicit-any -- any agent whatever, as a bound of type parameters
export type AnyAgent = Agent<any, any, any, any, any>;

/** An agent class of any config, resources, input and output. */
export interface AnyAgentClass {
  // oxlint-disable-next-line typescript/no-explicit-any -- users may narrow the constructor
  new (...args: any[]): AnyAgent;
  readonly type: string;
  readonly pool: PoolOptions;
}

type Parts<Class extends AnyAgentClass> =
  InstanceType<Class> extends Agent<infer Config, infer Resources, infer Input, infer Output, infer _Event>
    ? { config: Config; resources: Resources; input: Input; output: Output }
    : never;

export type ConfigOf<Class extends AnyAgentClass> = Parts<Class>['config'];
export type ResourcesOf<Class extends AnyAgentClass> = Parts<Class>['resources'];
export type InputOf<Class extends AnyAgentClass> = Parts<Class>['input'];
export type OutputOf<Class extends AnyAgentClass> = Parts<Class>['output'];

type Hooks<P extends { config: unknown; resources: unknown; input: unknown; output: unknown }> = AgentHooks<
  P['config'],
  P['resources'],
  P['input'],
  P['output']
> &
  // A class that promises resources must say how they are made.
  // oxlint-disable-next-line typescript/no-explicit-any -- narrowed by TakesKey
  (undefined extends P['resources'] ? unknown : { readonly create: (context: CreateContext<any>) => unknown });

/** `create` must take the key that `key` returns. */
type TakesKey<Class> = Class extends { readonly key: (config: never) => infer Key }
  ? { readonly create: (context: CreateContext<Key>) => unknown }
  : unknown;

/** The class itself, with its static side checked against its type parameters. */
export type Checked<Class extends AnyAgentClass> = Class & Hooks<Parts<Class>> & TakesKey<Class>;

/** The config may be left out where its type allows `undefined` or `void`. */
export type PooledArguments<Class extends AnyAgentClass, Options = AcquireOptions> =
  undefined extends ConfigOf<Class>
    ? [config?: ConfigOf<Class>, options?: Options]
    : void extends ConfigOf<Class>
      ? [config?: ConfigOf<Class> | undefined, options?: Options]
      : [config: ConfigOf<Class>, options?: Options];

/** What `Agent` needs of the front desk. */
export interface FrontDesk {
  /** @param within the lease in whose run the borrower asks. */
  pooled(agentClass: AnyAgentClass, config: unknown, options?: AcquireOptions, within?: Lease): Promise<AnyAgent>;
  tryPooled(agentClass: AnyAgentClass, config: unknown, options?: TryOptions): AnyAgent | undefined;
}
