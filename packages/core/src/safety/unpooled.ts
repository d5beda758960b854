/** Sees agents that are made with `new` in place of `pooled()`: how often, and where in the code. */

import type { AnyAgentClass } from '../agent-class.ts';
import { SophiaError } from '../errors.ts';
import { here, userFrames } from './call-site.ts';

export type UnpooledPolicy = 'count' | 'warn' | 'throw';

export interface UnpooledFigures {
  /** Constructions outside the pool, in this process. */
  readonly count: number;
  /** Where, most frequent first; stacks are taken of the first hundred and of one in a hundred after. */
  readonly sites: readonly { readonly site: string; readonly seen: number }[];
}

type Listener = (count: number, site: string | undefined) => void;

interface Record {
  count: number;
  readonly sites: Map<string, number>;
  /** Places that were warned of. */
  readonly warned: Set<string>;
  /** One for each pool of the class; policies may differ between front desks. */
  readonly pools: Map<Listener, UnpooledPolicy>;
}

const STACKS_AT_FIRST = 100;
const STACKS_EVERY = 100;
const MOST_SITES = 20;
const MOST_WARNINGS = 1_000;

const records = new WeakMap<AnyAgentClass, Record>();

function recordOf(agentClass: AnyAgentClass): Record {
  let record = records.get(agentClass);
  if (record === undefined) {
    record = { count: 0, sites: new Map(), warned: new Set(), pools: new Map() };
    records.set(agentClass, record);
  }
  return record;
}

/** A pool wants to hear of its class. @returns what ends that. */
export function watchUnpooled(agentClass: AnyAgentClass, policy: UnpooledPolicy, listener: Listener): () => void {
  const { pools } = recordOf(agentClass);
  pools.set(listener, policy);
  return () => void pools.delete(listener);
}

export function unpooledFigures(agentClass: AnyAgentClass): UnpooledFigures {
  const { count, sites } = recordOf(agentClass);
  const sorted = [...sites].toSorted(([, a], [, b]) => b - a);
  return { count, sites: sorted.map(([site, seen]) => ({ site, seen })) };
}

/** An agent is being made with `new`. @throws SophiaError UNPOOLED where the policy forbids it. */
export function noteUnpooled(agentClass: AnyAgentClass): void {
  const record = recordOf(agentClass);
  record.count += 1;
  const policies = record.pools.size === 0 ? [agentClass.pool?.unpooled ?? 'count'] : [...record.pools.values()];
  const isForbidden = policies.includes('throw');
  const isLooked = isForbidden || record.count <= STACKS_AT_FIRST || record.count % STACKS_EVERY === 0;
  const site = isLooked ? siteOf(agentClass) : undefined;
  if (site !== undefined && (record.sites.has(site) || record.sites.size < MOST_SITES)) {
    record.sites.set(site, (record.sites.get(site) ?? 0) + 1);
  }
  for (const listener of record.pools.keys()) listener(record.count, site);
  const where = site === undefined ? '' : ` at ${site}`;
  if (isForbidden) {
    throw new SophiaError(
      'UNPOOLED',
      `A '${agentClass.type}' agent was made with new${where}, which its pool forbids (unpooled: 'throw'). Borrow it with \`await ${agentClass.name}.pooled(config)\`; in tests use lease() of @sophia-ai/core/testing.`,
    );
  }
  const isNew = site !== undefined && !record.warned.has(site) && record.warned.size < MOST_WARNINGS;
  if (policies.includes('warn') && isNew) {
    record.warned.add(site);
    console.warn(`Sophia: a '${agentClass.type}' agent was made with new${where}. Borrow it with pooled().`);
  }
}

/** The first frame outside the constructors of the class and its parents; some of those have no frame. */
function siteOf(agentClass: AnyAgentClass): string | undefined {
  const names = new Set<string>();
  let depth = 0;
  for (let each: unknown = agentClass; typeof each === 'function'; each = Object.getPrototypeOf(each)) {
    // A frame has the name that stands in the source, whatever the class was renamed to since.
    const written = /^class\s+(?!extends\b)([\w$]+)/.exec(Function.prototype.toString.call(each))?.[1];
    for (const name of [each.name, written ?? '<anonymous>']) names.add(`at new ${name} `);
    depth += 1;
  }
  const isOwn = (frame: string): boolean => [...names].some((name) => frame.startsWith(name));
  const frame = userFrames(here()).find((line, index) => index >= depth || !isOwn(line));
  return frame?.replace(/^at /, '');
}
