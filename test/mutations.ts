/**
 * Plants every known bug, one after the other, and reports which test noticed it: `npm run mutations`.
 * Names after the command choose some: `npm run mutations -- 'reset skipped' 'breaker never opens'`.
 */

import { parseArgs } from 'node:util';

import { hunt } from './mutations/hunt.ts';
import type { Verdict } from './mutations/hunt.ts';
import { MUTATIONS, mutationNamed } from './mutations/table.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const startMs = performance.now();
const planted = positionals.length === 0 ? MUTATIONS : positionals.map(mutationNamed);
const verdicts = await hunt(planted, { onVerdict: print });
const missed = verdicts.filter(({ kind }) => kind !== 'caught');
const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
console.log(`${planted.length} bugs planted, ${planted.length - missed.length} caught, in ${seconds} s`);
if (missed.length > 0) {
  console.error(`not caught:\n${missed.map(({ mutation, how }) => `  ${mutation.name}: ${how}`).join('\n')}`);
  process.exitCode = 1;
}

function print({ mutation: { name, promise }, kind, how, ms }: Verdict): void {
  const verdict = kind === 'caught' ? 'caught by' : kind === 'survived' ? 'NOT CAUGHT:' : 'UNUSABLE:';
  console.log(`${String(promise).padStart(5)}  ${name}: ${verdict} ${how} (${(ms / 1_000).toFixed(1)} s)`);
}
