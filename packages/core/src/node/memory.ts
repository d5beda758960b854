/**
 * Measures what an agent costs in memory: the light object of a borrower, the entry behind it, the processes behind
 * that. It forces garbage collections and creates entries of its own, so it belongs before readiness, or to a button.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { construct } from '../agent.ts';
import type { AnyAgentClass } from '../agent-class.ts';
import type { AgnoPerformanceOptimizer } from '../agno-performance-optimizer.ts';
import { Entry } from '../entry.ts';
import type { AnyHooks } from '../hooks.ts';
import { Lease } from '../lease.ts';
import type { LeaseHome } from '../lease.ts';
import { ARGUMENT_CODES, checkOptions, integer } from '../settings/options.ts';
import type { Rule } from '../settings/options.ts';
import type { MemoryFigures } from '../measure/stats.ts';
import type { Shelf } from '../shelf.ts';
import { childProcesses, proportionalKib } from './processes.ts';

export interface MeasureOptions {
  /** The config that the measured agents get; needed where the constructor reads it. */
  readonly config?: unknown;
  /** Light objects per round. Default 2,000, at least 1,000. */
  readonly agents?: number;
  /** Repetitions; the median counts. Default 5. */
  readonly rounds?: number;
}

const ANY: Rule = { allows: () => true, describe: 'anything' };
const RULES: Record<keyof MeasureOptions, Rule> = {
  config: ANY,
  agents: integer(1_000, 1_000_000),
  rounds: integer(3, 99),
};

/** A figure whose repetitions differ by more than this says nothing. */
const LARGEST_ERROR_PCT = 25;
/** Entries per round are as many as this time and this memory allow; at least two, as the first is excluded. */
const ENTRY_ROUND_MS = 300;
const ENTRY_ROUND_BYTES = 128 * 2 ** 20;
const MOST_ENTRIES = 100;

let forceGc: (() => void) | undefined = undefined;

function collect(): void {
  if (forceGc === undefined) {
    setFlagsFromString('--expose-gc');
    forceGc = runInNewContext('gc') as () => void;
  }
  // The second collection takes what finalizers of the first let go.
  forceGc();
  forceGc();
}

function retainedBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

interface Sample {
  readonly medianKib: number;
  /** Half the spread of the rounds, KiB. */
  readonly halfSpreadKib: number;
}

function sampleOf(bytes: readonly number[]): Sample {
  const sorted = bytes.map((value) => value / 1024).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number;
  return { medianKib: Math.max(0, at(0.5)), halfSpreadKib: (at(1) - at(0)) / 2 };
}

const NOTHING: Sample = { medianKib: 0, halfSpreadKib: 0 };

/**
 * Measures one registered type and keeps the figures for snapshots.
 *
 * Heap, external memory and array buffers are counted after forced collections; child processes by their
 * proportional set size (Linux only); what `static footprint` reports is added to the entry.
 *
 * @returns figures in KiB; `null` for what could not be measured or varied too much.
 * @throws SophiaError TYPE_UNKNOWN, ARGUMENT_INVALID; and what `static create` throws.
 */
export async function measureMemory(
  optimizer: AgnoPerformanceOptimizer,
  agentClass: AnyAgentClass,
  options: MeasureOptions = {},
): Promise<MemoryFigures> {
  checkOptions('The options of measureMemory', options, RULES, ARGUMENT_CODES);
  const reuse = optimizer.reuseOf(agentClass);
  const { config, agents = 2_000, rounds = 5 } = options;
  const agent = measureAgents(agentClass, config, agents, rounds);
  const entries = await measureEntries(agentClass, config, rounds);
  const isShared = reuse === 'shared';
  const parts = isShared ? [agent] : [agent, entries.heap, entries.processes];
  const total = parts.reduce((sum, part) => sum + part.medianKib, 0);
  const errorPct = total === 0 ? null : (100 * parts.reduce((sum, part) => sum + part.halfSpreadKib, 0)) / total;
  const isSound = errorPct !== null && errorPct <= LARGEST_ERROR_PCT;
  const figures: MemoryFigures = {
    memoryPerAgentKib: isSound ? total : null,
    agentKib: agent.medianKib,
    entryKib: isShared ? null : entries.heap.medianKib,
    processKib: entries.processesSeen && !isShared ? entries.processes.medianKib : null,
    sharedKib: isShared ? entries.heap.medianKib + entries.processes.medianKib : null,
    method: entries.processesSeen
      ? 'retained heap and external memory after forced collections, PSS of child processes'
      : 'retained heap and external memory after forced collections, child processes not visible on this system',
    samples: agents * rounds + entries.created,
    errorPct,
    measuredAt: new Date().toISOString(),
  };
  optimizer.setMemory(agentClass, figures);
  return figures;
}

