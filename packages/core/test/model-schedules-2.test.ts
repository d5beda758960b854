import { testSchedules } from './support/model.ts';

testSchedules(2_000);
