/** Calls the static hooks of an agent class: in the pool's own async context, each with its time limit. */

import type { AgentHooks, AnyAgentClass, CreateContext } from './agent-class.ts';
import type { Deadlines } from './base/deadlines.ts';
import { SophiaError } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import type { HomeContext } from './base/home-context.ts';
import { ConfigKeys } from './settings/config-keys.ts';
import type { ResolvedPoolOptions } from './settings/options.ts';

export type AnyHooks = AgentHooks<unknown, unknown, unknown, unknown>;

const TIMEOUT_OF = {
  warm: 'createTimeoutMs',
  reset: 'resetTimeoutMs',
  verify: 'resetTimeoutMs',
  footprint: 'resetTimeoutMs',
  validate: 'validateTimeoutMs',
  destroy: 'destroyTimeoutMs',
} as const;
type LimitedHook = keyof typeof TIMEOUT_OF;

export class Hooks {
  readonly #class: AnyAgentClass & AnyHooks;
  readonly #options: ResolvedPoolOptions;
  readonly #home: HomeContext;
  readonly #deadlines: Deadlines;
  /** A returned entry may serve the next borrower as it is. */
  readonly stateless: boolean;
  readonly validates: boolean;
  readonly warms: boolean;
  /** Reads the key of a config, where the class has keys. */
  readonly keyReader: ConfigKeys | undefined;
  readonly isShared: boolean;
  /** The class has a look of its own at the cleanliness of its resources. */
  readonly verifies: boolean;

  constructor(agentClass: AnyAgentClass, options: ResolvedPoolOptions, home: HomeContext, deadlines: Deadlines) {
    this.#class = agentClass;
    this.#options = options;
    this.#home = home;
    this.#deadlines = deadlines;
    this.stateless = typeof this.#class.reset !== 'function';
    this.validates = this.#class.validate !== undefined;
    this.warms = this.#class.warm !== undefined;
    this.keyReader = this.#class.key === undefined ? undefined : new ConfigKeys(agentClass);
    this.isShared = options.reuse === 'shared';
    this.verifies = this.#class.verify !== undefined;
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

  verify(resources: unknown): Promise<unknown> {
    return this.#limited('verify', this.#options.resetTimeoutMs, 'VERIFY_TIMEOUT', async () => {
      const isClean = await this.#class.verify?.(resources);
      if (isClean === false) throw new Error('static verify answered false');
    });
  }

  /** KiB that the class says its resources hold; 0 where it says nothing. */
  async footprintKib(resources: unknown): Promise<number> {
    const { resetTimeoutMs } = this.#options;
    const bytes = this.#limited(
      'footprint',
      resetTimeoutMs,
      'VERIFY_TIMEOUT',
      () => this.#class.footprint?.(resources) ?? 0,
    );
    return (await bytes) / 1_024;
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

  #limited<T>(hook: LimitedHook, limitMs: number, code: ErrorCode, start: () => T): Promise<Awaited<T>> {
    const late = (): SophiaError =>
      new SophiaError(
        code,
        `static ${hook} of '${this.#class.type}' did not settle within ${limitMs} ms. Make it faster, or raise ${TIMEOUT_OF[hook]}.`,
      );
    return new Promise((resolve) => {
      this.#home.run(() => resolve(this.#deadlines.within(limitMs, start, late) as Promise<Awaited<T>>));
    });
  }
}
