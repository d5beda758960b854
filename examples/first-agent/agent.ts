import { Agent } from '@sophia-ai/core';
import type { PoolOptions } from '@sophia-ai/core';
import { KnowledgeBase } from './knowledge-base.ts';

/** Answers customers' questions from a knowledge base that is indexed once and read by every borrower. */
export class SupportAgent extends Agent<{ tenant: string }, KnowledgeBase, string, string> {
  static override readonly type: string = 'support';
  static override readonly pool: PoolOptions = { reuse: 'shared' };

  static create(): Promise<KnowledgeBase> {
    return KnowledgeBase.open(new URL('articles.json', import.meta.url));
  }

  protected override execute(question: string): string {
    return this.resources.find(question) ?? `I will ask the ${this.config.tenant} team and come back to you.`;
  }
}

if (import.meta.main) {
  await using agent = await SupportAgent.pooled({ tenant: 'acme' });
  console.log(await agent.run('Where is my order?'));
}