/** The light objects: each with its lease, as a borrower's, but without a pool behind it. */
function measureAgents(agentClass: AnyAgentClass, config: unknown, agents: number, rounds: number): Sample {
  const home = { type: agentClass.type } as LeaseHome;
  const entry = new Entry(0, {} as Shelf, 0, false);
  const perAgent: number[] = [];
  // The round before the first compiles the constructor and settles the shapes of its objects.
  for (let round = -1; round < rounds; round += 1) {
    const kept: object[] = Array.from({ length: agents });
    const before = retainedBytes();
    for (let index = 0; index < agents; index += 1) {
      kept[index] = construct(agentClass, new Lease(index, home, entry, {}, 0), config);
    }
    const bytes = (retainedBytes() - before) / agents;
    if (round >= 0) perAgent.push(bytes);
    kept.length = 0;
  }
  return sampleOf(perAgent);
}

interface EntryMeasure {
  readonly heap: Sample;
  readonly processes: Sample;
  readonly processesSeen: boolean;
  readonly created: number;
}

/** What one more entry costs: entries beside the pool's, the first of them excluded, destroyed afterwards. */
async function measureEntries(
  agentClass: AnyAgentClass & AnyHooks,
  config: unknown,
  rounds: number,
): Promise<EntryMeasure> {
  const processesSeen = (await childProcesses()) !== null;
  if (agentClass.create === undefined) return { heap: NOTHING, processes: NOTHING, processesSeen, created: 0 };
  const heap: number[] = [];
  const processes: number[] = [];
  let created = 1;
  const first = await timedCreate(agentClass, config);
  try {
    const count = entriesPerRound(first.ms, first.bytes);
    const entryRounds = count === 2 ? Math.min(rounds, 3) : rounds;
    for (let round = 0; round < entryRounds; round += 1) {
      const measured = await measureRound(agentClass, config, count);
      heap.push(measured.heapBytes / count);
      processes.push(measured.processBytes / count);
      created += count;
    }
  } finally {
    await agentClass.destroy?.(first.resources);
  }
  return { heap: sampleOf(heap), processes: sampleOf(processes), processesSeen, created };
}

async function timedCreate(
  agentClass: AnyAgentClass & AnyHooks,
  config: unknown,
): Promise<{ resources: unknown; ms: number; bytes: number }> {
  const before = retainedBytes();
  const startMs = performance.now();
  const resources = await createOne(agentClass, config);
  // Asking for the footprint may cost more than the creation: it, too, is paid once per entry.
  await agentClass.footprint?.(resources);
  const ms = performance.now() - startMs;
  return { resources, ms, bytes: Math.max(0, retainedBytes() - before) };
}

function createOne(agentClass: AnyAgentClass & AnyHooks, config: unknown): unknown {
  const { signal } = new AbortController();
  const key = agentClass.key?.(config);
  return agentClass.create?.({ key, signal, retire: () => undefined, log: () => undefined });
}

function entriesPerRound(createMs: number, bytes: number): number {
  const byTime = Math.floor(ENTRY_ROUND_MS / Math.max(createMs, 0.1));
  const byMemory = Math.floor(ENTRY_ROUND_BYTES / Math.max(bytes, 1));
  return Math.max(2, Math.min(byTime, byMemory, MOST_ENTRIES));
}

async function measureRound(
  agentClass: AnyAgentClass & AnyHooks,
  config: unknown,
  count: number,
): Promise<{ heapBytes: number; processBytes: number }> {
  const resources: unknown[] = [];
  try {
    const children = await childProcesses();
    const before = retainedBytes();
    for (let made = 0; made < count; made += 1) resources.push(await createOne(agentClass, config));
    let heapBytes = retainedBytes() - before;
    for (const each of resources) heapBytes += (await agentClass.footprint?.(each)) ?? 0;
    const known = new Set(children);
    const own = (await childProcesses())?.filter((pid) => !known.has(pid)) ?? [];
    const kib = await Promise.all(own.map((pid) => proportionalKib(pid)));
    return { heapBytes, processBytes: kib.reduce((sum, each) => sum + each, 0) * 1024 };
  } finally {
    await Promise.all(resources.map((each) => agentClass.destroy?.(each)));
  }
}
