/** `sophia serve`: agents over HTTP, until a signal comes. */

import { agentSource } from './agent-classes.ts';
import type { ExitCode } from './exit-codes.ts';
import { Serving } from './serving.ts';
import { sophiaConfig } from './sophia-config.ts';
import { DEFAULT_PORT, portOfEnvironment } from './values.ts';

export interface ServeFlags {
  readonly host: string;
  readonly port?: number;
  readonly prewarm?: boolean;
  readonly module?: string;
  readonly config?: string;
}

export async function serve({ host, port, prewarm = false, module, config }: ServeFlags): Promise<ExitCode> {
  const chosenPort = port ?? portOfEnvironment(process.env) ?? DEFAULT_PORT;
  const { pools = {} } = await sophiaConfig(config);
  const { classes } = await agentSource(module);
  const serving = new Serving({ host, port: chosenPort, classes, pools, prewarm, sampleWorkload: false });
  const url = await serving.listen();
  process.stdout.write(`Serving ${classes.map(({ type }) => type).join(', ')} at ${url}\n`);
  const warm = serving.warmUp().then(() => {
    if (!serving.stopping.aborted) process.stdout.write(`Ready: ${url}/readyz\n`);
  });
  const exitCode = await serving.untilStopped();
  await warm;
  return exitCode;
}
