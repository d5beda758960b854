/** `sophia start`, which is `npm start`: everything at once, for a first look. */

import type { AnyAgentClass } from '@sophia-ai/core';
import { curlLine } from '@sophia-ai/server';
import { agentSource, examplesOf } from './agent-classes.ts';
import type { ExitCode } from './exit-codes.ts';
import { SAMPLE_BORROWERS, runSampleWorkload } from './sample-workload.ts';
import type { SampleInput } from './sample-workload.ts';
import { Serving } from './serving.ts';
import { sophiaConfig } from './sophia-config.ts';
import { DEFAULT_PORT, portOfEnvironment } from './values.ts';

export interface StartFlags {
  readonly host: string;
  readonly port?: number;
  readonly config?: string;
}

export async function start({ host, port, config }: StartFlags): Promise<ExitCode> {
  const chosenPort = port ?? portOfEnvironment(process.env) ?? DEFAULT_PORT;
  const { pools = {} } = await sophiaConfig(config);
  const { classes, inputsOf } = await agentSource(undefined);
  const inputs = new Map<AnyAgentClass, SampleInput>();
  for (const each of classes) inputs.set(each, { long: await inputsOf(each), short: examplesOf(each) });
  const serving = new Serving({ host, port: chosenPort, classes, pools, prewarm: true, sampleWorkload: true });
  const startMs = performance.now();
  const url = await serving.listen();
  process.stdout.write(`Sophia is starting at ${url} …\n`);
  const working = serving.warmUp().then(async () => {
    if (serving.stopping.aborted) return;
    process.stdout.write(welcome(url, inputs, (performance.now() - startMs) / 1_000));
    await runSampleWorkload(serving.optimizer, inputs, serving.stopping);
  });
  const exitCode = await serving.untilStopped();
  await working;
  return exitCode;
}

function welcome(url: string, inputs: ReadonlyMap<AnyAgentClass, SampleInput>, seconds: number): string {
  const types = [...inputs.keys()].map(({ type }) => type);
  const { type, input } = smallest(inputs);
  return [
    `Ready in ${seconds.toFixed(1)} s: ${types.join(', ')}, every pool full.`,
    `SAMPLE WORKLOAD: bundled input is run by itself, ${SAMPLE_BORROWERS} borrowers per type at a time. All figures include it`,
    'and say "sample_workload": true. `sophia serve` runs none.',
    '',
    '  How the agents perform:',
    `  curl -sS ${url}/api/metrics/agno-performance`,
    '  Which agents there are, with schemas and examples:',
    `  curl -sS ${url}/api/agents`,
    '  A run:',
    `  ${curlLine(`${url}/api/agents/${type}/runs`, input)}`,
    '',
    'Ctrl-C stops.',
    '',
  ].join('\n');
}

/** The shortest body to paste into a shell. */
function smallest(inputs: ReadonlyMap<AnyAgentClass, SampleInput>): { type: string; input: unknown } {
  const all = [...inputs].flatMap(([{ type }, { long, short }]) => {
    return [...short, ...long].map((input) => ({ type, input, size: JSON.stringify(input).length }));
  });
  return all.reduce((best, each) => (each.size < best.size ? each : best));
}
