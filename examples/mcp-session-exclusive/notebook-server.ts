/** An MCP server with state: the notes of its one session. Started by the agent beside it, spoken to over stdio. */

import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const Text = z.object({ text: z.string() });
const Notes = z.object({ notes: z.array(z.string()) });

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
