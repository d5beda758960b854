/** lightning-pool: the resource itself is lent and given back; it resets and validates. */

import type { Contender, Loan, ProbedPool, Resource, Settings } from '../contender.ts';
import { load } from '../load.ts';

interface LightningPool {
  acquire(): Promise<Resource>;
  releaseAsync(resource: Resource): Promise<void>;
  destroyAsync(resource: Resource): Promise<void>;
  closeAsync(terminateWaitMs: number): Promise<void>;
}

interface Door {
  createPool(factory: object, options: object): LightningPool;
}

export const lightningPool: Contender = {
  name: 'lightning-pool',
  package: 'lightning-pool',
  abort: 'none',
  validates: 'async',
  closesByDeadline: true,
  open,
};

function open({ max, waitMs, create, destroy, validate, reset }: Settings): ProbedPool {
  const pool = load<Door>('lightning-pool').createPool(
    {
      create,
      destroy,
      ...(validate === undefined ? {} : { validate }),
      ...(reset === undefined ? {} : { reset }),
    },
    { max, acquireTimeoutMillis: waitMs },
  );
  return {
    async acquire(): Promise<Loan> {
      const resource = await pool.acquire();
      return { resource, release: () => pool.releaseAsync(resource), discard: () => pool.destroyAsync(resource) };
    },
    releaseForeign: (thing) => pool.releaseAsync(thing),
    close: (deadlineMs) => pool.closeAsync(deadlineMs),
  };
}
