/** A serving process from its start to its end: listen, make agents, measure, be ready, and stop without losing a run. */

import { once } from 'node:events';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { AnyAgentClass, OptimizerOptions } from '@sophia-ai/core';
import { measureMemory, trackNesting } from '@sophia-ai/core/node';
import { createServer } from '@sophia-ai/server';
import { listen } from '@sophia-ai/server/node';
import type { Listener } from '@sophia-ai/server/node';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { logFault, logNote, logPoolTrouble } from './log.ts';
import { onStop } from './signals.ts';

const MEASURE_ATTEMPTS = 3;

export interface ServingOptions {
  readonly host: string;
  readonly port: number;
  readonly classes: readonly AnyAgentClass[];
  /** What sophia.config says. */
  readonly pools: NonNullable<OptimizerOptions['pools']>;
  /** Fill every pool before being ready, instead of making one agent per type. */
  readonly prewarm: boolean;
  /** Figures will be labelled as those of a sample workload. */
  readonly sampleWorkload: boolean;
}

/** A process that serves; made before its agents are, so that `/readyz` can be asked while they are. */
export class Serving {
  readonly optimizer: AgnoPerformanceOptimizer;
  readonly #options: ServingOptions;
  readonly #stopping = new AbortController();
  #listener: Listener | undefined = undefined;
  /** What is still to be done before runs should be sent here. */
  #unready: readonly string[] = ['agents are being made and measured'];

  constructor(options: ServingOptions) {
    this.#options = options;
    this.optimizer = new AgnoPerformanceOptimizer({ pools: options.pools });
    trackNesting(this.optimizer);
    for (const agentClass of options.classes) this.optimizer.register(agentClass);
    logPoolTrouble(this.optimizer);
  }

  /** Aborted when a signal asks the process to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** @throws ServerError HOST_NOT_LOOPBACK, PORT_TAKEN, PORT_REFUSED */
  async listen(): Promise<string> {
    const { host, port, classes, sampleWorkload } = this.#options;
    const server = createServer({
      optimizer: this.optimizer,
      agents: classes,
      sampleWorkload,
      notReady: () => this.#unready,
      onError: logFault,
    });
    this.#listener = await listen(server, { host, port });
    onStop(
      ['SIGTERM', 'SIGINT'],
      (signal) => this.#stop(signal),
      // Whoever asks twice does not want to wait for runs in flight.
      () => process.exit(EXIT.failed),
    );
    return this.#listener.url;
  }

  /** Makes agents and measures their memory; what fails is logged, the pools go on trying, the rest is served. */
  async warmUp(): Promise<void> {
    const count = this.#options.prewarm ? {} : { count: 1 };
    for (const agentClass of this.#options.classes) {
      if (this.stopping.aborted) return;
      if (isKeyed(agentClass)) continue;
      const report = await this.optimizer.prewarm(agentClass, count);
      if (report.failed > 0 || report.timedOut) {
        logNote(
          `'${report.type}': ${report.created} of ${report.requested} agents made at start; the pool keeps trying.`,
        );
      }
    }
    // Measuring forces garbage collections, which must not hit a borrower: so before anyone is sent here.
    for (const agentClass of this.#options.classes.filter((each) => !isKeyed(each))) {
      if (this.stopping.aborted) return;
      await this.#measure(agentClass).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        logNote(`'${agentClass.type}': its memory could not be measured: ${why}`);
      });
    }
    this.#unready = [];
  }

  /** Rounds that differ too much say nothing; what disturbed them, such as a late compilation, is soon over. */
  async #measure(agentClass: AnyAgentClass): Promise<void> {
    for (let attempt = 1; attempt <= MEASURE_ATTEMPTS && !this.stopping.aborted; attempt += 1) {
      const { memoryPerAgentKib } = await measureMemory(this.optimizer, agentClass);
      if (memoryPerAgentKib !== null) return;
    }
  }

  /** Resolves when a signal has come and every run in flight has finished. */
  async untilStopped(): Promise<ExitCode> {
    if (!this.stopping.aborted) await once(this.stopping, 'abort');
    await this.#listener?.close();
    process.stdout.write('Stopped.\n');
    return EXIT.ok;
  }

  #stop(signal: string): void {
    const leased = this.optimizer.snapshot().reduce((sum, pool) => sum + pool.leased + pool.waiting, 0);
    process.stdout.write(`${signal}: finishing ${leased} runs, answering new ones with 503. Once more ends at once.\n`);
    this.#stopping.abort();
  }
}

/** Nobody knows for which keys agents will be asked for, so none are made before. */
function isKeyed(agentClass: AnyAgentClass & { readonly key?: unknown }): boolean {
  return agentClass.key !== undefined;
}
