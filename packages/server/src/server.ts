/** The service as a web-standard handler: from top to bottom its routes, then how it stops. */

import { SophiaError } from '@sophia-ai/core';
import type { AgnoPerformanceOptimizer, CloseReport, DrainReport } from '@sophia-ai/core';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { DEFAULT_MAX_BODY_BYTES } from './body.ts';
import { Catalogue } from './catalogue.ts';
import { ServerError, quoted } from './errors.ts';
import { SECURITY_HEADERS, guard } from './guard.ts';
import type { Connection } from './guard.ts';
import { performanceMetrics } from './metrics.ts';
import { isServerFault, problemResponse } from './problems.ts';
import { RunRequest } from './run.ts';
import type { RunInfo, RunSettings } from './run.ts';
import { checkServerOptions } from './server-options.ts';
import type { ServerOptions } from './server-options.ts';

type Env = { Bindings: Connection };

const DEFAULT_HEARTBEAT_MS = 15_000;
const DEFAULT_STREAM_BUFFER_BYTES = 256 * 1_024;
const DEFAULT_DRAIN_MS = 25_000;
/** After a forced stop, so long may the answers that say so take. */
const LAST_ANSWERS_MS = 2_000;
const JSON_TYPE = 'application/json';
const EVENT_STREAM_TYPE = 'text/event-stream';

/** @throws SophiaError OPTION_UNKNOWN, OPTION_INVALID, NOT_RUNNABLE, and the registration errors of `agents`. */
export function createServer(options: ServerOptions): Server {
  checkServerOptions(options);
  return new Server(options);
}

