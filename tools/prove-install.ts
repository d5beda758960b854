/** `npm run prove:install`: all tarballs installed together into an empty folder, the command run there, an agent served. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { inEmptyFolder, npm, pack, run } from './packing.ts';

const USE = `
import { CallAnalysisAgent, sampleInputs } from '@sophia-ai/agents';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { createServer } from '@sophia-ai/server';
const optimizer = new AgnoPerformanceOptimizer();
optimizer.register(CallAnalysisAgent);
const [input] = await sampleInputs('call-analysis');
const result = await optimizer.use(CallAnalysisAgent, undefined, (agent) => agent.run(input!));
console.log(JSON.stringify({ turns: result.turnCount, commitments: result.commitments.length, server: typeof createServer }));
await optimizer.close();
`;

await inEmptyFolder(async (folder) => {
  const tarballs = ['core', 'agents', 'server', 'cli'].map((name) => pack(name, folder));
  npm(folder, 'install', '--no-audit', '--no-fund', ...tarballs);
  console.log(`a script in the empty folder: ${run(folder, USE).trim()}`);
  const bin = join(folder, 'node_modules/@sophia-ai/cli/dist/main.js');
  const served = spawn(process.execPath, [bin, 'serve', '--port', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await urlOf(served.stdout);
    const answer = await fetch(`${url}/api/metrics/agno-performance`);
    const { summary } = (await answer.json()) as { summary: Record<string, unknown> };
    assert.deepEqual(Object.keys(summary).toSorted(), ['call-analysis', 'insight-extraction']);
    console.log(`the installed command serves ${Object.keys(summary).join(' and ')} at ${url}`);
    served.kill('SIGTERM');
    const [code] = (await once(served, 'exit')) as [number | null];
    assert.equal(code, 0, 'sophia serve did not stop cleanly');
  } finally {
    served.kill('SIGKILL');
  }
});
console.log('installed, used, served, stopped: 1 passed, 0 failed');

/** The first URL that the command prints; the rest of its output is let through unread. */
function urlOf(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    output.on('data', (chunk) => {
      text += String(chunk);
      const url = /http:\/\/[^\s/]+/.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    });
    output.on('end', () => reject(new Error(`sophia serve printed no URL: ${text}`)));
  });
}
