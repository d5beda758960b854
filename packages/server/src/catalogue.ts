/** Which agent types are served, and what `GET /api/agents` says of each. */

import { SophiaError } from '@sophia-ai/core';
import type { AgentHooks, AgnoPerformanceOptimizer, AnyAgentClass, PoolSnapshot, RunExample } from '@sophia-ai/core';
import { jsonSchemaOf } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

type Hooks = AgentHooks<unknown, unknown, unknown, unknown>;

/** One served type, as clients see it. */
export interface AgentDescription {
  readonly type: string;
  readonly description: string | null;
  readonly reuse: PoolSnapshot['reuse'];
  readonly state: PoolSnapshot['state'];
  /** Settings of the pool, in snake case. */
  readonly pool: Readonly<Record<string, unknown>>;
  /** Path that runs are posted to. */
  readonly runs: string;
  readonly schemas: {
    readonly config: JsonSchema | null;
    readonly input: JsonSchema | null;
    readonly output: JsonSchema | null;
  };
  readonly examples: readonly { readonly description: string | null; readonly input: unknown; readonly curl: string }[];
}

export class Catalogue {
  readonly #optimizer: AgnoPerformanceOptimizer;
  readonly #only: ReadonlySet<AnyAgentClass> | undefined;
  readonly #schemas = new WeakMap<AnyAgentClass, AgentDescription['schemas']>();

  /** @param only the classes to serve; without it, every registered class that can run. */
  constructor(optimizer: AgnoPerformanceOptimizer, only: readonly AnyAgentClass[] | undefined) {
    for (const agentClass of only ?? []) {
      optimizer.register(agentClass);
      if (!canRun(agentClass)) {
        throw new SophiaError(
          'NOT_RUNNABLE',
          `'${agentClass.type}' has no execute() method, so there is nothing to serve. Define one, or leave the class out.`,
        );
      }
    }
    this.#optimizer = optimizer;
    this.#only = only === undefined ? undefined : new Set(only);
  }

  served(): AnyAgentClass[] {
    return this.#optimizer.classes().filter((each) => this.#only?.has(each) ?? canRun(each));
  }

  /** @throws SophiaError TYPE_UNKNOWN */
  find(type: string): AnyAgentClass {
    const served = this.served();
    const found = served.find((each) => each.type === type);
    if (found !== undefined) return found;
    const known = served.map((each) => each.type).join(', ') || 'none';
    const asked = JSON.stringify(type.slice(0, 64));
    throw new SophiaError('TYPE_UNKNOWN', `No agent type ${asked} is served here. Served types: ${known}.`);
  }

  /** @param origin where the server is reached, for the lines that are ready to paste. */
  describe(origin: string): AgentDescription[] {
    const pools = new Map(this.#optimizer.snapshot().map((pool) => [pool.type, pool]));
    return this.served().map((agentClass: AnyAgentClass & Hooks) => {
      const { type, description = null, examples = [] } = agentClass;
      const pool = pools.get(type) as PoolSnapshot;
      const runs = `/api/agents/${type}/runs`;
      return {
        type,
        description,
        reuse: pool.reuse,
        state: pool.state,
        pool: poolSettings(pool),
        runs,
        schemas: this.#schemasOf(agentClass),
        examples: examples.map((example) => withCurl(example, origin + runs)),
      };
    });
  }

  #schemasOf(agentClass: AnyAgentClass & Hooks): AgentDescription['schemas'] {
    const known = this.#schemas.get(agentClass);
    if (known !== undefined) return known;
    const schemas = {
      config: jsonSchemaOf(agentClass.config, 'input'),
      input: jsonSchemaOf(agentClass.input, 'input'),
      output: jsonSchemaOf(agentClass.output, 'output'),
    };
    this.#schemas.set(agentClass, schemas);
    return schemas;
  }
}

function canRun(agentClass: AnyAgentClass): boolean {
  return typeof (agentClass.prototype as { execute?: unknown }).execute === 'function';
}

function poolSettings(pool: PoolSnapshot): Readonly<Record<string, unknown>> {
  // Names of tenants are not for everyone who may see what agents there are.
  const { tenantWeights: _, ...shown } = pool.options;
  const settings = { ...shown, max: pool.max };
  const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [snake(name), value]));
}

function withCurl({ input, description }: RunExample<unknown>, url: string): AgentDescription['examples'][number] {
  return { description: description ?? null, input, curl: curlLine(url, input) };
}

/** A line for a POSIX shell that posts a run. */
export function curlLine(url: string, input: unknown): string {
  const body = JSON.stringify({ input }).replaceAll("'", String.raw`'\''`);
  return `curl -sS ${url} -H 'Content-Type: application/json' -d '${body}'`;
}
