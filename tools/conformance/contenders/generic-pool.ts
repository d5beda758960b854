/** generic-pool: the resource itself is lent and given back. */

import type { Contender, Loan, ProbedPool, Resource, Settings } from '../contender.ts';
import { load } from '../load.ts';

interface GenericPool {
  acquire(): Promise<Resource>;
  release(resource: Resource): Promise<void>;
  destroy(resource: Resource): Promise<void>;
  use(work: (resource: Resource) => Promise<void>): Promise<void>;
  drain(): Promise<void>;
  clear(): Promise<void>;
}

interface Door {
  createPool(factory: object, options: object): GenericPool;
}

export const genericPool: Contender = {
  name: 'generic-pool',
  package: 'generic-pool',
  abort: 'none',
  validates: 'async',
  closesByDeadline: false,
  open,
};

function open({ max, waitMs, hookMs, create, destroy, validate }: Settings): ProbedPool {
  const pool = load<Door>('generic-pool').createPool(
    { create, destroy, ...(validate === undefined ? {} : { validate }) },
    {
      max,
      min: 0,
      acquireTimeoutMillis: waitMs,
      destroyTimeoutMillis: hookMs,
      testOnBorrow: validate !== undefined,
    },
  );
  return {
    async acquire(): Promise<Loan> {
      const resource = await pool.acquire();
      return { resource, release: () => pool.release(resource), discard: () => pool.destroy(resource) };
    },
    use: (work) => pool.use(work),
    releaseForeign: (thing) => pool.release(thing),
    close: () => pool.drain().then(() => pool.clear()),
  };
}
