/** Calls the static hooks of an agent class: in the pool's own async context, each with its time limit. */

import type { AgentHooks, AnyAgentClass, CreateContext } from './agent-class.ts';
import type { Deadlines } from './deadlines.ts';
import { SophiaError } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import type { HomeContext } from './home-context.ts';
import type { ResolvedPoolOptions } from './options.ts';

export type AnyHooks = AgentHooks<unknown, unknown, unknown, unknown>;

export class Hooks {
  readonly #class: AnyAgentClass & AnyHooks;
  readonly #options: ResolvedPoolOptions;
  readonly #home: HomeContext;
  readonly #deadlines: Deadlines;
  /** A returned entry may serve the next borrower as it is. */
  readonly stateless: boolean;
  readonly validates: boolean;
  readonly warms: boolean;

  constructor(agentClass: AnyAgentClass, options: ResolvedPoolOptions, home: HomeContext, deadlines: Deadlines) {
    this.#class = agentClass;
    this.#options = options;
    this.#home = home;
    this.#deadlines = deadlines;
    this.stateless = typeof this.#class.reset !== 'function';
    this.validates = this.#class.validate !== undefined;
    this.warms = this.#class.warm !== undefined;
  }

  /** Not limited here: a creation may succeed after its time-out, and its resources must not be lost then. */
  create(context: CreateContext): Promise<unknown> {
    return new Promise((resolve) => {
      this.#home.run(() => resolve(new Promise((made) => made(this.#class.create?.(context)))));
    });
  }

  warm(resources: unknown): Promise<unknown> {
    return this.#limited('warm', this.#options.createTimeoutMs, 'WARM_TIMEOUT', () => this.#class.warm?.(resources));
  }

  reset(resources: unknown): Promise<unknown> {
    return this.#limited('reset', this.#options.resetTimeoutMs, 'RESET_TIMEOUT', async () => {
      const { reset } = this.#class;
      const isClean = typeof reset === 'function' ? await reset.call(this.#class, resources) : undefined;
      if (isClean === false) throw new Error('static reset answered false');
    });
  }

  validate(resources: unknown): Promise<unknown> {
    return this.#limited('validate', this.#options.validateTimeoutMs, 'VALIDATE_TIMEOUT', async () => {
      const isHealthy = await this.#class.validate?.(resources);
      if (isHealthy === false) throw new Error('static validate answered false');
    });
  }

  destroy(resources: unknown): Promise<unknown> {
    return this.#limited('destroy', this.#options.destroyTimeoutMs, 'DESTROY_TIMEOUT', () =>
      this.#class.destroy?.(resources),
    );
  }

  /** Whether the class vouches that `error` left the resources clean. A throwing `survives` vouches for nothing. */
  survives(error: unknown): boolean {
    try {
      return this.#class.survives?.(error) === true;
    } catch {
      return false;
    }
  }

  #limited(hook: string, limitMs: number, code: ErrorCode, start: () => unknown): Promise<unknown> {
    const late = (): SophiaError =>
      new SophiaError(
        code,
        `static ${hook} of '${this.#class.type}' did not settle within ${limitMs} ms. Make it faster, or raise ${hook === 'warm' ? 'create' : hook}TimeoutMs.`,
      );
    return new Promise((resolve) => {
      this.#home.run(() => resolve(this.#deadlines.within(limitMs, start, late)));
    });
  }
}
