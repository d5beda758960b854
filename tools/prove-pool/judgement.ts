/** Whether a promise is kept, by what its tests said. What is missing is no evidence: it breaks the promise. */

import type { TestResult } from '../../test/mutations/test-run.ts';
import type { Gathered } from './gathering.ts';
import type { Evidence, PoolPromise } from './promises.ts';

/** How the model tests say how much they did, in their names. */
const SEQUENCES = /([\d,]+) (?:random )?(?:histories|schedules)/;

const SEED = /\bSOPHIA_\w*SEED\b|^seed \d+$/;

export interface Judgement {
  readonly promise: PoolPromise;
  /** Lines that show how much was done. */
  readonly shown: readonly string[];
  /** Why it is broken; empty when it is kept. */
  readonly broken: readonly string[];
}

export function judge(promise: PoolPromise, gathered: Gathered, sequencesWanted: number): Judgement {
  const broken: string[] = [];
  const results: TestResult[] = [];
  const notes: string[] = [];
  const files = new Set<string>();
  for (const evidence of promise.evidence) {
    for (const file of filesOf(evidence, gathered, broken)) {
      if (files.has(file)) continue;
      files.add(file);
      const run = gathered.runs.get(file);
      if (run === undefined) continue;
      const shownBy = run.results.filter(({ name }) => evidence.named?.test(name) ?? true);
      if (shownBy.length === 0 && run.brokenFiles.length === 0) broken.push(`${file} has no test to show`);
      // A test may be written in a file that several test files share.
      for (const { name, outcome, message } of shownBy) results.push({ name, outcome, message, file });
      notes.push(...run.notes.map(({ text }) => text));
      if (run.timedOut) broken.push(`${file} hangs: it was killed after ${(run.ms / 1_000).toFixed(0)} s`);
      for (const { message } of run.brokenFiles) broken.push(`${file} fails as a whole: ${message}`);
    }
  }
  for (const { name, outcome, file } of results) if (outcome === 'failed') broken.push(`${name} (${file})`);
  const sequences = results.reduce((sum, { name }) => sum + sequencesIn(name), 0);
  if (sequences < sequencesWanted) {
    broken.push(`${sequences.toLocaleString('en')} random sequences ran, not ${sequencesWanted.toLocaleString('en')}`);
  }
  // Seeds are for whoever repeats a failure.
  const told = [...new Set(notes)].filter((note) => broken.length > 0 || !SEED.test(note));
  const shown = [counts(results, files.size), ...told];
  if (sequences > 0) shown.push(`${sequences.toLocaleString('en')} random sequences`);
  return { promise, shown, broken };
}

function filesOf({ files }: Evidence, { found }: Gathered, broken: string[]): string[] {
  return files.flatMap((pattern) => {
    const matching = found.get(pattern) ?? [];
    if (matching.length === 0) broken.push(`${pattern} is missing`);
    return matching;
  });
}

function sequencesIn(name: string): number {
  return Number(SEQUENCES.exec(name)?.[1]?.replaceAll(',', '') ?? 0);
}

/** Skipped and expected failures are named, so that nobody takes them for evidence. */
function counts(results: readonly TestResult[], files: number): string {
  const of = (outcome: TestResult['outcome']): number => results.filter((each) => each.outcome === outcome).length;
  const parts = [`${of('passed')} tests passed in ${files} ${files === 1 ? 'file' : 'files'}`];
  for (const outcome of ['failed', 'skipped', 'todo'] as const)
    if (of(outcome) > 0) parts.push(`${of(outcome)} ${outcome}`);
  return parts.join(', ');
}
