/** The pools that are compared, ours first. */

import type { Contender } from './contender.ts';
import { effect } from './contenders/effect.ts';
import { genericPool } from './contenders/generic-pool.ts';
import { lightningPool } from './contenders/lightning-pool.ts';
import { pgPool } from './contenders/pg-pool.ts';
import { sequelizePool } from './contenders/sequelize-pool.ts';
import { sophia } from './contenders/sophia.ts';
import { tarn } from './contenders/tarn.ts';

export const CONTENDERS: readonly Contender[] = [
  sophia,
  genericPool,
  tarn,
  lightningPool,
  sequelizePool,
  pgPool,
  effect,
];
