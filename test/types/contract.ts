/** Compile-time tests of the contract: `tsc -p tsconfig.tests.json` fails if a wrong line compiles. Never run. */

import { Agent } from '@sophia-ai/core';
import type { Call, CreateContext, PoolOptions, AgnoPerformanceOptimizer } from '@sophia-ai/core';

interface Answer {
  readonly text: string;
}

class KnowledgeBase {
  static async open(_path: string, _options: { signal: AbortSignal }): Promise<KnowledgeBase> {
    return new KnowledgeBase();
  }
  async answer(question: string): Promise<Answer> {
    return { text: question };
  }
  forgetSession(): void {}
  async close(): Promise<void> {}
}

class SupportAgent extends Agent<{ tenant: string }, KnowledgeBase, string, Answer> {
  static override readonly type: string = 'support';
  static override readonly pool: PoolOptions = { max: 10, minIdle: 2 };
  static async create({ signal }: CreateContext): Promise<KnowledgeBase> {
    return KnowledgeBase.open('./kb', { signal });
  }
  static reset(kb: KnowledgeBase): void {
    kb.forgetSession();
  }
  static async destroy(kb: KnowledgeBase): Promise<void> {
    await kb.close();
  }
  protected override async execute(question: string, _call: Call): Promise<Answer> {
    return this.resources.answer(question);
  }
  greeting(): string {
    return `Hello ${this.config.tenant}`;
  }
}

