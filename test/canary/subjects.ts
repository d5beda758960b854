/** Whom the canary sings to: every example, both bundled agents and the hard one; how a borrower leaves traces in each. */

import type { Worker } from 'node:worker_threads';
import { CallAnalysisAgent, InsightExtractionAgent } from '@sophia-ai/agents';
import type { AnyAgentClass, PoolOptions } from '@sophia-ai/core';
import { OrderAgent, createLoop } from '../../examples/ai-sdk-shared/agent.ts';
import { ScriptedModel } from '../../examples/ai-sdk-shared/scripted-model.ts';
import { SandboxAgent } from '../../examples/child-process-single-use/agent.ts';
import { SupportAgent } from '../../examples/first-agent/agent.ts';
import { NotebookAgent } from '../../examples/mcp-session-exclusive/agent.ts';
import { hardAgent } from './hard-agent.ts';
import type { Borrower, Recipe, Task } from './hard-agent.ts';
import type { Hidden } from './hidden.ts';
import type { Hideouts } from './hideouts.ts';

/** How a lease ends: as it should, or in one of the bad ways. */
export type Ending = 'released' | 'aborted' | 'failed' | 'threw' | 'discarded' | 'stream left' | 'timed out';

const EVERY_BAD_END: readonly Ending[] = ['aborted', 'failed', 'threw', 'discarded', 'stream left', 'timed out'];
/** An abort ends a language thread, and its successor loads the model for half a second: once in a while will do. */
const SELDOM_ABORTED: readonly Ending[] = [
  'aborted',
  ...Array.from({ length: 4 }, (): Ending[] => ['failed', 'threw', 'discarded']).flat(),
];

/** An agent of some class, as the borrowers of this test use it. */
export type Borrowed = InstanceType<AnyAgentClass>;

/** Functions and prototypes count by identity, and cleaning makes these anew. */
const VERIFIED = { verify: 'fingerprint', verifyIgnore: ['box', 'bound', 'heir'] } satisfies PoolOptions;

/** How many checkouts, usually and in the full proof. */
export type Checkouts = readonly [usual: number, full: number];

export interface Subject {
  readonly agentClass: AnyAgentClass;
  /** Most agents at once; there are twice as many borrowers. */
  readonly max: number;
  readonly checkouts: Checkouts;
  /** How many of its agents are searched for the hidden at the end; one is enough where all share what they have. */
  readonly deepAtEnd: number;
  /** Those whose work is done in this thread turn a clock by hand; processes have the one on the wall. */
  readonly isOnWall: boolean;
  readonly config: (secret: string, tenant: string) => unknown;
  /** Leaves the secret by every means that the class offers. @returns what it answered. */
  readonly leave: (agent: Borrowed, secret: string) => Promise<unknown>;
  /** What a newcomer is told when asking. */
  readonly ask: (agent: Borrowed) => Promise<unknown>;
  /** How a bad end may come about, each as often as it stands here. */
  readonly badEndings: readonly Ending[];
  /** The input of a run that fails after it has left the secret. */
  readonly failing?: (secret: string) => unknown;
  /** The input of a run that ends only by its abort. */
  readonly lingering?: (secret: string) => unknown;
  /** Whether borrowers also write on the resources themselves, past what the class offers. */
  readonly byForce: boolean;
  /** The process behind the resources. */
  readonly pid?: (agent: Borrowed) => number | undefined;
  /** A thread that works for all of them. */
  readonly thread?: (agent: Borrowed, hidden: Hidden) => Worker | undefined;
}

