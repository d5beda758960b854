/** A bug on purpose: what is replaced where, and which tests have to notice. */

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The number of a promise of the pool, or the name of a proof beside the numbered ones. */
export type PromiseId = number | 'keys' | 'model';

export interface Mutation {
  /** Says the bug in a few words; also how it is chosen on the command line. */
  readonly name: string;
  /** The promise that it breaks. */
  readonly promise: PromiseId;
  /** Under `packages/core/src`. */
  readonly file: string;
  /** Text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The test files that must notice, under `packages/core/test`, without `.test.ts`; may hold wildcards. */
  readonly tests: readonly string[];
  /** Pattern of the names of the tests to run; all without it. */
  readonly testName?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its tests take longer than `npm test` may; only the proof plants it. */
  readonly isSlow?: true;
}

export const TESTS = 'packages/core/test';

export function sourceOf({ file }: Mutation, root: string): string {
  return join(root, 'packages/core/src', file);
}

/** Where the named tests stand, relative to `root`; a name that matches nothing stays, so that its absence shows. */
export function testFilesOf({ tests }: Mutation, root: string): string[] {
  return tests.flatMap((name) => {
    const pattern = `${TESTS}/${name}.test.ts`;
    const found = globSync(pattern, { cwd: root }).toSorted();
    return found.length === 0 ? [pattern] : found;
  });
}

/** Why the mutation cannot be planted any more, if so. */
export function outdated(mutation: Mutation, root: string): string | undefined {
  const count = readFileSync(sourceOf(mutation, root), 'utf8').split(mutation.find).length - 1;
  if (count === 1) return undefined;
  return `the mutation '${mutation.name}' is out of date: its text occurs ${count} times in ${mutation.file}, not once`;
}

/** Plants the bug. @returns what takes it out again. */
export function plant(mutation: Mutation, root: string): () => void {
  const why = outdated(mutation, root);
  if (why !== undefined) throw new Error(why);
  const path = sourceOf(mutation, root);
  const sound = readFileSync(path, 'utf8');
  // A function, because `$` has a meaning in a replacement text.
  const faulty = sound.replace(mutation.find, () => mutation.replace);
  if (faulty === sound) throw new Error(`the mutation '${mutation.name}' changes nothing`);
  writeFileSync(path, faulty);
  return () => writeFileSync(path, sound);
}