class PlainAgent extends Agent {
  static override readonly type: string = 'plain';
  static readonly reset = 'stateless';
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_T extends true>(): void {}

export async function accepted(optimizer: AgnoPerformanceOptimizer): Promise<void> {
  await using agent = await SupportAgent.pooled({ tenant: 'acme' });
  holds<Equal<typeof agent, SupportAgent>>();
  const answer = await agent.run('Where is my order?');
  holds<Equal<typeof answer, Answer>>();
  agent.greeting();
  await SupportAgent.pooled({ tenant: 'acme' }, { waitMs: 10, owner: 'me', signal: AbortSignal.timeout(5) });
  holds<Equal<ReturnType<typeof optimizer.snapshot>[number]['type'], string>>();
  const length = await SupportAgent.use({ tenant: 'acme' }, (borrowed) => borrowed.greeting().length);
  holds<Equal<typeof length, number>>();
  // A config that is void may be left out.
  (await PlainAgent.pooled()).release();
  PlainAgent.tryPooled()?.release();
  (await optimizer.pooled(PlainAgent)).release();
  optimizer.register(SupportAgent);
}

export async function refused(optimizer: AgnoPerformanceOptimizer): Promise<void> {
  // @ts-expect-error -- the config lacks its tenant
  await SupportAgent.pooled({});
  // @ts-expect-error -- the config has a wrong type
  await SupportAgent.pooled({ tenant: 5 });
  // @ts-expect-error -- the config is missing
  await SupportAgent.pooled();
  // @ts-expect-error -- an unknown field of the config
  await SupportAgent.pooled({ tenant: 'acme', tennant: 'x' });
  // @ts-expect-error -- an unknown acquire option
  await SupportAgent.pooled({ tenant: 'acme' }, { waitMS: 5 });
  // @ts-expect-error -- the same, at the front desk
  await optimizer.pooled(SupportAgent, {});
  const agent = await SupportAgent.pooled({ tenant: 'acme' });
  // @ts-expect-error -- a wrong input
  await agent.run(5);
  // @ts-expect-error -- the config is read-only
  agent.config = { tenant: 'other' };
  // @ts-expect-error -- execute is not for callers
  await agent.execute('q', undefined);
}

class WrongCreate extends Agent<void, KnowledgeBase> {
  static override readonly type: string = 'wrong-create';
  static async create(): Promise<string> {
    return 'not a knowledge base';
  }
}

class NoCreate extends Agent<void, KnowledgeBase> {
  static override readonly type: string = 'no-create';
}

class WrongReset extends Agent<void, KnowledgeBase> {
  static override readonly type: string = 'wrong-reset';
  static async create(): Promise<KnowledgeBase> {
    return new KnowledgeBase();
  }
  static reset(_text: string): void {}
}

class WrongResetWord extends Agent<void> {
  static override readonly type: string = 'wrong-reset-word';
  static readonly reset = 'stateles';
}

export async function refusedClasses(optimizer: AgnoPerformanceOptimizer): Promise<void> {
  // @ts-expect-error -- create makes something else than the resources
  await WrongCreate.pooled();
  // @ts-expect-error -- resources are promised and never made
  await NoCreate.pooled();
  // @ts-expect-error -- reset takes something else than the resources
  optimizer.register(WrongReset);
  // @ts-expect-error -- a misspelt word
  optimizer.register(WrongResetWord);
}

export class UnknownOption extends Agent {
  static override readonly type: string = 'unknown-option';
  // @ts-expect-error -- a misspelt option
  static override readonly pool: PoolOptions = { maxx: 5 };
}

export class WrongOption extends Agent {
  static override readonly type: string = 'wrong-option';
  // @ts-expect-error -- a value that is not allowed
  static override readonly pool: PoolOptions = { reuse: 'pooled' };
}

export class WrongExecute extends Agent<void, undefined, string, number> {
  static override readonly type: string = 'wrong-execute';
  // @ts-expect-error -- execute takes and answers something else
  protected override async execute(question: number): Promise<string> {
    return String(question);
  }
}

interface Login {
  readonly user: string;
  readonly token: string;
}

class MailAgent extends Agent<{ login: Login; folder?: string }, KnowledgeBase> {
  static override readonly type: string = 'mail';
  static override readonly pool: PoolOptions = {
    max: 20,
    tenantWeights: { acme: 2 },
    tenantBurst: 5,
    queueTargetMs: 'auto',
  };
  static readonly reset = 'stateless';
  static key({ login }: { login: Login }): Login {
    return login;
  }
  static async create({ key, signal }: CreateContext<Login>): Promise<KnowledgeBase> {
    return KnowledgeBase.open(`${key.user}:${key.token}`, { signal });
  }
}

/** It has a key that its creation does not look at. */
class KeyOnly extends Agent<{ login: Login }, KnowledgeBase> {
  static override readonly type: string = 'key-only';
  static readonly reset = 'stateless';
  static key({ login }: { login: Login }): Login {
    return login;
  }
  static async create(): Promise<KnowledgeBase> {
    return new KnowledgeBase();
  }
}

export async function acceptedKeysAndTenants(optimizer: AgnoPerformanceOptimizer): Promise<void> {
  const config = { login: { user: 'ada', token: 'x' } };
  (await MailAgent.pooled(config, { tenant: 'acme', leaseMs: 5_000 })).release();
  await MailAgent.use(config, ({ resources }) => resources.answer('?'), { tenant: 'acme', leaseMs: 5_000, waitMs: 5 });
  MailAgent.tryPooled(config, { tenant: 'acme', owner: 'me', leaseMs: 5_000 })?.release();
  optimizer.tryPooled(MailAgent, config, { tenant: 'acme' })?.release();
  optimizer.register(KeyOnly);
  await optimizer.prewarm(MailAgent, { config, count: 2 });
  const [snapshot] = optimizer.snapshot();
  holds<Equal<NonNullable<NonNullable<typeof snapshot>['keys']>['count'], number>>();
}

class CreateTakesAnotherKey extends Agent<{ login: Login }, KnowledgeBase> {
  static override readonly type: string = 'create-takes-another-key';
  static readonly reset = 'stateless';
  static key({ login }: { login: Login }): Login {
    return login;
  }
  static async create({ key }: CreateContext<{ path: string }>): Promise<KnowledgeBase> {
    return KnowledgeBase.open(key.path, { signal: new AbortController().signal });
  }
}

class KeyOfAnotherConfig extends Agent<{ login: Login }, KnowledgeBase> {
  static override readonly type: string = 'key-of-another-config';
  static readonly reset = 'stateless';
  static key({ tenant }: { tenant: string }): object {
    return { tenant };
  }
  static async create(): Promise<KnowledgeBase> {
    return new KnowledgeBase();
  }
}

class KeyIsText extends Agent<{ login: Login }, KnowledgeBase> {
  static override readonly type: string = 'key-is-text';
  static readonly reset = 'stateless';
  static key({ login }: { login: Login }): string {
    return login.user;
  }
  static async create(): Promise<KnowledgeBase> {
    return new KnowledgeBase();
  }
}

export async function refusedKeysAndTenants(optimizer: AgnoPerformanceOptimizer): Promise<void> {
  const config = { login: { user: 'ada', token: 'x' } };
  // @ts-expect-error -- create takes something else than what key returns
  await CreateTakesAnotherKey.pooled(config);
  // @ts-expect-error -- the same, at the front desk
  optimizer.register(CreateTakesAnotherKey);
  // @ts-expect-error -- key takes something else than the config
  await KeyOfAnotherConfig.pooled(config);
  // @ts-expect-error -- a key is an object
  optimizer.register(KeyIsText);
  // @ts-expect-error -- tryPooled never waits
  MailAgent.tryPooled(config, { waitMs: 5 });
  // @ts-expect-error -- the same, at the front desk
  optimizer.tryPooled(MailAgent, config, { waitMs: 5 });
  // @ts-expect-error -- and so needs no signal
  MailAgent.tryPooled(config, { signal: AbortSignal.timeout(5) });
  // @ts-expect-error -- a tenant is text
  await MailAgent.pooled(config, { tenant: 5 });
  // @ts-expect-error -- leaseMs is a number
  await MailAgent.pooled(config, { leaseMs: '5 s' });
}

export class WrongWeights extends Agent {
  static override readonly type: string = 'wrong-weights';
  // @ts-expect-error -- a weight is a number
  static override readonly pool: PoolOptions = { tenantWeights: { acme: 'high' } };
}

export class WrongTarget extends Agent {
  static override readonly type: string = 'wrong-target';
  // @ts-expect-error -- a number or 'auto'
  static override readonly pool: PoolOptions = { queueTargetMs: 'automatic' };
}
