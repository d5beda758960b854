/** `sophia load`: many borrowers at once, then a table of how it went. */

import { agentSource } from '../agent-classes.ts';
import type { AgentSource } from '../agent-classes.ts';
import { CliError } from '../cli-error.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { onStop } from '../signals.ts';
import { borrow } from './borrowers.ts';
import type { Driver } from './driver.ts';
import { InProcessDriver } from './in-process-driver.ts';
import { measureLoopDelay } from './loop-delay.ts';
import { ProgressBar } from './progress-bar.ts';
import { reportOf, tableOf } from './report.ts';
import type { LoadReport } from './report.ts';
import { ServerDriver, unknownAgent } from './server-driver.ts';
import { Tally, total } from './tally.ts';
import { sophiaConfig } from '../sophia-config.ts';

export interface LoadFlags {
  readonly agent: string;
  readonly concurrency: number;
  readonly duration: number;
  readonly url?: string;
  readonly waitMs?: number;
  readonly json?: boolean;
  readonly module?: string;
  readonly config?: string;
}

export async function load(flags: LoadFlags): Promise<ExitCode> {
  const { agent, url, waitMs, json = false } = flags;
  const { pools } = await sophiaConfig(flags.config);
  const source = await agentSource(flags.module);
  const inputs = await inputsOf(source, agent);
  const stop = new AbortController();
  onStop(
    ['SIGINT'],
    () => stop.abort(),
    () => process.exit(EXIT.interrupted),
  );
  const driver =
    url === undefined
      ? new InProcessDriver(classOf(source, agent), waitMs, pools)
      : new ServerDriver(url, agent, waitMs);
  try {
    await driver.prepare();
    const report = await measured(driver, flags, inputs, stop.signal);
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : tableOf(report));
    return exitCodeOf(report);
  } finally {
    await driver.close();
  }
}

function classOf({ classes }: AgentSource, agent: string): AgentSource['classes'][number] {
  const found = classes.find(({ type }) => type === agent);
  if (found !== undefined) return found;
  throw unknownAgent(
    agent,
    classes.map(({ type }) => type),
  );
}

async function inputsOf(source: AgentSource, agent: string): Promise<readonly unknown[]> {
  const inputs = await source.inputsOf(classOf(source, agent));
  if (inputs.length > 0) return inputs;
  throw new CliError(
    'INPUT_MISSING',
    `'${agent}' has no examples, so there is nothing to run it with. Give its class \`static examples\`.`,
  );
}

async function measured(
  driver: Driver,
  flags: LoadFlags,
  inputs: readonly unknown[],
  stop: AbortSignal,
): Promise<LoadReport> {
  const { agent, concurrency, duration: durationMs } = flags;
  const tally = new Tally();
  const bar = new ProgressBar(process.stderr, durationMs, () => {
    return `${tally.succeeded} runs, ${total(tally.refused)} refused, ${total(tally.failed)} failed`;
  });
  const delay = measureLoopDelay();
  const elapsedMs = await borrow(driver, { concurrency, durationMs, inputs, stop }, tally);
  const loopDelay = delay.stop();
  bar.stop();
  const pool = await driver.figures(elapsedMs);
  return reportOf({ agent, driver, concurrency, elapsedMs, interrupted: stop.aborted, tally, pool, loopDelay });
}

function exitCodeOf({ interrupted, runs }: LoadReport): ExitCode {
  if (interrupted) return EXIT.interrupted;
  return total(runs.failed) > 0 || runs.succeeded === 0 ? EXIT.failed : EXIT.ok;
}
