/** The door @sophia-ai/core/testing: a clock turned by hand, a factory with a gate, an agent without a pool. */

import type { AnyAgentClass, Checked, ConfigOf, ResourcesOf } from './agent-class.ts';
import { AgnoPerformanceOptimizer } from './agno-performance-optimizer.ts';
import type { Clock, Timer } from './base/clock.ts';
import type { PoolOptions } from './settings/options.ts';

interface ManualTimer {
  dueMs: number;
  callback: () => void;
  keepsAlive: boolean;
}

/** A clock that stands still until `advance` is called. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<ManualTimer>();

  now(): number {
    return this.#nowMs;
  }

  wallTime(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs;
  }

  startTimer(callback: () => void, delayMs: number): Timer {
    const timer: ManualTimer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback, keepsAlive: false };
    this.#timers.add(timer);
    return {
      cancel: () => void this.#timers.delete(timer),
      hold: (keepAlive) => {
        timer.keepsAlive = keepAlive;
      },
    };
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Timers that would keep a process alive. */
  get holding(): number {
    return [...this.#timers].filter(({ keepsAlive }) => keepsAlive).length;
  }

  /** Lets `ms` pass: fires the timers that fall due, in order, and lets the promises behind each settle. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.callback();
      await settle();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): ManualTimer | undefined {
    let next: ManualTimer | undefined = undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}

/** Resolves after the promises that are ready now, and those they make ready, have run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** A `static create` and `static destroy` whose every creation waits until the test lets it go. */
export class GatedFactory<Resources> {
  readonly #make: (index: number) => Resources;
  readonly #waiting: PromiseWithResolvers<Resources>[] = [];
  /** Creations that were asked for. */
  started = 0;
  /** What was created, in order of completion. */
  readonly created: Resources[] = [];
  readonly destroyed: Resources[] = [];

  constructor(make: (index: number) => Resources) {
    this.#make = make;
  }

  /** Creations that wait at the gate. */
  get waiting(): number {
    return this.#waiting.length;
  }

  readonly create = (): Promise<Resources> => {
    this.started += 1;
    const gate = Promise.withResolvers<Resources>();
    this.#waiting.push(gate);
    return gate.promise;
  };

  readonly destroy = (resources: Resources): void => {
    this.destroyed.push(resources);
  };

  /** Lets the creation that waits longest succeed. */
  async open(): Promise<void> {
    const resources = this.#make(this.created.length);
    this.created.push(resources);
    this.#take().resolve(resources);
    await settle();
  }

  /** Lets the creation that waits longest fail. */
  async fail(error: Error): Promise<void> {
    this.#take().reject(error);
    await settle();
  }

  #take(): PromiseWithResolvers<Resources> {
    const gate = this.#waiting.shift();
    if (gate === undefined) throw new Error('No creation waits at the gate. Ask for an agent first.');
    return gate;
  }
}

/**
 * An agent with the resources that a test gives it: `static create` is not called, everything else is real.
 * Release it as any other.
 */
export async function lease<Class extends AnyAgentClass>(
  agentClass: Checked<Class>,
  given: { readonly config: ConfigOf<Class>; readonly resources: ResourcesOf<Class> },
): Promise<InstanceType<Class>> {
  const Base: AnyAgentClass = agentClass;
  class Leased extends Base {
    static override readonly type: string = agentClass.type;
    static override readonly pool: PoolOptions = { reuse: 'single-use' };
    static readonly create = (): unknown => given.resources;
    static readonly destroy = (): void => undefined;
  }
  const optimizer = new AgnoPerformanceOptimizer();
  const agent = await optimizer.pooled<AnyAgentClass>(Leased, given.config);
  optimizer.on('agent.destroyed', () => void optimizer.close());
  return agent as InstanceType<Class>;
}