export class Server {
  readonly #optimizer: AgnoPerformanceOptimizer;
  readonly #catalogue: Catalogue;
  readonly #options: ServerOptions;
  readonly #runSettings: RunSettings;
  readonly #app: Hono<Env>;
  /** What every answer with figures carries while they are not those of real users alone. */
  readonly #label: { readonly sample_workload?: true };
  /** Answers and streams that are not finished. */
  readonly #active = new Set<Promise<unknown>>();
  #isDraining = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#optimizer = options.optimizer;
    this.#catalogue = new Catalogue(options.optimizer, options.agents);
    this.#label = options.sampleWorkload === true ? { sample_workload: true } : {};
    this.#runSettings = {
      optimizer: options.optimizer,
      maxBodyBytes: options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
      heartbeatMs: options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
      streamBufferBytes: options.streamBufferBytes ?? DEFAULT_STREAM_BUFFER_BYTES,
      report: (error, run) => this.#report(error, run),
    };
    this.#app = this.#routes();
  }

  /** Answers one request; never rejects. */
  readonly fetch = async (request: Request, connection: Connection = {}): Promise<Response> => {
    return this.#track(Promise.resolve(this.#app.fetch(request, connection)));
  };

  #routes(): Hono<Env> {
    const app = new Hono<Env>();
    app.use(async (c, next) => {
      await next();
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.res.headers.set(name, value);
    });
    app.use(async (c, next) => {
      guard(c.req.raw, c.env, this.#options.allowedHosts);
      await next();
    });
    app.get('/healthz', () => this.#healthz());
    app.get('/readyz', () => this.#readyz());
    app.get('/api/agents', (c) => this.#agents(c));
    app.get('/api/metrics/agno-performance', (c) => this.#metrics(c));
    app.post('/api/agents/:type/runs', (c) => this.#run(c));
    for (const path of ['/healthz', '/readyz', '/api/agents', '/api/metrics/agno-performance']) {
      app.all(path, (c) => refuseMethod(c, 'GET, HEAD'));
    }
    app.all('/api/agents/:type/runs', (c) => refuseMethod(c, 'POST'));
    app.notFound((c) => {
      const known =
        'GET /api/agents, POST /api/agents/:type/runs, GET /api/metrics/agno-performance, /healthz, /readyz';
      return problemResponse(
        new ServerError('ROUTE_UNKNOWN', `There is no ${quoted(c.req.path)} here. Routes: ${known}.`),
      );
    });
    app.onError((error) => {
      if (isServerFault(error)) this.#report(error, undefined);
      return problemResponse(error);
    });
    return app;
  }

  /** The process lives and its event loop turns; it says nothing of the agents. */
  #healthz(): Response {
    return Response.json({ status: 'ok', ...this.#label });
  }

  /** Whether to send runs here: every type has an agent, nothing is still starting, nothing is stopping. */
  #readyz(): Response {
    const cold = this.#optimizer.notReady().map((type) => `'${type}' has no agent ready yet`);
    const reasons = this.#isDraining ? ['the server is stopping'] : [...cold, ...(this.#options.notReady?.() ?? [])];
    if (reasons.length === 0) return Response.json({ status: 'ready', ...this.#label });
    const detail = `Not ready: ${reasons.join('; ')}. Ask again after the time in Retry-After.`;
    return problemResponse(new ServerError('NOT_READY', detail, { members: { reasons } }));
  }

  #agents(c: Context<Env>): Response {
    queryOf(c, []);
    return Response.json({ agents: this.#catalogue.describe(new URL(c.req.url).origin), ...this.#label });
  }

  #metrics(c: Context<Env>): Response {
    const { window } = queryOf(c, ['window']);
    return Response.json({ ...performanceMetrics(this.#optimizer, window), ...this.#label });
  }

  async #run(c: Context<Env>): Promise<Response> {
    queryOf(c, []);
    const agentClass = this.#catalogue.find(c.req.param('type') ?? '');
    if (this.#isDraining) throw new SophiaError('POOL_DRAINING', 'The server is stopping.');
    const run = new RunRequest(c.req.raw, agentClass, this.#runSettings);
    const wanted = accepts(c, { header: 'Accept', supports: [JSON_TYPE, EVENT_STREAM_TYPE], default: JSON_TYPE });
    if (wanted === JSON_TYPE) return run.answer();
    const { response, ended } = await run.stream(c.env);
    void this.#track(ended);
    return response;
  }

  #report(error: unknown, run: RunInfo | undefined): void {
    try {
      this.#options.onError?.(error, run);
    } catch {
      // A fault of the listener must not become one of the request.
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#active.add(work);
    // Nothing that is tracked here rejects.
    void work.finally(() => this.#active.delete(work));
    return work;
  }

  /** Whether new runs are refused because the server stops. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Refuses new runs with 503 from now on, and lets those in flight and in the queue finish, for at most `timeoutMs`. */
  async drain({ timeoutMs = DEFAULT_DRAIN_MS }: { readonly timeoutMs?: number } = {}): Promise<DrainReport[]> {
    this.#isDraining = true;
    return this.#optimizer.drain({ timeoutMs });
  }

  /** Drains, then ends what is left by force and closes the optimizer. Idempotent. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<CloseReport[]> {
    await this.drain(options);
    const reports = await this.#optimizer.close({ timeoutMs: 0 });
    let timer: ReturnType<typeof setTimeout> | undefined = undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_ANSWERS_MS);
    });
    await Promise.race([Promise.all(this.#active), late]);
    clearTimeout(timer);
    return reports;
  }
}

function refuseMethod(c: Context<Env>, allowed: string): never {
  const { method, path } = c.req;
  throw new ServerError('METHOD_NOT_ALLOWED', `${quoted(path)} does not take ${quoted(method)}. Use ${allowed}.`, {
    headers: { Allow: allowed },
  });
}

/** The query of a request, each parameter known and given once. @throws ServerError QUERY_INVALID */
function queryOf(c: Context<Env>, known: readonly string[]): Readonly<Record<string, string>> {
  for (const [name, values] of Object.entries(c.req.queries())) {
    const allowed = known.length === 0 ? 'This route takes none.' : `Known: ${known.join(', ')}.`;
    if (!known.includes(name))
      throw new ServerError('QUERY_INVALID', `The query has an unknown parameter ${quoted(name)}. ${allowed}`);
    if (values.length > 1)
      throw new ServerError('QUERY_INVALID', `${name} is given ${values.length} times. Give it once.`);
  }
  return c.req.query();
}
