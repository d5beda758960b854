// The call analysis as an agent: a light object per borrower over the shared language threads.
import { Agent, type Call, type CreateContext, type PoolOptions, type RunExample } from '@sophia-ai/core';
import { asInputError } from '../as-input-error.ts';
import { openLanguage, type Language } from '../language/language.ts';
import type { Progress } from '../language/worker.ts';
import { assertSize } from '../text-limits.ts';
import { callAnalysis, type CallAnalysis } from './analysis.ts';
import { callAnalysisConfig, type CallAnalysisConfig } from './config.ts';
import { callAnalysisInput, type CallAnalysisInput } from './input.ts';

const EXAMPLE = `Call: Renewal with Northwind Dental
Date: 2026-03-10

Maya (rep) [00:00]: Hi Tom, thanks for making the time. How did the pilot go?
Tom (customer) [00:05]: Good, mostly. But $1,200 a month is more than we pay today, and Dr. Hale has to sign.
Maya (rep) [00:14]: Fair. I'll send you a two-year quote by Friday. Could you get me the no-show figures?
Tom (customer) [00:22]: Sure, will do.`;

/**
 * Analyses a sales call without any model service: shares of talk, questions, fillers, sentiment, topics, objections,
 * money, dates, and commitments with owner and due day, each with its turn and exact words. English only.
 * Emits `Progress` at the end of each stage.
 */
export class CallAnalysisAgent extends Agent<
  CallAnalysisConfig | void,
  Language,
  CallAnalysisInput,
  CallAnalysis,
  Progress
> {
  static override readonly type: string = 'call-analysis';
  static override readonly pool: PoolOptions = { reuse: 'shared' };
  static readonly description: string =
    'Analyses a sales call: who talked how much, questions, sentiment, topics, objections, money, dates, and commitments with owner and due date, each with its exact quote.';
  static readonly config: typeof callAnalysisConfig = callAnalysisConfig;
  static readonly input: typeof callAnalysisInput = callAnalysisInput;
  static readonly output: typeof callAnalysis = callAnalysis;
  static readonly examples: readonly RunExample<CallAnalysisInput>[] = [
    { input: { transcript: EXAMPLE }, description: 'A short renewal call as text' },
    {
      input: {
        date: '2026-03-10',
        turns: [
          { speaker: 'Maya', side: 'rep', text: 'Can you send me the contract by Monday?' },
          { speaker: 'Tom', side: 'customer', text: "Yes, I'll email it tomorrow." },
        ],
      },
      description: 'Turns without times',
    },
  ];

  /** Opens a share of the language threads: about half a second for the first share of a process, nothing after it. */
  static async create({ signal }: CreateContext): Promise<Language> {
    return openLanguage({ signal });
  }

  static async warm(language: Language): Promise<void> {
    await language.run('call-analysis', { input: { transcript: EXAMPLE }, config: {} });
  }

  static async destroy(language: Language): Promise<void> {
    await language.close();
  }

  /** The worker threads, which all agents of this package share. */
  static async footprint(language: Language): Promise<number> {
    return language.heapBytes();
  }

  protected override async execute(input: CallAnalysisInput, call: Call<Progress>): Promise<CallAnalysis> {
    return asInputError(async () => {
      if (input.transcript !== undefined) assertSize([input.transcript], 'transcript');
      if (input.turns !== undefined)
        assertSize(
          input.turns.map((turn) => turn.text),
          'turns',
        );
      return this.resources.run(
        'call-analysis',
        { input, config: this.config ?? {} },
        { signal: call.signal, onProgress: (progress) => void call.emit(progress) },
      );
    });
  }
}
