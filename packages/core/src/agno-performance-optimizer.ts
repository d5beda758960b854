/** The front desk: it owns the pools of a process, one per agent type, and is where agents are asked for. */

import { leaseOf, setDefaultDesk, useAgent } from './agent.ts';
import type { AnyAgent, AnyAgentClass, Checked, FrontDesk, PooledArguments } from './agent-class.ts';
import { systemClock } from './base/clock.ts';
import type { Clock } from './base/clock.ts';
import { Deadlines } from './base/deadlines.ts';
import { SophiaError, shown } from './errors.ts';
import { EVENT_NAMES, Emitter } from './events.ts';
import type { EventName, Events } from './events.ts';
import { HomeContext } from './base/home-context.ts';
import type { House, Nesting } from './house.ts';
import type { Lease } from './lease.ts';
import {
  ARGUMENT_CODES,
  FUNCTION_RULE,
  checkArgument,
  checkOptions,
  integer,
  milliseconds,
  oneOf,
  resolvePoolOptions,
} from './settings/options.ts';
import type { AcquireOptions, PoolOptions, Reuse, Rule, TryOptions } from './settings/options.ts';
import { checkedSettings, ofType, parsedSettings, readEnvironment } from './settings/layers.ts';
import { Pool } from './pool.ts';
import type { CloseReport, DrainReport } from './pool-life.ts';
import { prewarmPool } from './upkeep/prewarm.ts';
import type { PrewarmOptions, PrewarmReport } from './upkeep/prewarm.ts';
import { checkAgentClass, checkFit, checkReset } from './settings/registration.ts';
import type { RenewOptions, RenewReport } from './upkeep/renewal.ts';
import type { Suspect } from './safety/suspects.ts';
import { rehearse } from './upkeep/rehearsal.ts';
import { DEFAULT_WINDOW_MS } from './measure/stats.ts';
import type { MemoryFigures, PoolSnapshot } from './measure/stats.ts';

/** Agents leased at once per type, unless the class, the optimizer's `pools` or `resize()` say otherwise. */
export const DEFAULT_POOL_MAX = 10;

export interface OptimizerOptions {
  /** Settings per type, stronger than those of the class; what `sophia.config` says. */
  readonly pools?: Readonly<Record<string, PoolOptions>>;
  /** The environment variable SOPHIA_POOLS, JSON of the same shape as `pools` and stronger. Default: the process's own. */
  readonly environment?: string | undefined;
  /**
   * Checks more, as in tests: where a class verifies, every return is, and exclusive resources are guarded unless their class says
   * `guard: 'none'`. Default: whether NODE_ENV is `test`.
   */
  readonly strict?: boolean;
  /** Replaces the system's clock and timers, for tests. */
  readonly clock?: Clock;
  /** Replaces `Math.random` for jitter, for tests. */
  readonly random?: () => number;
}

const OBJECT: Rule = {
  allows: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  describe: 'an object',
};
const CLOCK: Rule = {
  allows: (value) =>
    OBJECT.allows(value) &&
    ['now', 'wallTime', 'startTimer'].every((name) => FUNCTION_RULE.allows((value as Record<string, unknown>)[name])),
  describe: 'an object with now(), wallTime() and startTimer()',
};
const TEXT: Rule = { allows: (value) => typeof value === 'string', describe: 'text' };
const OPTION_RULES: Record<keyof OptimizerOptions, Rule> = {
  pools: OBJECT,
  environment: TEXT,
  strict: { allows: (value) => typeof value === 'boolean', describe: 'true or false' },
  clock: CLOCK,
  random: FUNCTION_RULE,
};
const TIMEOUT_RULES: Record<'timeoutMs', Rule> = { timeoutMs: milliseconds(0) };
/** Window lengths that a reader may ask for; `Infinity` means since start. */
const WINDOW_RULE: Rule = {
  allows: (value) => value === Number.POSITIVE_INFINITY || integer(1, 3_600_000).allows(value),
  describe: 'whole milliseconds from 1 to 3,600,000 (1 h), or Infinity for everything since start',
};

const EVENT_RULE = oneOf(...EVENT_NAMES);

const DEFAULT_DRAIN_MS = 25_000;
const DEFAULT_CLOSE_MS = 10_000;

/** For `trackNesting` of `@sophia-ai/core/node`: how a front desk learns in which lease's run some code runs. */
export let setNesting: (optimizer: AgnoPerformanceOptimizer, nesting: Nesting | undefined) => void;

export class AgnoPerformanceOptimizer {
  static #default: AgnoPerformanceOptimizer | undefined = undefined;
  static readonly #homeAtLoad = new HomeContext();

