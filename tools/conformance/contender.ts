/** What a probe asks of a pool. Each pool has one small adapter to this; the probes know nothing else of it. */

/** A pretended dear thing: two borrowers must not hold it at once, it can be dirty, and it can be dead. */
export interface Resource {
  readonly id: number;
  isDirty: boolean;
  isAlive: boolean;
  /** Says by the pool's own means that the resource ended by itself; `undefined` where it offers none. */
  announceDeath: (() => void) | undefined;
}

/** How a pool is set up. Every limit that a pool offers is given to it; what it does not offer stays away. */
export interface Settings {
  readonly max: number;
  /** Longest wait of a borrower. */
  readonly waitMs: number;
  /** Longest time for one call of a hook. */
  readonly hookMs: number;
  readonly create: () => Promise<Resource>;
  readonly destroy: (resource: Resource) => Promise<void>;
  /** Asked between borrowers, or in the background, whichever the pool offers. */
  readonly validate: ((resource: Resource) => boolean | Promise<boolean>) | undefined;
  readonly reset: ((resource: Resource) => Promise<void>) | undefined;
}

/** What one borrower has in hand. */
export interface Loan {
  readonly resource: Resource;
  /** Gives it back as the pool's documentation shows; throws, rejects or answers as the pool does. */
  release(): unknown;
  /** Gives it back so that it is destroyed. */
  discard(): unknown;
}

export interface BorrowOptions {
  readonly signal?: AbortSignal;
  /** Who borrows, for pools that want to know. */
  readonly owner?: string;
}

export interface ProbedPool {
  acquire(options?: BorrowOptions): Promise<Loan>;
  /** Borrows for `work` and gives back, by a function of the pool's own; absent where it has none. */
  use?(work: (resource: Resource) => Promise<void>): Promise<void>;
  /** Gives back something that was never lent; absent where such a call cannot be written. */
  releaseForeign?(thing: Resource): unknown;
  /** Borrows, waits for `allHold`, and borrows a second one; absent where the pool has no way of its own to say so. */
  nest?(allHold: () => Promise<void>): Promise<void>;
  close(deadlineMs: number): Promise<unknown>;
}

export interface Contender {
  /** Its heading in the table. */
  readonly name: string;
  /** The package that it is in. */
  readonly package: string;
  /** How a waiting borrower can leave: by an AbortSignal, by something of the pool's own, or not at all. */
  readonly abort: 'signal' | 'own' | 'none';
  /** Whether it checks resources, and whether such a check may take time. */
  readonly validates: 'async' | 'sync' | 'no';
  /** Whether close can be given a deadline. */
  readonly closesByDeadline: boolean;
  open(settings: Settings): ProbedPool;
}
