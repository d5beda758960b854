/** pg-pool, the pool of node-postgres, with a client that pretends: it connects by `create` and ends by `destroy`. */

import { EventEmitter } from 'node:events';
import type { Contender, Loan, ProbedPool, Resource, Settings } from '../contender.ts';
import { load } from '../load.ts';

interface PgClient extends EventEmitter {
  readonly resource: Resource;
  release(destroy?: boolean): void;
}

interface PgPool extends EventEmitter {
  connect(): Promise<PgClient>;
  end(): Promise<void>;
}

type Door = new (options: object) => PgPool;

type Callback = (error?: unknown) => void;

export const pgPool: Contender = {
  name: 'pg-pool',
  package: 'pg-pool',
  abort: 'none',
  validates: 'no',
  closesByDeadline: false,
  open,
};

function open({ max, waitMs, create, destroy }: Settings): ProbedPool {
  /** As much of the real client as the pool touches. */
  class Client extends EventEmitter {
    readonly _queryable = true;
    _ending = false;
    resource: Resource | undefined = undefined;
    #connected: Callback = () => undefined;
    /** How the pool gives up a connection that does not come. */
    readonly connection = {
      stream: { destroy: (): void => this.#connected(new Error('Connection terminated unexpectedly')) },
    };

    connect(callback: Callback): void {
      this.#connected = (error) => {
        this.#connected = () => undefined;
        callback(error);
      };
      Promise.try(create).then(
        (resource) => {
          resource.announceDeath = () => this.emit('error', new Error('Connection terminated unexpectedly'));
          this.resource = resource;
          this.#connected();
        },
        (error: unknown) => this.#connected(error),
      );
    }

    end(callback?: Callback): void {
      this._ending = true;
      const { resource } = this;
      Promise.try(() => (resource === undefined ? undefined : destroy(resource))).then(
        () => callback?.(),
        (error: unknown) => callback?.(error),
      );
    }
  }

  const Pool = load<Door>('pg-pool');
  // One limit for both: waiting in the queue and connecting.
  const pool = new Pool({ Client, max, connectionTimeoutMillis: waitMs });
  // It asks for this: else an idle client that breaks would end the process.
  pool.on('error', () => undefined);
  return {
    async acquire(): Promise<Loan> {
      const client = await pool.connect();
      // As its users write it. Its older callback gives each borrower a function of its own instead.
      return { resource: client.resource, release: () => client.release(), discard: () => client.release(true) };
    },
    close: () => pool.end(),
  };
}
