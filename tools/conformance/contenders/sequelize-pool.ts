/** sequelize-pool: the resource itself is lent and given back; its validate is synchronous and must exist. */

import type { Contender, Loan, ProbedPool, Resource, Settings } from '../contender.ts';
import { load } from '../load.ts';

interface SequelizePool {
  acquire(): Promise<Resource>;
  release(resource: Resource): void;
  destroy(resource: Resource): Promise<void>;
  drain(): Promise<void>;
  destroyAllNow(): Promise<void>;
}

interface Door {
  readonly Pool: new (factory: object) => SequelizePool;
}

export const sequelizePool: Contender = {
  name: 'sequelize-pool',
  package: 'sequelize-pool',
  abort: 'none',
  validates: 'sync',
  closesByDeadline: false,
  open,
};

function open({ max, waitMs, create, destroy, validate }: Settings): ProbedPool {
  const { Pool } = load<Door>('sequelize-pool');
  const pool = new Pool({
    create,
    destroy,
    validate: validate ?? (() => true),
    min: 0,
    max,
    acquireTimeoutMillis: waitMs,
  });
  return {
    async acquire(): Promise<Loan> {
      const resource = await pool.acquire();
      return { resource, release: () => pool.release(resource), discard: () => pool.destroy(resource) };
    },
    releaseForeign: (thing) => pool.release(thing),
    close: () => pool.drain().then(() => pool.destroyAllNow()),
  };
}
