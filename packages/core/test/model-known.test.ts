import { readFileSync } from 'node:fs';
import { testKnownHistories } from './support/model.ts';

testKnownHistories(readFileSync(new URL('fixtures/histories.txt', import.meta.url), 'utf8'));
