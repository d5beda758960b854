import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import { createServer } from '@sophia-ai/server';
import { listen } from '@sophia-ai/server/node';
import { AGENTS, sophia } from './sophia.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** What is wrong, the exit code, and what stderr says. */
const WRONG: readonly [args: string[], code: number, stderr: RegExp][] = [
  [['nope'], 2, /COMMAND_UNKNOWN: .*'nope'/],
  [['serve', '--prot', '1'], 2, /FLAG_UNKNOWN: .*'--prot'.*--port/],
  [['serve', '--port'], 2, /FLAG_INVALID: .*--port/],
  [['serve', '--port', '70000'], 2, /FLAG_INVALID: --port was given as "70000"; allowed: a port from 0 to 65535/],
  [['serve', 'now'], 2, /ARGUMENT_UNEXPECTED: .*now/],
  [['load'], 2, /FLAG_MISSING: .*--agent/],
  [
    ['load', '--agent', 'quick', '--module', AGENTS, '--duration', '5'],
    2,
    /FLAG_INVALID: --duration .*500ms, 30s or 2m/,
  ],
  [['load', '--agent', 'nobody', '--module', AGENTS], 2, /AGENT_UNKNOWN: .*"nobody".*quick, slow/],
  [['load', '--agent', 'mute', '--module', AGENTS], 2, /INPUT_MISSING: 'mute' has no examples/],
  [['serve', '--module', 'nowhere.ts'], 2, /MODULE_INVALID: .*nowhere\.ts/],
  [['serve', '--module', fixture('no-agents.ts')], 2, /MODULE_INVALID: .*no class that extends Agent/],
  [['serve', '--module', fixture('unreset-agent.ts')], 78, /RESET_MISSING: 'unreset'/],
  [['serve', '--host', '0.0.0.0', '--module', AGENTS], 78, /HOST_NOT_LOOPBACK: .*"0\.0\.0\.0".*127\.0\.0\.1/],
  [
    ['load', '--agent', 'quick', '--module', AGENTS, '--url', 'http://127.0.0.1:9'],
    69,
    /SERVER_UNREACHABLE: .*127\.0\.0\.1:9/,
  ],
];

for (const [args, code, stderr] of WRONG) {
  test(`sophia ${args.map((arg) => arg.split('/').at(-1)).join(' ')} ends with ${code} and says why`, async () => {
    const run = await sophia(args);
    assert.match(run.stderr, stderr);
    assert.match(run.stderr, /^sophia: [A-Z_]+: [^\n]+\n$/);
    assert.equal(run.code, code);
    assert.equal(run.stdout, '');
  });
}

test('a bad SOPHIA_PORT is refused by name', async () => {
  const bad = await sophia(['serve', '--module', AGENTS], { SOPHIA_PORT: 'eighty' });
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /ENVIRONMENT_INVALID: .*SOPHIA_PORT is "eighty"/);
});

test('a taken port, by flag or by environment, is a clear error with the port in it', async () => {
  const server = createServer({ optimizer: new AgnoPerformanceOptimizer() });
  const listener = await listen(server, { port: 0 });
  try {
    for (const run of [
      // A flag outranks the environment.
      await sophia(['serve', '--module', AGENTS, '--port', String(listener.port)], { SOPHIA_PORT: '0' }),
      await sophia(['serve', '--module', AGENTS], { SOPHIA_PORT: String(listener.port) }),
    ]) {
      assert.equal(run.code, 69);
      assert.match(run.stderr, new RegExp(`PORT_TAKEN: Port ${listener.port} .*another port`));
    }
  } finally {
    await listener.close();
  }
});

test('a server that is not one of ours is told apart from none', async () => {
  const other = createHttpServer((_request, response) => void response.end('hello')).listen(0, '127.0.0.1');
  try {
    await new Promise((resolve) => other.once('listening', resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const run = await sophia(['load', '--agent', 'quick', '--module', AGENTS, '--url', url]);
    assert.equal(run.code, 69);
    assert.match(run.stderr, /SERVER_UNSUITABLE: .*not JSON/);
  } finally {
    other.close();
  }
});

test('help lists commands, flags and exit codes, and is no error unless a command is missing', async () => {
  const help = await sophia(['--help']);
  assert.equal(help.code, 0);
  for (const word of ['start', 'serve', 'load', 'Exit codes:', '78']) assert.match(help.stdout, new RegExp(word));
  const command = await sophia(['help', 'load']);
  assert.equal(command.code, 0);
  for (const flag of ['--agent', '--concurrency', '--duration', '--url', '--wait-ms', '--json'])
    assert.match(command.stdout, new RegExp(flag));
  const none = await sophia([]);
  assert.equal(none.code, 2);
  assert.equal(none.stdout, '');
  assert.match(none.stderr, /Usage: sophia/);
});
