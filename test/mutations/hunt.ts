/** Plants one bug after the other in copies of the repository and sees whether the tests that are named for it notice. */

import { outdated, plant, testFilesOf } from './mutation.ts';
import type { Mutation } from './mutation.ts';
import { copyRepository, removeCopy } from './repository-copy.ts';
import { runTests } from './test-run.ts';
import type { TestRun } from './test-run.ts';

/** A pool that hangs is a found bug, but the hunt goes on. */
const LIMIT_MS = 90_000;

export interface Verdict {
  readonly mutation: Mutation;
  /** `unusable`: the mutation or its tests have to be mended before anything can be said. */
  readonly kind: 'caught' | 'survived' | 'unusable';
  /** By which test, or why not. */
  readonly how: string;
  readonly ms: number;
}

export interface HuntOptions {
  /** How many at a time, each in a copy of its own. Default 2. */
  readonly lanes?: number;
  /** Called as soon as one is judged. */
  readonly onVerdict?: (verdict: Verdict) => void;
}

/** @returns the verdicts in the order of the mutations. */
export async function hunt(
  mutations: readonly Mutation[],
  { lanes = 2, onVerdict }: HuntOptions = {},
): Promise<Verdict[]> {
  const verdicts = new Map<Mutation, Verdict>();
  const left = mutations.values();
  /** What the named tests say of the sound source; many mutations share theirs. */
  const sound = new Map<string, Promise<string | undefined>>();
  const lane = async (): Promise<void> => {
    const copy = copyRepository();
    try {
      for (const mutation of left) {
        const verdict = await judge(mutation, copy, sound);
        verdicts.set(mutation, verdict);
        onVerdict?.(verdict);
      }
    } finally {
      removeCopy(copy);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, mutations.length) }, lane));
  return mutations.map((mutation) => verdicts.get(mutation) as Verdict);
}

async function judge(
  mutation: Mutation,
  copy: string,
  sound: Map<string, Promise<string | undefined>>,
): Promise<Verdict> {
  const startMs = performance.now();
  const verdict = (kind: Verdict['kind'], how: string): Verdict => {
    return { mutation, kind, how, ms: performance.now() - startMs };
  };
  const why = outdated(mutation, copy);
  if (why !== undefined) return verdict('unusable', why);
  const key = JSON.stringify([mutation.tests, mutation.testName, mutation.env]);
  let before = sound.get(key);
  if (before === undefined) {
    before = run(mutation, copy).then(redBefore);
    sound.set(key, before);
  }
  const red = await before;
  if (red !== undefined) return verdict('unusable', red);
  const mend = plant(mutation, copy);
  try {
    const [kind, how] = found(await run(mutation, copy));
    return verdict(kind, how);
  } finally {
    mend();
  }
}

function run(mutation: Mutation, root: string): Promise<TestRun> {
  const { testName, env } = mutation;
  return runTests({ root, files: testFilesOf(mutation, root), testName, env, limitMs: LIMIT_MS });
}

/** Why the tests of the sound source prove nothing, if so. */
function redBefore({ results, brokenFiles, timedOut }: TestRun): string | undefined {
  if (timedOut) return `its tests do not end within ${LIMIT_MS / 1_000} s, before any bug was planted`;
  const [broken] = brokenFiles;
  if (broken !== undefined) return `${broken.file} is red before any bug was planted: ${broken.message}`;
  const failed = results.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) return `'${failed.name}' is red before any bug was planted: ${firstLine(failed.message)}`;
  return results.some(({ outcome }) => outcome === 'passed') ? undefined : 'its tests do not exist';
}

function found({ results, brokenFiles, timedOut }: TestRun): [Verdict['kind'], string] {
  const failed = results.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) return ['caught', `'${failed.name}'`];
  if (timedOut) return ['caught', `its tests, which hang: killed after ${LIMIT_MS / 1_000} s`];
  const [broken] = brokenFiles;
  // A file that cannot be loaded would be red whatever its tests look at.
  if (broken !== undefined) return ['unusable', `${broken.file} fails as a whole: ${broken.message}`];
  return ['survived', `all ${results.length} tests stay green`];
}

function firstLine(text: string | undefined): string {
  return text?.split('\n', 1)[0] ?? '';
}
