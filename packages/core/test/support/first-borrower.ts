/** Run as a process of its own: the very first touch of the default optimizer happens inside a borrower's context. */

import { AsyncLocalStorage } from 'node:async_hooks';

import { Agent } from '@sophia-ai/core';

const tenant = new AsyncLocalStorage<string>();
const seen: { create: string[]; reset: string[] } = { create: [], reset: [] };

class Support extends Agent<void, { id: number }> {
  static override readonly type: string = 'support';
  static create(): { id: number } {
    seen.create.push(tenant.getStore() ?? 'none');
    return { id: 1 };
  }
  static reset(): void {
    seen.reset.push(tenant.getStore() ?? 'none');
  }
}

const borrow = (name: string): Promise<unknown> =>
  tenant.run(name, async () => {
    const agent = await Support.pooled();
    void agent.resources;
    if (name === 'acme') agent.discard();
    else agent.release();
    await new Promise((resolve) => void setImmediate(resolve));
  });

await borrow('acme');
await borrow('globex');
process.stdout.write(JSON.stringify(seen));
