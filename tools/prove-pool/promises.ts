/** What the pool promises, and the tests that are the evidence for each promise. */

import type { PromiseId } from '../../test/mutations/mutation.ts';

export interface Evidence {
  /** Test files, relative to the repository; may hold wildcards. Each must exist. */
  readonly files: readonly string[];
  /** Only tests of such names count; all without it. */
  readonly named?: RegExp;
}

export interface PoolPromise {
  readonly id: PromiseId | 'canary' | 'mutations';
  readonly name: string;
  readonly words: string;
  readonly evidence: readonly Evidence[];
  /** The fewest random sequences that must have run, at full size. */
  readonly sequences?: number;
}

/** All tests of these files of core. */
function core(...names: readonly string[]): Evidence {
  return { files: names.map((name) => `packages/core/test/${name}.test.ts`) };
}

/** Some tests of a file that is evidence for more than one promise. */
function some(name: string, named: RegExp): Evidence {
  return { ...core(name), named };
}

export const PROMISES: readonly PoolPromise[] = [
  {
    id: 1,
    name: 'One borrower',
    words: 'an exclusive entry is never held by two, whatever is released late, twice, from elsewhere, after a revoke',
    evidence: [core('one-borrower', 'late-release', 'constructor', 'thousand-borrowers')],
  },
  {
    id: 2,
    name: 'No leftovers',
    words: 'dirty entries are destroyed, others reset and verified, suspects kept apart; no context crosses over',
    evidence: [
      core('no-leftovers', 'late-reads', 'verify', 'cool-down', 'fingerprint', 'suspects', 'single-use'),
      core('async-context', 'retire'),
    ],
  },
  {
    id: 3,
    name: 'The end is the end',
    words: 'after release every use throws, runs and streams are aborted, kept references are dead',
    evidence: [core('after-release', 'guard', 'guard-of-leases', 'run-and-stream', 'stream-result')],
  },
  {
    id: 4,
    name: 'Fair turns',
    words: 'first come, first served; nobody overtakes; tenants share by weight and keep their limits',
    evidence: [
      core('waiter-queue', 'tenants', 'thousand-borrowers', 'linked-list'),
      some('waiting', /order|overtake|tryPooled/),
    ],
  },
  {
    id: 5,
    name: 'Every acquire settles',
    words: 'by its deadline, in every state, in any race with an abort, leaving no timer and no listener',
    evidence: [core('waiting', 'settles', 'deadlines', 'outcome-matrix', 'waiter-queue')],
  },
  {
    id: 6,
    name: 'Exhaustion is an answer',
    words: 'wait, reject or grow, with facts, cause and advice; a standing queue is shed, goodput holds under overload',
    evidence: [
      core('exhaustion', 'error-facts', 'shedding', 'settings-layers', 'saturation', 'spike', 'bad-arguments'),
      core('thousand-borrowers'),
    ],
  },
  {
    id: 7,
    name: 'No deadlock of nested borrowers',
    words: 'an acquire that cannot succeed is refused with the chain; inner ones last no longer than the outer',
    evidence: [core('nested', 'nested-deadlock')],
  },
  {
    id: 8,
    name: 'Creation may go wrong',
    words: 'fail, hang, throw or succeed late: back-off, breaker, no spin, no lost slot',
    evidence: [core('creation', 'outage', 'spike', 'shared-failures')],
  },
  {
    id: 9,
    name: 'Bounded life',
    words: 'age, rest, uses, memory and health end an entry; the minimum is restored',
    evidence: [core('life', 'validate', 'retire', 'shared')],
  },
  {
    id: 10,
    name: 'Live change',
    words: 'resize, renew, suspend, resume and prewarm while it serves',
    evidence: [core('resize', 'renew', 'suspend', 'prewarm')],
  },
  {
    id: 11,
    name: 'Leaks are seen',
    words: 'held too long or collected unreleased: flagged, named, revoked where asked; nothing grows',
    evidence: [core('leaks', 'lease-deadline', 'growth')],
  },
  {
    id: 12,
    name: 'It ends',
    words: 'drain and close always settle, name the holders, can be called twice, leave nothing running',
    evidence: [core('drain-close')],
  },
  {
    id: 13,
    name: 'Unpooled construction is seen',
    words: 'counted with its place, warned of or forbidden',
    evidence: [core('unpooled'), some('late-release', /made with new/)],
  },
  {
    id: 14,
    name: 'Measuring is nearly free',
    words: 'a hit adds no listener and no timer; histograms are exact; figures say what they mean',
    evidence: [
      core('histogram', 'figures', 'events', 'diagnostics', 'memory'),
      some('waiting', /no listener stays/),
      some('growth', /./),
    ],
  },
  {
    id: 'keys',
    name: 'Keys',
    words: 'no borrower meets an entry of another key; a thousand keys share the places',
    evidence: [core('keys', 'thousand-keys')],
  },
  {
    id: 'model',
    name: 'Model',
    words: 'whatever borrowers, hooks, operators and time do, the invariants hold after every step',
    evidence: [core('model-histories-*', 'model-schedules-*')],
    sequences: 100_000,
  },
  {
    id: 'canary',
    name: 'Canary',
    words: 'borrowers that hide secrets wherever they can; nobody meets one of another',
    evidence: [{ files: ['test/canary/*.test.ts'] }],
  },
  {
    id: 'mutations',
    name: 'The tests notice',
    words: 'each bug that is planted on purpose turns a test of its promise red',
    evidence: [],
  },
];

/** The promises that `--only` names. @throws Error for an unknown one. */
export function promisesNamed(names: readonly string[]): PoolPromise[] {
  return names.map((name) => {
    const promise = PROMISES.find(({ id }) => String(id) === name.trim());
    if (promise !== undefined) return promise;
    throw new Error(`There is no promise '${name}'. Known are ${PROMISES.map(({ id }) => id).join(', ')}.`);
  });
}
