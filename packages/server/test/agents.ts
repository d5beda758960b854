/** Tiny agent classes that the server's tests serve, and a way to wait for what a test expects. */

import { Agent, InputError, SophiaError } from '@sophia-ai/core';
import type { AnyAgentClass, Call, PoolOptions } from '@sophia-ai/core';
import { z } from 'zod';

/** Says back what it is told; knows its schemas. */
export class EchoAgent extends Agent<
  { loud?: boolean | undefined } | undefined,
  { uses: number },
  { text: string },
  { text: string }
> {
  static override readonly type: string = 'echo';
  static override readonly pool: PoolOptions = { max: 2, waitMs: 500 };
  static readonly description = 'Says back what it is told.';
  static readonly config: z.ZodType<{ loud?: boolean | undefined } | undefined> = z
    .strictObject({ loud: z.boolean().optional() })
    .optional();
  static readonly input: z.ZodType<{ text: string }> = z.strictObject({ text: z.string().max(5_000_000) });
  static readonly output: z.ZodType<{ text: string }> = z.object({ text: z.string() });
  static readonly examples = [{ input: { text: "it's me" }, description: 'a greeting' }];
  static readonly reset = 'stateless';

  static create(): { uses: number } {
    return { uses: 0 };
  }

  protected override execute({ text }: { text: string }): { text: string } {
    this.resources.uses += 1;
    return { text: this.config?.loud === true ? text.toUpperCase() : text };
  }
}

/** A run that a test holds open until it calls `finish`, and whose end it can see. */
export interface OpenRun {
  readonly input: unknown;
  readonly call: Call;
  readonly finish: (output: unknown) => void;
  readonly fail: (error: Error) => void;
}

/** A class of its own per test: its runs stay open until the test ends them, or their signal does. */
export function gatedAgent(pool: PoolOptions = {}): AnyAgentClass & { readonly runs: OpenRun[]; aborted: number } {
  class GatedAgent extends Agent<unknown> {
    static override readonly type: string = 'gated';
    static override readonly pool: PoolOptions = pool;
    static readonly reset = 'stateless';
    static readonly runs: OpenRun[] = [];
    static aborted = 0;

    protected override execute(input: unknown, call: Call): Promise<unknown> {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      call.signal.addEventListener('abort', () => {
        GatedAgent.aborted += 1;
        reject(call.signal.reason as Error);
      });
      GatedAgent.runs.push({ input, call, finish: resolve, fail: reject });
      return promise;
    }
  }
  return GatedAgent;
}

/** Emits what its input lists, then answers with how many that were. */
export class EventsAgent extends Agent<unknown, undefined, readonly unknown[], number> {
  static override readonly type: string = 'events';
  static readonly reset = 'stateless';

  protected override async execute(events: readonly unknown[], call: Call): Promise<number> {
    if (!Array.isArray(events)) throw new InputError('The input must be an array of events.', { field: 'input' });
    for (const event of events) await call.emit(event);
    return events.length;
  }
}

/** Emits without end, heeding nothing but its signal. */
export class FloodAgent extends Agent<unknown, undefined, unknown, null, string> {
  static override readonly type: string = 'flood';
  static readonly reset = 'stateless';

  protected override async execute(_input: unknown, call: Call<string>): Promise<null> {
    while (!call.signal.aborted) {
      await call.emit('x'.repeat(16_384));
      await new Promise(setImmediate);
    }
    return null;
  }
}

/** Fails in the way that its input names. */
export class FaultyAgent extends Agent<unknown, undefined, string> {
  static override readonly type: string = 'faulty';
  static readonly reset = 'stateless';

  protected override execute(way: string): unknown {
    if (way === 'throw') throw new Error('password is hunter2 at /etc/secret');
    if (way === 'output') return { circular: globalThis, big: 10n };
    if (way === 'input') throw new InputError('The input was refused: it says "input".', { field: 'way' });
    if (way === 'sophia') throw new SophiaError('OUTPUT_INVALID', 'internal secret');
    return undefined;
  }
}

/** Cannot be created. */
export class BrokenAgent extends Agent<unknown, object> {
  static override readonly type: string = 'broken';
  static override readonly pool: PoolOptions = { reuse: 'shared', createAttempts: 1 };

  static create(): object {
    throw new Error('postgres://user:secret@host refused');
  }

  protected override execute(): unknown {
    return null;
  }
}

/** Has methods of its own, and nothing that could be served. */
export class PlainAgent extends Agent {
  static override readonly type: string = 'plain';
  static readonly reset = 'stateless';
}

/** Looks again and again until `holds` is true; fails after five seconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`Waited 5 s in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
