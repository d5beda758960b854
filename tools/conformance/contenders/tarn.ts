/** tarn, the pool of knex: the resource itself is lent and given back; its validate decides about destroying. */

import type { BorrowOptions, Contender, Loan, ProbedPool, Resource, Settings } from '../contender.ts';
import { load } from '../load.ts';

interface PendingAcquire {
  readonly promise: Promise<Resource>;
  abort(): void;
}

interface TarnPool {
  acquire(): PendingAcquire;
  release(resource: Resource): boolean;
  destroy(): Promise<unknown>;
}

interface Door {
  readonly Pool: new (options: object) => TarnPool;
}

export const tarn: Contender = {
  name: 'tarn',
  package: 'tarn',
  abort: 'own',
  validates: 'async',
  closesByDeadline: false,
  open,
};

function open({ max, waitMs, hookMs, create, destroy, validate }: Settings): ProbedPool {
  const discarded = new WeakSet<Resource>();
  const { Pool } = load<Door>('tarn');
  const pool = new Pool({
    create,
    destroy,
    // The only way to have a resource destroyed is to find it invalid.
    validate: (resource: Resource) => !discarded.has(resource) && (validate?.(resource) ?? true),
    min: 0,
    max,
    acquireTimeoutMillis: waitMs,
    createTimeoutMillis: hookMs,
    destroyTimeoutMillis: hookMs,
  });
  return {
    async acquire({ signal }: BorrowOptions = {}): Promise<Loan> {
      const pending = pool.acquire();
      signal?.addEventListener('abort', () => pending.abort());
      const resource = await pending.promise;
      return {
        resource,
        release: () => pool.release(resource),
        discard: () => {
          discarded.add(resource);
          return pool.release(resource);
        },
      };
    },
    releaseForeign: (thing) => pool.release(thing),
    close: () => pool.destroy(),
  };
}
