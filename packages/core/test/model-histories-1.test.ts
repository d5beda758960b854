import { testHistories } from './support/model.ts';

testHistories(4_000);
