/**
 * A pooled MCP session: dear to open, so it serves many borrowers; one at a time, each with an empty notebook, and only
 * those who come with the credential that it was opened with.
 */

import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { Call, CreateContext, PoolOptions } from '@sophia-ai/core';
import { z } from 'zod';

interface Login {
  readonly token: string;
}

const Task = z.object({ tool: z.enum(['remember', 'recall', 'account', 'ponder']), text: z.string().default('') });
const Notes = z.object({ notes: z.array(z.string()) });

export class NotebookAgent extends Agent<Login & { author: string }, Client, z.input<typeof Task>, string[]> {
  static override readonly type: string = 'notebook';
  static override readonly pool: PoolOptions = { reuse: 'exclusive', max: 3 };
  static readonly input = Task;

  /** What a session depends on: it reaches `create`, and no log, metric or error. */
  static key({ token }: Login): Login {
    return { token };
  }

  static async create({ key, signal, retire }: CreateContext<Login>): Promise<Client> {
    const server = fileURLToPath(new URL('notebook-server.ts', import.meta.url));
    const client = new Client({ name: 'notebook-agent', version: '1.0.0' });
    const env = { NOTEBOOK_TOKEN: key.token };
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [server], env }), { signal });
    client.onclose = () => retire('the server ended');
    return client;
  }

  static async reset(client: Client): Promise<boolean> {
    // A tool reports failure in its result; unheard, the next borrower would find this one's notes.
    const { isError } = await client.callTool({ name: 'reset' });
    return isError !== true;
  }

  static async validate(client: Client): Promise<boolean> {
    await client.ping();
    return true;
  }

  /** Ends the server too: the transport closes its input and, if that does not help, kills it. */
  static async destroy(client: Client): Promise<void> {
    await client.close();
  }

  protected override async execute({ tool, text }: z.output<typeof Task>, { signal }: Call): Promise<string[]> {
    const note = tool === 'remember' ? `${this.config.author}: ${text}` : text;
    const result = await this.resources.callTool({ name: tool, arguments: { text: note } }, { signal });
    if (result.isError === true) throw new Error(`The tool ${tool} failed: ${JSON.stringify(result.content)}`);
    return Notes.parse(result.structuredContent).notes;
  }
}

if (import.meta.main) {
  // An idle session is a living child process; closing the front desk ends it.
  await using _optimizer = AgnoPerformanceOptimizer.default;
  await using agent = await NotebookAgent.pooled({ token: 'token-of-acme', author: 'Ada' }, { tenant: 'acme' });
  await agent.run({ tool: 'remember', text: 'the engine can weave patterns' });
  console.log(await agent.run({ tool: 'account' }), await agent.run({ tool: 'recall', text: 'engine' }));
}
