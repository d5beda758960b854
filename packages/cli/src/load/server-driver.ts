/** Drives a server over HTTP, and asks its metrics API what its pools measured meanwhile. */

import { DEADLINE_HEADER } from '@sophia-ai/server';
import type {
  AgentDescription,
  MetricsWindow,
  PerformanceMetrics,
  Problem,
  TypeMetrics,
  TypeSummary,
} from '@sophia-ai/server';
import { CliError } from '../cli-error.ts';
import { REFUSALS } from './driver.ts';
import type { Driver, Outcome, PoolFigures } from './driver.ts';

/** A server that does not answer a question about itself in this time is not there. */
const ANSWER_MS = 10_000;
/** The server's windows, shortest first; the first that covers the load is asked for. */
const WINDOWS: readonly (readonly [MetricsWindow, number])[] = [
  ['1m', 60_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['since-start', Number.POSITIVE_INFINITY],
];

interface TypeFigures {
  readonly summary: TypeSummary;
  readonly metrics: TypeMetrics;
}

export class ServerDriver implements Driver {
  readonly url: string;
  readonly #type: string;
  readonly #runsUrl: string;
  readonly #headers: Record<string, string>;
  readonly #bodies = new Map<unknown, string>();
  #before: TypeFigures | undefined = undefined;

  constructor(url: string, type: string, waitMs: number | undefined) {
    this.url = url;
    this.#type = type;
    this.#runsUrl = `${url}/api/agents/${encodeURIComponent(type)}/runs`;
    const deadline = waitMs === undefined ? {} : { [DEADLINE_HEADER]: String(waitMs) };
    this.#headers = { 'Content-Type': 'application/json', ...deadline };
  }

  /** Sees that the server is there and serves the type. @throws CliError SERVER_UNREACHABLE, SERVER_UNSUITABLE, AGENT_UNKNOWN */
  async prepare(): Promise<void> {
    const { agents } = await ask<{ agents: AgentDescription[] }>(`${this.url}/api/agents`);
    const types = agents.map(({ type }) => type);
    if (!types.includes(this.#type)) throw unknownAgent(this.#type, types);
    this.#before = await this.#typeFigures('since-start');
  }

  async run(input: unknown, signal: AbortSignal): Promise<Outcome> {
    try {
      const response = await fetch(this.#runsUrl, {
        method: 'POST',
        headers: this.#headers,
        body: this.#bodyOf(input),
        signal,
      });
      if (response.ok) {
        // Read to its end, or the connection could not serve the next run.
        await response.arrayBuffer();
        return { kind: 'succeeded' };
      }
      return outcomeOf((await response.json()) as Problem);
    } catch (error) {
      if (signal.aborted) return { kind: 'cancelled' };
      const cause = (error as Error).cause as { code?: unknown } | undefined;
      return { kind: 'failed', code: typeof cause?.code === 'string' ? cause.code : 'CONNECTION_FAILED' };
    }
  }

  async figures(elapsedMs: number): Promise<PoolFigures> {
    const total = await this.#typeFigures('since-start');
    const before = this.#before?.metrics;
    const during = (kind: 'hit' | 'miss' | 'wait'): number => total.metrics[kind].count - (before?.[kind].count ?? 0);
    const isFresh = this.#before?.summary.instantiation_samples === 0;
    const [window] = WINDOWS.find(([, ms]) => !isFresh && ms >= elapsedMs) ?? ['since-start'];
    const { summary, metrics } = await this.#typeFigures(window);
    const { hit, miss, wait, run } = metrics;
    return {
      window: isFresh ? 'this load' : `${window} of the server, with whatever else it did`,
      avg_instantiation_us: summary.avg_instantiation_us,
      avg_acquire_us: summary.avg_acquire_us,
      hits: during('hit'),
      misses: during('miss'),
      waits: during('wait'),
      instantiation: {
        p50_us: summary.instantiation_p50_us,
        p99_us: summary.instantiation_p99_us,
        p999_us: summary.instantiation_p999_us,
      },
      hit,
      miss,
      wait,
      run,
      pool_size: summary.pool_size,
      pool_max: summary.pool_max,
      memory: summary,
    };
  }

  async close(): Promise<void> {
    // Connections of fetch are kept for reuse only, and do not hold the process.
  }

  async #typeFigures(window: MetricsWindow): Promise<TypeFigures> {
    const url = `${this.url}/api/metrics/agno-performance?window=${window}`;
    const body = await ask<PerformanceMetrics>(url);
    const summary = body.summary[this.#type];
    const metrics = body.metrics[this.#type];
    if (summary === undefined || metrics === undefined) throw unsuitable(url, 'it has no figures for this agent type');
    return { summary, metrics };
  }

  #bodyOf(input: unknown): string {
    const known = this.#bodies.get(input) ?? JSON.stringify({ input });
    this.#bodies.set(input, known);
    return known;
  }
}

export function unknownAgent(type: string, known: readonly string[]): CliError {
  return new CliError(
    'AGENT_UNKNOWN',
    `--agent was given as ${JSON.stringify(type)}; allowed: ${known.join(', ') || 'none'}.`,
  );
}

function outcomeOf({ code, retry_after_ms: retryAfterMs }: Problem): Outcome {
  if (REFUSALS.has(code)) return { kind: 'refused', code, retryAfterMs: retryAfterMs ?? null };
  return { kind: 'failed', code };
}

async function ask<Body>(url: string): Promise<Body> {
  let response: Response | undefined = undefined;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (cause) {
    const why = ((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message;
    throw new CliError(
      'SERVER_UNREACHABLE',
      `${url} does not answer: ${why}. Start one with \`sophia serve\`, or correct --url.`,
      { cause },
    );
  }
  if (!response.ok) throw unsuitable(url, `it answers ${response.status}`);
  try {
    return (await response.json()) as Body;
  } catch (cause) {
    throw unsuitable(url, `its answer is not JSON: ${(cause as Error).message}`);
  }
}

function unsuitable(url: string, why: string): CliError {
  return new CliError('SERVER_UNSUITABLE', `${url} is not what a Sophia server would answer: ${why}. Correct --url.`);
}