  readonly #config: Readonly<Record<string, PoolOptions>>;
  readonly #environment: Readonly<Record<string, PoolOptions>>;
  readonly #byClass = new Map<AnyAgentClass, Pool>();
  readonly #byType = new Map<string, Pool>();
  readonly #house: House;
  #closing: Promise<CloseReport[]> | undefined = undefined;
  #isDraining = false;
  /** One element per prewarming under way. */
  readonly #prewarming: Pool[] = [];
  readonly #readyChecks = new Set<() => void>();
  /** The untyped counter behind the typed one: what agents and `AgentClass.pooled()` ask. */
  readonly #desk: FrontDesk = {
    pooled: (agentClass, config, options, within) => this.#lend(agentClass, config, options, within),
    tryPooled: (agentClass, config, options) => this.#pool(agentClass).tryPooled(config, options),
  };

  static {
    setDefaultDesk(() => AgnoPerformanceOptimizer.default.#desk);
    setNesting = (optimizer, nesting) => {
      optimizer.#house.nesting = nesting;
    };
  }

  /** @throws SophiaError OPTION_UNKNOWN, OPTION_INVALID */
  constructor(options: OptimizerOptions = {}) {
    checkOptions('The options of AgnoPerformanceOptimizer', options, OPTION_RULES);
    const { pools = {}, clock = systemClock, random = Math.random } = options;
    const { environment = readEnvironment('SOPHIA_POOLS'), strict = readEnvironment('NODE_ENV') === 'test' } = options;
    this.#config = checkedSettings(pools, 'pools, or sophia.config');
    this.#environment = checkedSettings(parsedSettings(environment), 'SOPHIA_POOLS');
    // Looked up at each call: the default front desk gets another home right after it was made.
    const atHome = (task: () => void): void => this.#house.home.run(task);
    this.#house = {
      desk: this.#desk,
      clock,
      random,
      deadlines: new Deadlines(clock, true, atHome),
      background: new Deadlines(clock, false, atHome),
      home: new HomeContext(),
      nesting: undefined,
      isStrict: strict,
      events: new Emitter(),
    };
  }

  /** The one that `AgentClass.pooled()` goes to. Making another leaves it as it is. */
  static get default(): AgnoPerformanceOptimizer {
    if (AgnoPerformanceOptimizer.#default === undefined) {
      AgnoPerformanceOptimizer.#default = new AgnoPerformanceOptimizer();
      // Whoever borrows first makes it; their async context must not become that of everyone's hooks.
      AgnoPerformanceOptimizer.#default.#house.home = AgnoPerformanceOptimizer.#homeAtLoad;
    }
    return AgnoPerformanceOptimizer.#default;
  }

  /**
   * Gives a class its pool, unless it has one. The first `pooled()` does so too; registering at start shows
   * mistakes early and lists the type before its first use.
   *
   * @throws SophiaError ARGUMENT_INVALID, DUPLICATE_CORE, TYPE_INHERITED, TYPE_INVALID, TYPE_TAKEN, HOOK_INVALID,
   * RESET_MISSING, OPTION_UNKNOWN, OPTION_INVALID, POOL_CLOSED
   */
  register<Class extends AnyAgentClass>(agentClass: Checked<Class>): void {
    this.#pool(agentClass);
  }

  /** As `AgentClass.pooled(config, options)`, from this front desk. */
  pooled<Class extends AnyAgentClass>(
    agentClass: Checked<Class>,
    ...args: PooledArguments<Class>
  ): Promise<InstanceType<Class>>;
  pooled(agentClass: AnyAgentClass, config?: unknown, options?: AcquireOptions): Promise<AnyAgent> {
    return this.#lend(agentClass, config, options);
  }

  /** As `AgentClass.tryPooled(config, options)`, from this front desk. */
  tryPooled<Class extends AnyAgentClass>(
    agentClass: Checked<Class>,
    ...args: PooledArguments<Class, TryOptions>
  ): InstanceType<Class> | undefined;
  tryPooled(agentClass: AnyAgentClass, config?: unknown, options?: TryOptions): unknown {
    return this.#pool(agentClass).tryPooled(config, options);
  }

  /** As `AgentClass.use(config, work, options)`, from this front desk. */
  async use<Class extends AnyAgentClass, Result>(
    agentClass: Checked<Class>,
    config: PooledArguments<Class>[0],
    work: (agent: InstanceType<Class>) => Result | Promise<Result>,
    options?: AcquireOptions,
  ): Promise<Result> {
    checkArgument('The work of use', work, FUNCTION_RULE);
    return useAgent((await this.#lend(agentClass, config, options)) as InstanceType<Class>, work);
  }

  /** Not async: on the way of every hit, a second promise would cost as much as the rest. */
  #lend(agentClass: AnyAgentClass, config: unknown, options?: AcquireOptions, within?: Lease): Promise<AnyAgent> {
    try {
      return this.#pool(agentClass).pooled(config, options, within);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #pool(agentClass: AnyAgentClass): Pool {
    return this.#byClass.get(agentClass) ?? this.#open(agentClass);
  }

  /**
   * Gives back an agent that this front desk handed out; the same as `agent.release()`.
   * @throws SophiaError LEASE_FOREIGN for anything else, which is left untouched.
   */
  release(agent: AnyAgent): void {
    const lease = typeof agent === 'object' && agent !== null ? leaseOf(agent) : undefined;
    if (lease === undefined || lease.home.desk !== this.#desk) {
      throw new SophiaError(
        'LEASE_FOREIGN',
        `${shown(agent)} was to be released here, but this optimizer did not hand it out. Call release() on the agent itself, or on the optimizer that it came from.`,
      );
    }
    lease.release();
  }

  /**
   * Creates entries before they are needed and runs each dry; the first prewarming of a process rehearses the hand-out
   * too. One failed entry does not stop the others.
   * @throws SophiaError ARGUMENT_INVALID, and the registration errors.
   */
  async prewarm<Class extends AnyAgentClass>(
    agentClass: Checked<Class>,
    options: PrewarmOptions = {},
  ): Promise<PrewarmReport> {
    return this.#prewarm(this.#pool(agentClass), options);
  }

  /**
   * Prewarms every registered type, one after the other, so that their start-up work does not compete. Types with keys
   * are left out: nobody knows for which keys.
   */
  async prewarmAll(options: PrewarmOptions = {}): Promise<PrewarmReport[]> {
    const reports: PrewarmReport[] = [];
    for (const pool of this.#byType.values()) {
      if (!pool.stock.shelves.isKeyed) reports.push(await this.#prewarm(pool, options));
    }
    return reports;
  }

  async #prewarm(pool: Pool, options: PrewarmOptions): Promise<PrewarmReport> {
    this.#prewarming.push(pool);
    try {
      const report = await prewarmPool(pool, options);
      await rehearse(this.#house);
      return report;
    } finally {
      this.#prewarming.splice(this.#prewarming.indexOf(pool), 1);
      this.#recheckReady();
    }
  }

  /** Types that keep this process from being ready: still prewarming or without a single entry. Empty means ready. */
  notReady(): string[] {
    const isReady = (pool: Pool): boolean =>
      pool.state === 'running' && pool.stock.isWarm && !this.#prewarming.includes(pool);
    return [...this.#byType.values()].filter((pool) => !isReady(pool)).map(({ type }) => type);
  }

  /**
   * Resolves once every registered type has an entry and no prewarming is under way.
   * @throws SophiaError POOL_DRAINING, POOL_CLOSED: it never will be ready again.
   */
  async whenReady(): Promise<void> {
    for (;;) {
      this.#checkOpen();
      if (this.notReady().length === 0) return;
      await new Promise<void>((resolve) => {
        const offs = [this.on('agent.created', wake), this.on('pool.resumed', wake)];
        const readyChecks = this.#readyChecks;
        readyChecks.add(wake);
        function wake(): void {
          for (const off of offs) off();
          readyChecks.delete(wake);
          // The entry is admitted after the event that tells of it.
          queueMicrotask(() => queueMicrotask(resolve));
        }
      });
    }
  }

  #recheckReady(): void {
    for (const check of this.#readyChecks) check();
  }

  /** Changes `max` of a type while it runs. @throws SophiaError TYPE_UNKNOWN, ARGUMENT_INVALID, POOL_CLOSED */
  resize(type: string | AnyAgentClass, max: number): void {
    this.#named(type).resize(max);
  }

  /**
   * Hands out no agents of a type until `resume()`: borrowers wait, up to their deadlines; leases go on.
   * @throws SophiaError TYPE_UNKNOWN, POOL_DRAINING, POOL_CLOSED
   */
  suspend(type: string | AnyAgentClass): void {
    this.#named(type).life.suspend();
  }

  /** Ends a suspension; those who wait are served at once. @throws SophiaError TYPE_UNKNOWN */
  resume(type: string | AnyAgentClass): void {
    this.#named(type).life.resume();
  }

  /**
   * Replaces every entry of a type by a new one, a few at a time, while it serves: after a change of credentials, say.
   * @throws SophiaError TYPE_UNKNOWN, ARGUMENT_INVALID, POOL_DRAINING, POOL_CLOSED
   */
  async renew(type: string | AnyAgentClass, options: RenewOptions = {}): Promise<RenewReport> {
    return this.#named(type).life.renew(options);
  }

  /**
   * Ends a lease by force (`holders` of a snapshot tell its id): its agent throws from then on, its entry is destroyed.
   * @returns whether there was such a lease. @throws SophiaError TYPE_UNKNOWN
   */
  revoke(type: string | AnyAgentClass, leaseId: number): boolean {
    return this.#named(type).revoke(leaseId, 'operator');
  }

  /** Entries kept for a look (`keepSuspects`), with their resources as they were left. @throws SophiaError TYPE_UNKNOWN */
  suspects(type: string | AnyAgentClass): Suspect[] {
    return this.#named(type).stock.suspects.list();
  }

  /** Takes no new borrowers, serves those in the queue, waits for leases to end; says who still holds one. */
  async drain(options: { readonly timeoutMs?: number } = {}): Promise<DrainReport[]> {
    checkOptions('The options of drain', options, TIMEOUT_RULES, ARGUMENT_CODES);
    const { timeoutMs = DEFAULT_DRAIN_MS } = options;
    this.#isDraining = true;
    const drained = Promise.all([...this.#byType.values()].map((pool) => pool.life.drain(timeoutMs)));
    this.#recheckReady();
    return drained;
  }

  /** Ends every pool: waiters are refused at once, leases get `timeoutMs` to end, then are revoked. Idempotent. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<CloseReport[]> {
    checkOptions('The options of close', options, TIMEOUT_RULES, ARGUMENT_CODES);
    const { timeoutMs = DEFAULT_CLOSE_MS } = options;
    this.#closing ??= this.#close(timeoutMs);
    this.#recheckReady();
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<CloseReport[]> {
    const reports = await Promise.all([...this.#byType.values()].map((pool) => pool.life.close(timeoutMs)));
    this.#house.deadlines.close();
    this.#house.background.close();
    return reports;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Registered classes, in the order of their registration. */
  classes(): AnyAgentClass[] {
    return [...this.#byClass.keys()];
  }

  /**
   * What is known of every registered type now.
   * @param windowMs how far back averages and percentiles look; default 5 minutes, `Infinity` for since start.
   * @throws SophiaError ARGUMENT_INVALID
   */
  snapshot(windowMs: number = DEFAULT_WINDOW_MS): PoolSnapshot[] {
    checkArgument('The window of a snapshot', windowMs, WINDOW_RULE);
    return [...this.#byType.values()].map((pool) => pool.snapshot(windowMs));
  }

  /** Subscribes to an event. @returns a function that ends the subscription. @throws SophiaError ARGUMENT_INVALID */
  on<Name extends EventName>(name: Name, listener: (payload: Events[Name]) => void): () => void {
    checkArgument('The name of an event', name, EVENT_RULE);
    checkArgument('The listener of an event', listener, FUNCTION_RULE);
    return this.#house.events.on(name, listener);
  }

  /** How a registered type serves borrowers. @throws SophiaError TYPE_UNKNOWN */
  reuseOf(type: string | AnyAgentClass): Reuse {
    return this.#named(type).reuse;
  }

  /** Keeps the result of a memory measurement (see `@sophia-ai/core/node`) for snapshots. @throws SophiaError TYPE_UNKNOWN */
  setMemory(type: string | AnyAgentClass, figures: MemoryFigures): void {
    this.#named(type).memory = figures;
  }

  #open(agentClass: AnyAgentClass): Pool {
    checkAgentClass(agentClass);
    const { type } = agentClass;
    const holder = this.#byType.get(type);
    if (holder !== undefined) {
      throw new SophiaError(
        'TYPE_TAKEN',
        `Class ${agentClass.name} has the type '${type}', which class ${holder.agentClass.name} already has. Give each class a type of its own.`,
      );
    }
    const settings = resolvePoolOptions(type, {
      default: { max: DEFAULT_POOL_MAX },
      class: agentClass.pool,
      'sophia.config': ofType(this.#config, type),
      environment: ofType(this.#environment, type),
    });
    checkReset(agentClass, settings.options.reuse);
    checkFit(agentClass, settings.options);
    this.#checkOpen();
    const pool = new Pool(agentClass, settings, this.#house);
    this.#byClass.set(agentClass, pool);
    this.#byType.set(type, pool);
    this.#house.events.emit('pool.registered', { type });
    return pool;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new SophiaError(
        'POOL_CLOSED',
        'This optimizer is closed and serves no more agents. Make a new AgnoPerformanceOptimizer.',
      );
    }
    if (this.#isDraining) {
      throw new SophiaError(
        'POOL_DRAINING',
        'This optimizer is draining and takes no new borrowers. Send new work to another process.',
      );
    }
  }

  #named(type: string | AnyAgentClass): Pool {
    const pool = typeof type === 'string' ? this.#byType.get(type) : this.#byClass.get(type);
    if (pool !== undefined) return pool;
    const known = [...this.#byType.keys()].join(', ') || 'none';
    const asked = typeof type === 'function' ? `class ${type.name}` : shown(type);
    throw new SophiaError('TYPE_UNKNOWN', `No agent class is registered as ${asked}. Registered types: ${known}.`);
  }
}
