/** What users extend: a light object per borrower, with the dear resources of its entry at hand. */

import type { AnyAgentClass, Checked, FrontDesk, PooledArguments } from './agent-class.ts';
import { LiveCall } from './run/call.ts';
import type { Call } from './run/call.ts';
import { InputError, SophiaError } from './errors.ts';
import type { Lease } from './lease.ts';
import { noteUnpooled } from './safety/unpooled.ts';
import { FUNCTION_RULE, checkAcquireOptions, checkArgument, checkRunOptions } from './settings/options.ts';
import type { AcquireOptions, PoolOptions, RunOptions, TryOptions } from './settings/options.ts';
import { describeIssues, pathOf } from './settings/schema.ts';
import type { StandardSchema } from './settings/schema.ts';
import { EventStream } from './run/stream.ts';
import type { AgentStream } from './run/stream.ts';

/** The agent under construction: its base constructor takes these, at once, so that users' constructors need no parameters. */
let nextClass: unknown = undefined;
let nextLease: Lease | undefined = undefined;
let nextConfig: unknown = undefined;

let defaultDesk: (() => FrontDesk) | undefined = undefined;

/** The front desk that `AgentClass.pooled()` goes to; told by its module, which this one must not import. */
export function setDefaultDesk(desk: () => FrontDesk): void {
  defaultDesk = desk;
}

function desk(): FrontDesk {
  return (defaultDesk as () => FrontDesk)();
}

/** The lease behind an agent; `undefined` for one made with `new`, and for anything that is no agent. */
export let leaseOf: (agent: object) => Lease | undefined;

/** Marks our classes across copies of this package, so that a second copy can be named as the fault. */
export const AGENT_BRAND: unique symbol = Symbol.for('sophia.agent');

const NO_OPTIONS: RunOptions = {};

/**
 * An agent as one borrower sees it.
 *
 * @typeParam Config what this borrower asks for; bound to the lease, gone with it.
 * @typeParam Resources the dear part, made by `static create`, reused by later borrowers.
 * @typeParam Input what `run` takes. @typeParam Output what it answers. @typeParam Event what `stream` yields.
 */
export abstract class Agent<Config = void, Resources = undefined, Input = unknown, Output = unknown, Event = unknown> {
  /** The name of the type: each class says its own. Letters, digits, `.`, `_`, `-`; at most 64. */
  static readonly type: string = '';
  /** Settings of the pool; replaced by a subclass, not merged. */
  static readonly pool: PoolOptions = {};

