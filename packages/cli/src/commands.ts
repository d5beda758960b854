/** Every command with its flags. The code behind a command is loaded only when it is asked for. */

import type { ExitCode } from './exit-codes.ts';
import * as values from './values.ts';
import type { Parse } from './values.ts';

export interface Flag {
  /** As commander writes it: `--port <port>`. */
  readonly flags: string;
  readonly description: string;
  /** Absent for flags without a value. */
  readonly parse?: Parse<unknown>;
  readonly defaultValue?: { readonly value: unknown; readonly shown: string };
  readonly required?: true;
}

export interface Command {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** @param flags their values by name in camel case. */
  readonly run: (flags: never) => Promise<ExitCode>;
}

const HOST: Flag = {
  flags: '--host <host>',
  description: 'address to listen on; loopback only, as requests are not authenticated',
  parse: values.text,
  defaultValue: { value: values.DEFAULT_HOST, shown: values.DEFAULT_HOST },
};
const PORT: Flag = {
  flags: '--port <port>',
  description: `port to listen on, 0 for any free one (default: $${values.PORT_VARIABLE} or ${values.DEFAULT_PORT})`,
  parse: values.port,
};
const MODULE: Flag = {
  flags: '--module <file>',
  description: "JavaScript or TypeScript file whose exported agent classes are used instead of Sophia's own",
  parse: values.text,
};

const CONFIG: Flag = {
  flags: '--config <file>',
  description: 'settings of the pools (default: sophia.config.ts, .js, .mjs or .json in the working directory, if any)',
  parse: values.text,
};

export const COMMANDS: readonly Command[] = [
  {
    name: 'start',
    description: "serve all of Sophia's agents, prewarmed, with a sample workload of real input",
    flags: [HOST, PORT, CONFIG],
    run: async (flags) => (await import('./start.ts')).start(flags),
  },
  {
    name: 'serve',
    description: 'serve agents over HTTP until SIGTERM or Ctrl-C',
    flags: [
      HOST,
      PORT,
      { flags: '--prewarm', description: 'fill every pool before /readyz says ready, instead of one agent per type' },
      MODULE,
      CONFIG,
    ],
    run: async (flags) => (await import('./serve.ts')).serve(flags),
  },
  {
    name: 'load',
    description: 'run an agent many times at once, in this process or on a server, and say how it went',
    flags: [
      {
        flags: '--agent <type>',
        description: 'agent type to run, such as call-analysis',
        parse: values.text,
        required: true,
      },
      {
        flags: '--concurrency <number>',
        description: 'borrowers at the same time, 1 to 10000',
        parse: values.concurrency,
        defaultValue: { value: 50, shown: '50' },
      },
      {
        flags: '--duration <time>',
        description: 'how long to go on, such as 500ms, 30s or 2m',
        parse: values.duration,
        defaultValue: { value: 10_000, shown: '10s' },
      },
      {
        flags: '--url <url>',
        description: 'server to drive; without it the agents run in this process',
        parse: values.serverUrl,
      },
      {
        flags: '--wait-ms <ms>',
        description: 'longest wait for an agent; with --url the deadline of the whole run (default: that of the pool)',
        parse: values.waitMs,
      },
      { flags: '--json', description: 'print one JSON object instead of a table' },
      MODULE,
      CONFIG,
    ],
    run: async (flags) => (await import('./load/load.ts')).load(flags),
  },
];
