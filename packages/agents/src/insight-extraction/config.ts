// What a borrower of the insight extraction may set.
import { z } from 'zod';
import type { Progress } from '../language/worker.ts';

export interface InsightExtractionConfig {
  /** Most key phrases in the result, 1 to 200; themes are made of them. Default 40. */
  maxPhrases?: number | undefined;
}

export const insightExtractionConfig: z.ZodType<InsightExtractionConfig | undefined> = z
  .strictObject({
    maxPhrases: z
      .int('must be a whole number')
      .min(1, 'must be at least 1')
      .max(200, 'must be at most 200')
      .optional()
      .meta({ description: 'Most key phrases in the result', default: 40 }),
  })
  .optional();

/** The config as the extraction sees it, with the listener for its stages. */
export interface InsightExtractionSettings extends InsightExtractionConfig {
  readonly report?: ((progress: Progress) => void) | undefined;
}