/** The hard agent in one of its forms. */
export function hard(recipe: Recipe, checkouts: Checkouts): Subject {
  const { max = 10 } = recipe.pool;
  return {
    agentClass: hardAgent(recipe),
    max,
    checkouts,
    deepAtEnd: max,
    isOnWall: recipe.withProcess ?? false,
    config: (secret, tenant): Borrower => ({ tenant, secret, notes: { more: [secret] } }),
    leave: (agent) => agent.run('leave' satisfies Task),
    ask: (agent) => (agent.resources as Hideouts).tell(),
    badEndings: EVERY_BAD_END,
    failing: () => 'fail' satisfies Task,
    lingering: () => 'linger' satisfies Task,
    byForce: true,
    ...(recipe.withProcess === true && { pid: (agent: Borrowed) => (agent.resources as Hideouts).pid }),
  };
}

const support: Subject = {
  agentClass: SupportAgent,
  max: 10,
  checkouts: [62_000, 620_000],
  deepAtEnd: 1,
  badEndings: ['aborted', 'failed', 'threw', 'discarded'],
  isOnWall: false,
  config: (secret, tenant) => ({ tenant: `${tenant} ${secret}` }),
  leave: (agent, secret) => agent.run(`Where is the order of ${secret}?`),
  ask: (agent) => agent.run('Do you sell elephants?'),
  // No text at all: the search for words throws.
  failing: () => undefined,
  byForce: true,
};

type StreamCall = Parameters<ScriptedModel['doStream']>[0];
type StreamResult = Awaited<ReturnType<ScriptedModel['doStream']>>;

/** Follows its script, unless the question wants it to fall silent until the abort, or to fail. */
class MoodyModel extends ScriptedModel {
  override async doStream(call: StreamCall): Promise<StreamResult> {
    const question = JSON.stringify(call.prompt.at(-1)?.content);
    if (question.includes('fail')) throw new Error(`the provider is down for ${question}`);
    if (!question.includes('linger')) return super.doStream(call);
    const { abortSignal } = call;
    const stream: StreamResult['stream'] = new ReadableStream({
      start: (controller) => {
        controller.enqueue({ type: 'text-start', id: 'text-1' });
        controller.enqueue({ type: 'text-delta', id: 'text-1', delta: question });
        abortSignal?.addEventListener('abort', () => controller.error(abortSignal.reason));
      },
    });
    return { stream };
  }
}

class MoodyOrders extends OrderAgent {
  static override readonly type = 'orders-canary';
  static override readonly create = () => createLoop(new MoodyModel());
}

const orders: Subject = {
  agentClass: MoodyOrders,
  max: 10,
  checkouts: [300, 2_000],
  deepAtEnd: 1,
  badEndings: ['aborted', 'failed', 'threw', 'discarded', 'stream left'],
  isOnWall: false,
  config: (secret, tenant) => ({ tenant: `${tenant} ${secret}`, instructions: `Say ${secret}:` }),
  leave: (agent, secret) => agent.run(`Where is order A17 of ${secret}?`),
  ask: async () => undefined,
  failing: (secret) => `fail for ${secret}`,
  lingering: (secret) => `linger for ${secret}`,
  byForce: false,
};

const notebook: Subject = {
  agentClass: NotebookAgent,
  max: 3,
  checkouts: [80, 300],
  deepAtEnd: 3,
  badEndings: ['aborted', 'threw', 'discarded', 'stream left', 'timed out'],
  isOnWall: true,
  config: (secret) => ({ token: 'token-of-acme', author: secret }),
  leave: async (agent, secret) => [
    await agent.run({ tool: 'remember', text: `note of ${secret}` }),
    await agent.run({ tool: 'recall' }),
  ],
  ask: (agent) => agent.run({ tool: 'recall' }),
  lingering: (secret) => ({ tool: 'ponder', text: secret }),
  byForce: false,
  pid: (agent) => ((agent as NotebookAgent).resources.transport as { pid?: number } | undefined)?.pid,
};

/** All that the code finds in its own realm, and by the well-known way out what a borrower leaves in the one around it. */
const LOOK_ROUND = `(() => {
  const outer = print.constructor('return globalThis')();
  const mine = Reflect.ownKeys(globalThis).map((key) =>
    String(key) + ' is ' + String(Object.getOwnPropertyDescriptor(globalThis, key).value));
  return [...mine, ...Reflect.ownKeys(outer).map(String), String(outer.left)];
})()`;

