/** The agent that is hard to keep clean: a run leaves its secret in every place, and `reset` must find them all. */

import { Agent } from '@sophia-ai/core';
import type { Call, CreateContext, PoolOptions } from '@sophia-ai/core';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Hideouts, cleanAll, leaveEverywhere } from './hideouts.ts';
import { MemoryProcess } from './memory-process.ts';

export interface Borrower {
  readonly tenant: string;
  readonly secret: string;
  readonly notes: { readonly more: string[] };
}

export type Task =
  /** Says what the resources tell of their own accord. */
  | 'tell'
  /** Leaves the secret everywhere. */
  | 'leave'
  /** Leaves the secret everywhere, and fails. */
  | 'fail'
  /** Leaves the secret everywhere, waits for its abort, and leaves it everywhere once more. */
  | 'linger';

/** Holds the secret of whoever is calling; hooks must run in nobody's context. */
export const caller: AsyncLocalStorage<string> = new AsyncLocalStorage();

export interface Recipe {
  readonly type: string;
  readonly pool: PoolOptions;
  /** Whether each entry has a child process that remembers. */
  readonly withProcess?: boolean;
  /** The place that `reset` forgets. */
  readonly forgotten?: string;
}

export function hardAgent({ type, pool, withProcess = false, forgotten }: Recipe) {
  return class HardAgent extends Agent<Borrower, Hideouts, Task, unknown, string> {
    static override readonly type: string = type;
    static override readonly pool: PoolOptions = pool;

    static async create({ signal }: CreateContext): Promise<Hideouts> {
      const hideouts = new Hideouts(withProcess ? await MemoryProcess.start(signal) : undefined);
      // If a borrower's context reached in here, the next borrower would find it.
      hideouts.maker = String(caller.getStore());
      return hideouts;
    }

    static async reset(hideouts: Hideouts): Promise<void> {
      await cleanAll(hideouts, forgotten);
      hideouts.maker = String(caller.getStore());
    }

    static async destroy(hideouts: Hideouts): Promise<void> {
      await hideouts.end();
    }

    scratch: Record<string, unknown> = { words: [], byName: new Map<string, string>() };
    #own = '';

    get own(): string {
      return this.#own;
    }

    protected override async execute(task: Task, call: Call<string>): Promise<unknown> {
      const { resources } = this;
      if (task === 'tell') return resources.tell();
      this.#own = this.config.secret;
      await leaveEverywhere(resources, this.config.secret);
      void call.emit(this.config.secret);
      if (task === 'fail') throw new Error(`failed with ${this.config.secret}`);
      if (task === 'linger') {
        if (!call.signal.aborted) await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
        await leaveEverywhere(resources, this.config.secret);
      }
      return this.config.secret;
    }
  };
}
