/** Serves one run: borrows an agent, runs it, gives it back, whatever happens and whoever leaves. */

import { SophiaError } from '@sophia-ai/core';
import type { AgnoPerformanceOptimizer, AnyAgent, AnyAgentClass } from '@sophia-ai/core';
import { readRunBody } from './body.ts';
import type { RunBody } from './body.ts';
import { Budget } from './deadline.ts';
import { ServerError } from './errors.ts';
import type { Connection } from './guard.ts';
import { Outbox } from './outbox.ts';
import { isServerFault, problemOf, problemResponse } from './problems.ts';

/** Which run an error belongs to; for the operator's log. */
export interface RunInfo {
  readonly id: string;
  readonly type: string;
}

export interface RunSettings {
  readonly optimizer: AgnoPerformanceOptimizer;
  readonly maxBodyBytes: number;
  readonly heartbeatMs: number;
  readonly streamBufferBytes: number;
  readonly report: (error: unknown, run: RunInfo) => void;
}

/** A reader may be so long above the cap of the stream's buffer. */
const SLOW_READER_MS = 1_000;

/** The id of the run, on every answer that has one. */
export const RUN_ID_HEADER = 'Sophia-Run-Id';

export class RunRequest {
  readonly #request: Request;
  readonly #agentClass: AnyAgentClass;
  readonly #settings: RunSettings;
  readonly #run: RunInfo;
  readonly #budget: Budget;
  #acquireUs = 0;
  #startMs = 0;

  /** @throws ServerError HEADER_INVALID */
  constructor(request: Request, agentClass: AnyAgentClass, settings: RunSettings) {
    this.#request = request;
    this.#agentClass = agentClass;
    this.#settings = settings;
    this.#run = { id: crypto.randomUUID(), type: agentClass.type };
    this.#budget = new Budget(request.headers);
  }

  /** Answers when the run is over, with its output. */
  async answer(): Promise<Response> {
    try {
      const body = await readRunBody(this.#request, this.#settings.maxBodyBytes);
      const text = await this.#runToText(body);
      const headers = { 'Content-Type': 'application/json', [RUN_ID_HEADER]: this.#run.id };
      return new Response(text, { headers });
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** Answers as soon as an agent is at hand, then sends its events and its result as they come. */
  async stream(connection: Connection): Promise<{ response: Response; ended: Promise<void> }> {
    try {
      const body = await readRunBody(this.#request, this.#settings.maxBodyBytes);
      const agent = await this.#borrow(body.config);
      return this.#open(agent, body.input, connection);
    } catch (error) {
      return { response: this.#refusal(error), ended: Promise.resolve() };
    }
  }

  async #borrow(config: unknown): Promise<AnyAgent> {
    const { signal } = this.#request;
    const askedMs = performance.now();
    const options = { signal, waitMs: this.#budget.leftMs(), owner: `run ${this.#run.id}` };
    const agent = await this.#settings.optimizer.pooled(this.#agentClass, config, options);
    this.#startMs = performance.now();
    this.#acquireUs = (this.#startMs - askedMs) * 1_000;
    return agent;
  }

  async #runToText({ input, config }: RunBody): Promise<string> {
    const agent = await this.#borrow(config);
    try {
      const { signal } = this.#request;
      return this.#toJson(await agent.run(input, { signal, timeoutMs: this.#budget.leftMs() }));
    } catch (error) {
      throw runError(error);
    } finally {
      agent.release();
    }
  }

  #open(agent: AnyAgent, input: unknown, connection: Connection): { response: Response; ended: Promise<void> } {
    const { heartbeatMs, streamBufferBytes } = this.#settings;
    const left = new AbortController();
    const outbox = new Outbox({
      capBytes: streamBufferBytes,
      heartbeatMs,
      graceMs: SLOW_READER_MS,
      connection,
      onLeave: () => left.abort(new Error('The reader of the stream left, or was too slow.')),
    });
    const headers = {
      'Content-Type': 'text/event-stream',
      // Proxies that buffer would hold events back until the run is over.
      'X-Accel-Buffering': 'no',
      [RUN_ID_HEADER]: this.#run.id,
    };
    // Not awaited: the answer begins now, its events follow.
    const ended = this.#pump(agent, input, outbox, left.signal);
    return { response: new Response(outbox.body, { headers }), ended };
  }

  /** Moves events from the run to the reader. Never rejects: the last event tells how the run ended. */
  async #pump(agent: AnyAgent, input: unknown, outbox: Outbox, left: AbortSignal): Promise<void> {
    try {
      const signal = AbortSignal.any([this.#request.signal, left]);
      const events = agent.stream(input, { signal, timeoutMs: this.#budget.leftMs() });
      for await (const event of events) {
        outbox.send('event', JSON.stringify(event) ?? 'null');
        await outbox.keptUp();
      }
      const result = this.#toJson(await events.result);
      // Released before the reader has the result: others wait for the agent, nobody for the reader.
      agent.release();
      outbox.send('result', result);
    } catch (cause) {
      agent.release();
      const error = runError(cause);
      this.#reportIfFault(error);
      outbox.send('error', JSON.stringify({ ...problemOf(error), run: this.#run }));
    } finally {
      if (this.#request.signal.aborted) outbox.abandon();
      else outbox.end();
    }
  }

  #result(output: unknown): object {
    const durationMs = Math.round((performance.now() - this.#startMs) * 1_000) / 1_000;
    const run = { ...this.#run, acquire_us: Math.round(this.#acquireUs * 10) / 10, duration_ms: durationMs };
    return { run, output: output ?? null };
  }

  /** @throws SophiaError OUTPUT_INVALID for what JSON cannot say. */
  #toJson(output: unknown): string {
    try {
      return JSON.stringify(this.#result(output));
    } catch (cause) {
      throw new SophiaError('OUTPUT_INVALID', `What '${this.#run.type}' returned cannot be said in JSON.`, { cause });
    }
  }

  #refusal(error: unknown): Response {
    this.#reportIfFault(error);
    const response = problemResponse(error, { run: this.#run });
    response.headers.set(RUN_ID_HEADER, this.#run.id);
    return response;
  }

  #reportIfFault(error: unknown): void {
    if (isServerFault(error)) this.#settings.report(error, this.#run);
  }
}

/** What an agent throws is its own; only our errors are understood on the wire. */
function runError(error: unknown): unknown {
  if (SophiaError.isInstance(error) || error instanceof ServerError) return error;
  return new ServerError('RUN_FAILED', 'The agent failed while it ran.', { cause: error });
}
