/** The Pool of effect: a loan lasts as long as a scope. Its limits are those that effect puts around any work. */

import type { BorrowOptions, Contender, Loan, ProbedPool, Resource, Settings } from '../contender.ts';
import { load } from '../load.ts';

/** A description of work. The real type has three parameters; here nothing depends on them. */
type Work<Value> = { readonly value?: Value };
type Exit<Value> =
  | { readonly _tag: 'Success'; readonly value: Value }
  | { readonly _tag: 'Failure'; readonly cause: unknown };
type Scope = object;
type EffectPool = object;

interface Door {
  readonly Effect: {
    runSync<Value>(work: Work<Value>): Value;
    runPromise<Value>(work: Work<Value>): Promise<Value>;
    runPromiseExit<Value>(work: Work<Value>, options: object): Promise<Exit<Value>>;
    tryPromise<Value>(options: { try: () => Promise<Value>; catch: (error: unknown) => unknown }): Work<Value>;
    promise<Value>(make: () => Promise<Value>): Work<Value>;
    timeout<Value>(work: Work<Value>, ms: number): Work<Value>;
    acquireRelease<Value>(acquire: Work<Value>, release: (value: Value) => Work<void>, options: object): Work<Value>;
    interruptible<Value>(work: Work<Value>): Work<Value>;
    ignore(work: Work<unknown>): Work<void>;
  };
  readonly Pool: {
    makeWithTTL(options: object): Work<EffectPool>;
    get(pool: EffectPool): Work<Resource>;
    use<Value>(pool: EffectPool, work: (resource: Resource) => Work<Value>): Work<Value>;
    invalidate(pool: EffectPool, resource: Resource): Work<void>;
  };
  readonly Scope: {
    make(): Work<Scope>;
    provide<Value>(work: Work<Value>, scope: Scope): Work<Value>;
    close(scope: Scope, exit: unknown): Work<void>;
  };
  readonly Exit: { readonly void: unknown };
  readonly Cause: { squash(cause: unknown): unknown };
}

export const effect: Contender = {
  name: 'effect Pool',
  package: 'effect',
  abort: 'signal',
  validates: 'no',
  closesByDeadline: false,
  open,
};

function open({ max, waitMs, hookMs, create, destroy }: Settings): ProbedPool {
  const { Effect, Pool, Scope, Exit, Cause } = load<Door>('effect');
  const attempt = <Value>(make: () => Promise<Value>): Work<Value> =>
    Effect.tryPromise({ try: make, catch: (error) => error });
  const house = Effect.runSync(Scope.make());
  const acquire = Effect.acquireRelease(
    Effect.timeout(
      attempt(async () => {
        const resource = await create();
        resource.announceDeath = () => void Effect.runPromise(Pool.invalidate(pool, resource));
        return resource;
      }),
      hookMs,
    ),
    // A finalizer cannot be interrupted unless it says so; it must not fail.
    (resource) =>
      Effect.ignore(
        Effect.interruptible(
          Effect.timeout(
            attempt(() => destroy(resource)),
            hookMs,
          ),
        ),
      ),
    { interruptible: true },
  );
  const made = Pool.makeWithTTL({ acquire, min: 0, max, timeToLive: 60_000 });
  const pool = Effect.runSync(Scope.provide(made, house));
  const end = (scope: Scope): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void));

  return {
    async acquire({ signal }: BorrowOptions = {}): Promise<Loan> {
      const scope = Effect.runSync(Scope.make());
      const exit = await Effect.runPromiseExit(Effect.timeout(Scope.provide(Pool.get(pool), scope), waitMs), {
        signal,
      });
      if (exit._tag === 'Failure') {
        await end(scope);
        throw Cause.squash(exit.cause);
      }
      const { value: resource } = exit;
      return {
        resource,
        release: () => end(scope),
        discard: () => Effect.runPromise(Pool.invalidate(pool, resource)).then(() => end(scope)),
      };
    },
    use: (work) => Effect.runPromise(Pool.use(pool, (resource) => attempt(() => work(resource)))),
    close: () => end(house),
  };
}
