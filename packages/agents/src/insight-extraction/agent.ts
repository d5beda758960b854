// The insight extraction as an agent: a light object per borrower over the shared language threads.
import { Agent, type Call, type CreateContext, type PoolOptions, type RunExample } from '@sophia-ai/core';
import { asInputError } from '../as-input-error.ts';
import { openLanguage, type Language } from '../language/language.ts';
import type { Progress } from '../language/worker.ts';
import { assertSize } from '../text-limits.ts';
import { insightExtractionConfig, type InsightExtractionConfig } from './config.ts';
import { insightExtractionInput, type InsightExtractionInput } from './input.ts';
import { insightExtraction, type InsightExtraction } from './insights.ts';

const EXAMPLE: InsightExtractionInput = {
  documents: [
    {
      id: 'ticket-1',
      text: 'The nightly export fails. Since the update the nightly export stops after ten minutes.',
      date: '2026-03-02',
    },
    {
      id: 'ticket-2',
      text: 'Our invoices show the wrong tax rate. The tax rate was right before the update.',
      date: '2026-03-03',
    },
    { id: 'ticket-3', text: 'The nightly export is empty again, and support has not answered.', date: '2026-03-05' },
  ],
  history: [{ id: 'ticket-0', text: 'How do I change the tax rate on our invoices?', date: '2026-01-15' }],
};

/**
 * Finds what a set of texts is about without any model service: ranked key phrases, themes, representative quotes,
 * and how new each is against the history. English only. Emits `Progress` at the end of each stage.
 */
export class InsightExtractionAgent extends Agent<
  InsightExtractionConfig | void,
  Language,
  InsightExtractionInput,
  InsightExtraction,
  Progress
> {
  static override readonly type: string = 'insight-extraction';
  static override readonly pool: PoolOptions = { reuse: 'shared' };
  static readonly description: string =
    'Finds what a set of texts is about: ranked key phrases, themes with quotes, and how new each is compared with earlier texts.';
  static readonly config: typeof insightExtractionConfig = insightExtractionConfig;
  static readonly input: typeof insightExtractionInput = insightExtractionInput;
  static readonly output: typeof insightExtraction = insightExtraction;
  static readonly examples: readonly RunExample<InsightExtractionInput>[] = [
    { input: EXAMPLE, description: 'Three tickets, and an older one to compare with' },
  ];

  /** Opens a share of the language threads: about half a second for the first share of a process, nothing after it. */
  static async create({ signal }: CreateContext): Promise<Language> {
    return openLanguage({ signal });
  }

  static async warm(language: Language): Promise<void> {
    await language.run('insight-extraction', { input: EXAMPLE, config: {} });
  }

  static async destroy(language: Language): Promise<void> {
    await language.close();
  }

  /** The worker threads, which all agents of this package share. */
  static async footprint(language: Language): Promise<number> {
    return language.heapBytes();
  }

  protected override async execute(input: InsightExtractionInput, call: Call<Progress>): Promise<InsightExtraction> {
    return asInputError(async () => {
      assertSize(
        [...input.documents, ...(input.history ?? [])].map(({ text }) => text),
        'documents',
      );
      return this.resources.run(
        'insight-extraction',
        { input, config: this.config ?? {} },
        { signal: call.signal, onProgress: (progress) => void call.emit(progress) },
      );
    });
  }
}
