/** A pooled AI SDK agent: one loop with its model and tools for everybody; what is a borrower's own goes with each call. */

import { Agent } from '@sophia-ai/core';
import type { Call, PoolOptions } from '@sophia-ai/core';
import { ToolLoopAgent, tool } from 'ai';
import { z } from 'zod';
import { ScriptedModel } from './scripted-model.ts';

const Borrower = z.object({ tenant: z.string().min(1), instructions: z.string() });

const lookUpOrder = tool({
  description: 'Tells where an order of the tenant is.',
  inputSchema: z.object({ orderId: z.string() }),
  contextSchema: z.object({ tenant: z.string() }),
  execute: async ({ orderId }, { context }) => `Order ${orderId} of ${context.tenant} is on its way.`,
});

type Loop = ReturnType<typeof createLoop>;

export function createLoop(model: ScriptedModel) {
  return new ToolLoopAgent({
    model,
    tools: { lookUpOrder },
    // No tenant is the default one: a call that brings none is refused by the tool's context schema.
    toolsContext: {} as never,
    callOptionsSchema: Borrower,
    prepareCall: ({ options: { tenant, instructions }, ...settings }) => {
      return { ...settings, instructions, toolsContext: { lookUpOrder: { tenant } } };
    },
  });
}

export class OrderAgent extends Agent<z.infer<typeof Borrower>, Loop, string, string, string> {
  static override readonly type: string = 'orders';
  static override readonly pool: PoolOptions = { reuse: 'shared', max: 10 };
  static readonly config = Borrower;
  static readonly create = (): Loop => createLoop(new ScriptedModel());

  protected override async execute(question: string, call: Call<string>): Promise<string> {
    const loop = this.resources;
    const result = await loop.stream({ prompt: question, options: this.config, abortSignal: call.signal });
    for await (const part of result.stream) {
      // The SDK reports a failure as a part of the stream, which then ends as if all were well.
      if (part.type === 'error') throw part.error;
      if (part.type === 'text-delta') await call.emit(part.text);
    }
    return result.text;
  }
}

if (import.meta.main) {
  await using agent = await OrderAgent.pooled({ tenant: 'acme', instructions: 'Politely:' });
  for await (const text of agent.stream('Where is order A17?')) process.stdout.write(text);
}