  static {
    leaseOf = (agent) => (#lease in agent ? agent.#lease : undefined);
    Object.defineProperty(this, AGENT_BRAND, { value: true });
  }

  readonly #lease: Lease | undefined;
  /** What this borrower gave to `pooled()`; stays readable after release. */
  readonly config: Config;

  constructor() {
    // Only the agent that was meant: a subclass may build other agents before it calls super().
    const isNext = nextClass === new.target;
    this.#lease = isNext ? nextLease : undefined;
    this.config = (isNext ? nextConfig : undefined) as Config;
    if (isNext) nextClass = undefined;
    else noteUnpooled(new.target as unknown as AnyAgentClass);
  }

  /**
   * Borrows an agent: at once if one is warm, else as soon as one is made or returned, first come first served.
   *
   * @throws SophiaError CONFIG_INVALID, KEY_INVALID, ACQUIRE_ABORTED, CREATE_FAILED, CONSTRUCT_FAILED, POOL_DRAINING, POOL_CLOSED,
   * and at the first use of a class its registration errors.
   * @throws PoolExhaustedError ACQUIRE_TIMEOUT, QUEUE_FULL, POOL_EXHAUSTED, ACQUIRE_SHED, NESTED_DEADLOCK.
   */
  static pooled<Class extends AnyAgentClass>(
    this: Checked<Class>,
    ...args: PooledArguments<Class>
  ): Promise<InstanceType<Class>>;
  static pooled(this: AnyAgentClass, config?: unknown, options?: AcquireOptions): Promise<unknown> {
    return desk().pooled(this, config, options);
  }

  /** Borrows an agent only if one is free now; `undefined` otherwise. Never waits and never creates. */
  static tryPooled<Class extends AnyAgentClass>(
    this: Checked<Class>,
    ...args: PooledArguments<Class, TryOptions>
  ): InstanceType<Class> | undefined;
  static tryPooled(this: AnyAgentClass, config?: unknown, options?: TryOptions): unknown {
    return desk().tryPooled(this, config, options);
  }

  /** Borrows an agent for `work` and gives it back; if `work` throws, the resources count as dirty. */
  static async use<Class extends AnyAgentClass, Result>(
    this: Checked<Class>,
    config: PooledArguments<Class>[0],
    work: (agent: InstanceType<Class>) => Result | Promise<Result>,
    options?: AcquireOptions,
  ): Promise<Result> {
    checkArgument('The work of use', work, FUNCTION_RULE);
    return useAgent((await desk().pooled(this, config, options)) as InstanceType<Class>, work);
  }

  /** The dear part. @throws SophiaError LEASE_RELEASED after release, LEASE_FOREIGN if made with `new`. */
  get resources(): Resources {
    return held(this, this.#lease).resources as Resources;
  }

  /** Aborted when the lease ends. @throws SophiaError LEASE_RELEASED after release. */
  get signal(): AbortSignal {
    return held(this, this.#lease).signal;
  }

  /** The work behind `run` and `stream`. Input is checked before; the call is counted, timed and limited around it. */
  protected execute?(input: Input, call: Call<Event>): Output | Promise<Output>;

  /**
   * Runs the agent once.
   *
   * @throws InputError if the input is refused; RUN_TIMEOUT, RUN_ABORTED, OUTPUT_INVALID, NOT_RUNNABLE, LEASE_RELEASED;
   * and whatever `execute` throws.
   */
  async run(input: Input, options: RunOptions = NO_OPTIONS): Promise<Output> {
    return this.#start(input, options).result;
  }

  /** Runs the agent once and yields what `execute` emits. The lease must live until the stream ends. */
  stream(input: Input, options: RunOptions = NO_OPTIONS): AgentStream<Event, Output> {
    return new EventStream<Event, Output>((emit) => this.#start(input, options, emit));
  }

  /** Gives the agent back. Idempotent; returns at once, cleaning goes on behind the borrower's back. */
  release(): void {
    held(this, this.#lease, false).release();
  }

  /** Gives the agent back and has its resources destroyed, whatever state they are in. */
  discard(): void {
    held(this, this.#lease, false).discard();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  /** Borrows another agent on behalf of this one: from the same front desk, no longer than this one's work may last. */
  protected async pooled<Class extends AnyAgentClass>(
    agentClass: Checked<Class>,
    ...args: PooledArguments<Class>
  ): Promise<InstanceType<Class>> {
    const lease = held(this, this.#lease);
    const [config, options = {}] = args;
    checkAcquireOptions(options);
    const calls = [...(lease.openCalls ?? [])];
    const signals = [calls.length === 1 ? (calls[0] as Call).signal : lease.signal];
    if (options.signal !== undefined) signals.push(options.signal);
    const passedOn: AcquireOptions = {
      ...options,
      tenant: options.tenant ?? lease.tenant,
      signal: signals.length === 1 ? signals[0] : AbortSignal.any(signals),
    };
    return lease.home.desk.pooled(agentClass, config, passedOn, lease) as Promise<InstanceType<Class>>;
  }

  #start(
    input: Input,
    options: RunOptions,
    emit?: (event: Event) => Promise<void> | undefined,
  ): { result: Promise<Output>; abort: (reason: Error) => void } {
    const lease = held(this, this.#lease);
    lease.check('run');
    if (options !== NO_OPTIONS) checkRunOptions(options);
    const agentClass = this.constructor as AnyAgentClass & RunSchemas<Input, Output>;
    if (this.execute === undefined) {
      throw new SophiaError(
        'NOT_RUNNABLE',
        `'${agentClass.type}' agents have no execute() method, so run() and stream() have nothing to do. Define one, or call the class's own methods.`,
      );
    }
    const { home } = lease;
    const call = new LiveCall<Event>(home, options, emit);
    const work = async (): Promise<Output> => {
      const checked = await conforms(agentClass.input, input, refuseInput);
      // Aborted before it began: nothing is touched that would have to be cleaned.
      if (call.reason !== undefined) throw call.reason;
      const output = await this.execute?.(checked, call);
      return conforms(agentClass.output, output as Output, (why) => badOutput(agentClass.type, why));
    };
    return { result: home.follow(lease, call, work), abort: (reason) => call.abort(reason) };
  }
}

interface RunSchemas<Input, Output> {
  readonly input?: StandardSchema<unknown, Input>;
  readonly output?: StandardSchema<unknown, Output>;
}

/** Makes the light object of a borrower. Whatever its constructor throws passes through. */
export function construct(agentClass: AnyAgentClass, lease: Lease, config: unknown): AnyAgentOf {
  // A constructor may borrow another agent before it calls super(): the outer one's turn comes after.
  const outerClass = nextClass;
  const outerLease = nextLease;
  const outerConfig = nextConfig;
  nextClass = agentClass;
  nextLease = lease;
  nextConfig = config;
  try {
    return new agentClass();
  } finally {
    nextClass = outerClass;
    nextLease = outerLease;
    nextConfig = outerConfig;
  }
}

type AnyAgentOf = InstanceType<AnyAgentClass>;

/** Runs `work` with an agent and gives it back; a failure marks the resources as dirty first. */
export async function useAgent<A extends AnyAgentOf, Result>(
  agent: A,
  work: (agent: A) => Result | Promise<Result>,
): Promise<Result> {
  const lease = leaseOf(agent);
  try {
    return await (lease === undefined ? work(agent) : lease.home.within(lease, () => work(agent)));
  } catch (error) {
    lease?.home.noteFailure(lease, error);
    throw error;
  } finally {
    agent.release();
  }
}

function held(agent: object, lease: Lease | undefined, forUse = true): Lease {
  if (lease !== undefined) return lease;
  const type = (agent.constructor as AnyAgentClass).type;
  throw new SophiaError(
    'LEASE_FOREIGN',
    `This '${type}' agent was made with new, so it has ${forUse ? 'no resources and cannot run' : 'no lease to end'}. Borrow it with \`await ${agent.constructor.name}.pooled(config)\`.`,
  );
}

/** The value as the schema gives it back; without a schema, as it came. */
async function conforms<Value>(
  schema: StandardSchema<unknown, Value> | undefined,
  value: Value,
  refuse: (why: string, path: string) => Error,
): Promise<Value> {
  if (schema === undefined) return value;
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const [first] = result.issues;
  throw refuse(describeIssues(result.issues), first === undefined ? '' : pathOf(first));
}

function refuseInput(why: string, path: string): Error {
  const message = `The input was refused: ${why}. Correct it and run again; nothing was run.`;
  return new InputError(message, path === '' ? {} : { field: path });
}

function badOutput(type: string, why: string): Error {
  return new SophiaError(
    'OUTPUT_INVALID',
    `What execute() of '${type}' returned does not match its output schema: ${why}. Correct the agent or its schema.`,
  );
}
