/** A pooled child process: started in advance, used by one borrower, ended, and replaced in the background. */

import { fileURLToPath } from 'node:url';
import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { Call, CreateContext, PoolOptions } from '@sophia-ai/core';
import { z } from 'zod';
import { JsonLinesProcess } from './json-lines-process.ts';

const Reply = z.union([
  z.object({ print: z.string() }),
  z.object({ error: z.string() }),
  z.object({ value: z.json() }),
]);

interface Borrower {
  /** What the code finds as global variables. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Runs JavaScript that nobody has read: in a process of its own, without files, children or environment. */
export class SandboxAgent extends Agent<Borrower, JsonLinesProcess, string, unknown, string> {
  static override readonly type: string = 'sandbox';
  static override readonly pool: PoolOptions = { reuse: 'single-use', max: 4, minIdle: 2 };

  static async create({ signal, retire }: CreateContext): Promise<JsonLinesProcess> {
    const script = fileURLToPath(new URL('sandbox.ts', import.meta.url));
    const sandbox = new JsonLinesProcess(['--permission', `--allow-fs-read=${script}`, script], signal);
    await sandbox.next();
    void sandbox.ended.then(retire);
    return sandbox;
  }

  static async destroy(sandbox: JsonLinesProcess): Promise<void> {
    await sandbox.stop();
  }

  protected override async execute(code: string, call: Call<string>): Promise<unknown> {
    const sandbox = this.resources;
    call.signal.addEventListener('abort', () => void sandbox.stop());
    sandbox.send({ code, variables: this.config.variables });
    for (;;) {
      const reply = Reply.parse(await sandbox.next());
      if ('value' in reply) return reply.value;
      if ('error' in reply) throw new Error(`The code failed: ${reply.error}`);
      await call.emit(reply.print);
    }
  }
}

if (import.meta.main) {
  // A warm sandbox is a living child process; closing the front desk ends it.
  await using _optimizer = AgnoPerformanceOptimizer.default;
  await using agent = await SandboxAgent.pooled({ variables: { prices: [12, 30] } });
  console.log(await agent.run('prices.reduce((sum, price) => sum + price)'));
}