const sandbox: Subject = {
  agentClass: SandboxAgent,
  max: 4,
  checkouts: [30, 120],
  deepAtEnd: 2,
  badEndings: EVERY_BAD_END,
  isOnWall: true,
  config: (secret) => ({ variables: { given: secret } }),
  leave: (agent, secret) =>
    agent.run(`left = given; print.constructor('globalThis.left = "${secret}"')(); print(left); left`),
  ask: (agent) => agent.run(LOOK_ROUND),
  failing: (secret) => `left = '${secret}'; nowhere.to.be.found`,
  lingering: (secret) => `left = '${secret}'; for (;;);`,
  byForce: true,
  pid: (agent) => (agent as SandboxAgent).resources.pid,
};

/** The language threads are nobody's to reach; the debugger's eye is led to the first. */
function languageThread(agent: Borrowed, hidden: Hidden): Worker | undefined {
  const threads = hidden
    .eye()(agent.resources as object)
    .find(([name]) => name === '#threads')?.[1];
  const [first] = (threads as { pool: { threads: Worker[] } }).pool.threads;
  hidden.rest();
  return first;
}

const calls: Subject = {
  agentClass: CallAnalysisAgent,
  max: 10,
  checkouts: [150, 500],
  deepAtEnd: 1,
  badEndings: SELDOM_ABORTED,
  isOnWall: true,
  config: () => ({ defaultCurrency: 'EUR' }),
  leave: (agent, secret) =>
    agent.run({
      transcript: `Ann ${secret} (rep): I'll send ${secret} for $12 by Friday.\nBob (customer): Why ${secret}?`,
    }),
  ask: (agent) => agent.run({ transcript: "Ann (rep): I'll send the quote by Friday.\nBob (customer): Will you?" }),
  failing: (secret) => ({ transcript: `Ann: ${secret}`, date: secret }),
  byForce: true,
  thread: languageThread,
};

const insights: Subject = {
  agentClass: InsightExtractionAgent,
  max: 10,
  checkouts: [150, 500],
  deepAtEnd: 1,
  badEndings: SELDOM_ABORTED,
  isOnWall: true,
  config: () => ({ maxPhrases: 20 }),
  leave: (agent, secret) =>
    agent.run({
      documents: [
        { id: secret, text: `The nightly export of ${secret} fails. The nightly export is empty.` },
        { id: 'second', text: `The nightly export fails again, says ${secret}.` },
      ],
    }),
  ask: (agent) => agent.run({ documents: [{ id: 'one', text: 'The nightly export fails. The export is empty.' }] }),
  failing: (secret) => ({
    documents: [
      { id: secret, text: '' },
      { id: secret, text: '' },
    ],
  }),
  byForce: true,
};

/** Those that work in this thread alone, and those that have processes, threads or much to do. */
export const SUBJECTS: Readonly<Record<'light' | 'heavy', readonly Subject[]>> = {
  light: [
    hard({ type: 'hard', pool: { max: 4 } }, [25_090, 255_580]),
    hard({ type: 'hard-single-use', pool: { reuse: 'single-use', max: 4, minIdle: 2 } }, [5_000, 50_000]),
    hard({ type: 'hard-overflow', pool: { max: 2, exhaustion: 'grow', maxOverflow: 8 } }, [5_000, 50_000]),
    hard({ type: 'hard-guarded', pool: { max: 4, guard: 'revocable', ...VERIFIED } }, [2_000, 20_000]),
    support,
  ],
  heavy: [
    hard({ type: 'hard-with-process', pool: { max: 3 }, withProcess: true }, [200, 1_000]),
    orders,
    notebook,
    sandbox,
    calls,
    insights,
  ],
};
