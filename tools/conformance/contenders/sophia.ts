/** Our own pool, by the same adapter as everybody else's. */

import { Agent, AgnoPerformanceOptimizer } from '@sophia-ai/core';
import type { CreateContext, PoolOptions } from '@sophia-ai/core';
import type { BorrowOptions, Contender, Loan, ProbedPool, Resource, Settings } from '../contender.ts';

export const sophia: Contender = {
  name: 'Sophia',
  package: '@sophia-ai/core',
  abort: 'signal',
  validates: 'async',
  closesByDeadline: true,
  open,
};

/** What a root of nested borrowing waits for before it borrows its second agent. */
type Barrier = () => Promise<void>;

function open({ max, waitMs, hookMs, create, destroy, validate, reset }: Settings): ProbedPool {
  class Probed extends Agent<void, Resource, Barrier, void> {
    static override readonly type: string = 'probed';
    static override readonly pool: PoolOptions = {
      max,
      waitMs,
      createTimeoutMs: hookMs,
      resetTimeoutMs: hookMs,
      validateTimeoutMs: hookMs,
      destroyTimeoutMs: hookMs,
      ...(validate === undefined ? {} : { validateEveryMs: 50, validateAfterIdleMs: 0 }),
    };

    static readonly reset = reset ?? 'stateless';
    static readonly validate = validate ?? (() => true);
    static readonly destroy = destroy;

    static async create({ retire }: CreateContext): Promise<Resource> {
      const resource = await create();
      resource.announceDeath = () => retire('it ended by itself');
      return resource;
    }

    protected override async execute(allHold: Barrier): Promise<void> {
      await allHold();
      const second = await this.pooled(Probed);
      second.release();
    }
  }

  const optimizer = new AgnoPerformanceOptimizer();
  return {
    async acquire(options: BorrowOptions = {}): Promise<Loan> {
      const agent = await optimizer.pooled(Probed, undefined, options);
      return {
        resource: agent.resources,
        release: () => agent.release(),
        discard: () => agent.discard(),
      };
    },
    use: (work) => optimizer.use(Probed, undefined, (agent) => work(agent.resources)),
    // What is given back here are agents: one that was never lent is made with new.
    releaseForeign: () => optimizer.release(new Probed()),
    nest: (allHold) => optimizer.use(Probed, undefined, (agent) => agent.run(allHold)),
    close: (deadlineMs) => optimizer.close({ timeoutMs: deadlineMs }),
  };
}
