/**
 * An MCP server with state: the notes of its one session, opened for the account of one token. Started by the agent
 * beside it, spoken to over stdio.
 */

import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const Text = z.object({ text: z.string() });
const Notes = z.object({ notes: z.array(z.string()) });

const ACCOUNTS: Readonly<Record<string, string>> = { 'token-of-acme': 'acme', 'token-of-globex': 'globex' };
const account = ACCOUNTS[process.env['NOTEBOOK_TOKEN'] ?? ''];
if (account === undefined) {
  process.stderr.write('This notebook needs a valid NOTEBOOK_TOKEN.\n');
  process.exit(1);
}

function answer(notes: readonly string[]) {
  return {
    content: [{ type: 'text' as const, text: notes.join('\n') }],
    structuredContent: { notes: [...notes] },
  };
}

serveStdio(() => {
  const server = new McpServer({ name: 'notebook', version: '1.0.0' });
  let notes: string[] = [];

  server.registerTool(
    'remember',
    { description: 'Writes a note.', inputSchema: Text, outputSchema: Notes },
    async ({ text }) => {
      notes.push(text);
      return answer([text]);
    },
  );

  server.registerTool(
    'recall',
    { description: 'Finds the notes that contain a text.', inputSchema: Text, outputSchema: Notes },
    async ({ text }) => answer(notes.filter((note) => note.includes(text))),
  );

  server.registerTool('account', { description: 'Whose notebook this is.', outputSchema: Notes }, async () =>
    answer([account]),
  );

  server.registerTool('reset', { description: 'Forgets all notes.', outputSchema: Notes }, async () => {
    notes = [];
    return answer(notes);
  });

  server.registerTool(
    'ponder',
    { description: 'Thinks until the client gives up.', outputSchema: Notes },
    ({ mcpReq }) =>
      new Promise((resolve) => {
        const stillAwake = setInterval(() => undefined, 60_000);
        mcpReq.signal.addEventListener('abort', () => {
          clearInterval(stillAwake);
          resolve(answer([]));
        });
      }),
  );

  return server;
});
