/** Runs every test file that some promise needs, once, two at a time, and keeps what each said. */

import { globSync } from 'node:fs';

import { runTests } from '../../test/mutations/test-run.ts';
import type { TestRun } from '../../test/mutations/test-run.ts';
import type { PoolPromise } from './promises.ts';

const AT_ONCE = 2;
/** Sequences of a quick run, as a share of those of a full one. */
const QUICK_SHARE = 0.1;
/** A schedule takes three times as long as a history, so there are fewer. */
const SCHEDULES_SHARE = 0.05;
/** These take minutes; begun last, one of them alone would be the end. */
const LONG = /canary\.test|model-|outcome-matrix|growth/;

export interface Size {
  readonly isQuick: boolean;
  /** A file that takes longer is killed. */
  readonly limitMs: number;
}

/** By pattern the files that it stands for; a pattern without any stands for a missing file. */
type Found = ReadonlyMap<string, readonly string[]>;

export interface Gathered {
  readonly found: Found;
  readonly runs: ReadonlyMap<string, TestRun>;
}

export async function gather(root: string, promises: readonly PoolPromise[], size: Size): Promise<Gathered> {
  const found = find(root, promises);
  const runs = new Map<string, TestRun>();
  const orders = ordersFor(promises, found, size);
  const left = orders.entries();
  const lane = async (): Promise<void> => {
    for (const [file, env] of left) {
      const run = await runTests({ root, files: [file], env, limitMs: size.limitMs });
      runs.set(file, run);
      console.error(progress(file, run, `${runs.size}/${orders.size}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { found, runs };
}

function find(root: string, promises: readonly PoolPromise[]): Found {
  const patterns = promises.flatMap(({ evidence }) => evidence.flatMap(({ files }) => files));
  return new Map(patterns.map((pattern) => [pattern, globSync(pattern, { cwd: root }).toSorted()]));
}

/** The environment of each file, the longest first. */
function ordersFor(
  promises: readonly PoolPromise[],
  found: Found,
  { isQuick }: Pick<Size, 'isQuick'>,
): Map<string, Record<string, string>> {
  const orders = new Map<string, Record<string, string>>();
  const size: Record<string, string> = isQuick ? {} : { SOPHIA_PROVE: 'full' };
  for (const promise of promises) {
    const files = filesOf(promise, found);
    const wanted = sequencesWanted(promise, { isQuick });
    for (const file of files) {
      const runs = wanted === 0 ? {} : { SOPHIA_MODEL_RUNS: String(sequencesOf(file, files, wanted)) };
      orders.set(file, { ...orders.get(file), ...size, ...runs });
    }
  }
  const isShort = ([file]: [string, unknown]): number => Number(!LONG.test(file));
  return new Map([...orders].toSorted((a, b) => isShort(a) - isShort(b)));
}

/** How many of the wanted sequences one of the model's files runs. */
function sequencesOf(file: string, files: readonly string[], wanted: number): number {
  const isSchedules = (each: string): boolean => each.includes('schedules');
  const alike = files.filter((each) => isSchedules(each) === isSchedules(file)).length;
  const hasBoth = alike < files.length;
  const share = !hasBoth ? 1 : isSchedules(file) ? SCHEDULES_SHARE : 1 - SCHEDULES_SHARE;
  return Math.ceil((wanted * share) / alike);
}

function filesOf({ evidence }: PoolPromise, found: Found): string[] {
  return evidence.flatMap(({ files }) => files.flatMap((pattern) => found.get(pattern) ?? []));
}

/** The sequences that a promise asks for at this size. */
export function sequencesWanted({ sequences = 0 }: PoolPromise, { isQuick }: Pick<Size, 'isQuick'>): number {
  return sequences * (isQuick ? QUICK_SHARE : 1);
}

function progress(file: string, { results, brokenFiles, timedOut, ms }: TestRun, place: string): string {
  const failed = results.filter(({ outcome }) => outcome === 'failed').length + brokenFiles.length;
  const verdict = timedOut ? 'killed' : failed > 0 ? `${failed} FAILED` : `${results.length} passed`;
  return `  ${place} ${file}: ${verdict}, ${(ms / 1_000).toFixed(1)} s`;
}
