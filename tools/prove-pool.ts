/**
 * `npm run prove:pool`: the evidence for each promise of the pool, one block per promise; exit code 0 only if all are
 * kept. `--quick` does a tenth, `--only 1,4,keys` some promises, `--mutate <name>` plants that bug in a copy first and
 * proves the promise that it breaks: it must end with 1 and name the promise.
 */

import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';

import { hunt } from '../test/mutations/hunt.ts';
import { plant } from '../test/mutations/mutation.ts';
import { copyRepository, removeCopy, REPOSITORY } from '../test/mutations/repository-copy.ts';
import { chosen, MUTATIONS, mutationNamed } from '../test/mutations/table.ts';
import { gather, sequencesWanted } from './prove-pool/gathering.ts';
import type { Size } from './prove-pool/gathering.ts';
import { judge } from './prove-pool/judgement.ts';
import type { Judgement } from './prove-pool/judgement.ts';
import { PROMISES, promisesNamed } from './prove-pool/promises.ts';
import type { PoolPromise } from './prove-pool/promises.ts';

/** A full canary takes minutes; a file of a pool with a planted bug may never end. */
const LIMIT_MS = { full: 1_200_000, quick: 600_000, mutated: 120_000 };
const MOST_NOTES = 16;
const MOST_FAULTS = 5;

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, mutate: { type: 'string' } },
});
const isQuick = values.quick === true;
const startMs = performance.now();
const judgements = values.mutate === undefined ? await proveHere(selected()) : await proveMutated(values.mutate);
const broken = judgements.filter((each) => each.broken.length > 0);
const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
console.log(`${judgements.length - broken.length} of ${judgements.length} kept, in ${minutes} minutes`);
if (broken.length > 0) {
  console.log(`BROKEN: ${broken.map(({ promise: { id, name } }) => `${id} (${name})`).join(', ')}`);
  process.exitCode = 1;
}

function selected(): readonly PoolPromise[] {
  return values.only === undefined ? PROMISES : promisesNamed(values.only.split(','));
}

async function proveHere(promises: readonly PoolPromise[]): Promise<Judgement[]> {
  const tested = await prove(REPOSITORY, promises, { isQuick, limitMs: isQuick ? LIMIT_MS.quick : LIMIT_MS.full });
  const judged = await Promise.all(tested.map((each) => (each.promise.id === 'mutations' ? proveTests(each) : each)));
  const all = isQuick ? judged : judged.map((each) => (each.promise.id === 14 ? withRatio(each) : each));
  for (const each of all) print(each);
  return all;
}

async function proveMutated(name: string): Promise<Judgement[]> {
  const mutation = mutationNamed(name);
  const copy = copyRepository();
  try {
    plant(mutation, copy);
    console.log(`planted: ${name}, in ${mutation.file}\n`);
    // A planted bug shows at a small size, or its test is too weak.
    const size = { isQuick: true, limitMs: LIMIT_MS.mutated };
    const judgements = await prove(copy, promisesNamed([String(mutation.promise)]), size);
    for (const each of judgements) print(each);
    return judgements;
  } finally {
    removeCopy(copy);
  }
}

async function prove(root: string, promises: readonly PoolPromise[], size: Size): Promise<Judgement[]> {
  const gathered = await gather(root, promises, size);
  return promises.map((promise) => judge(promise, gathered, sequencesWanted(promise, size)));
}

/** Plants every bug, or a tenth of them, and sees that the tests notice. */
async function proveTests({ promise }: Judgement): Promise<Judgement> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const planted = isQuick ? chosen(Math.ceil(MUTATIONS.length / 10), seed) : MUTATIONS;
  const verdicts = await hunt(planted);
  const missed = verdicts.filter(({ kind }) => kind !== 'caught');
  return {
    promise,
    shown: [`${planted.length} bugs planted, ${planted.length - missed.length} caught`],
    broken: missed.map(({ mutation, how }) => `${mutation.name}: ${how}`),
  };
}

/** The bench says what a warm cycle costs, as information: on a shared machine it decides nothing. */
function withRatio(judgement: Judgement): Judgement {
  const args = ['--conditions=@sophia-ai/source', 'bench/pooled-cycle.ts'];
  const output = execFileSync(process.execPath, args, { cwd: REPOSITORY, encoding: 'utf8' });
  return { ...judgement, shown: [...judgement.shown, ...output.trimEnd().split('\n')] };
}

function print({ promise: { id, name, words }, shown, broken }: Judgement): void {
  console.log(`${id}. ${name}: ${words}`);
  printSome(shown, MOST_NOTES);
  if (broken.length === 0) console.log('     kept');
  printSome(
    broken.map((why) => `BROKEN: ${why}`),
    MOST_FAULTS,
  );
  console.log('');
}

function printSome(lines: readonly string[], most: number): void {
  for (const line of lines.slice(0, most)) console.log(`     ${line}`);
  if (lines.length > most) console.log(`     … and ${lines.length - most} more`);
}
