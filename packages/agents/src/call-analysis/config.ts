// What a borrower of the call analysis may set.
import { z } from 'zod';
import type { Progress } from '../language/worker.ts';

export interface CallAnalysisConfig {
  /**
   * Currency of bare amounts such as "12k" or "forty grand" in a call that names no currency, as ISO 4217 code.
   * A call that does name one uses the one it names most. Default `USD`.
   */
  defaultCurrency?: string | undefined;
}

export const callAnalysisConfig: z.ZodType<CallAnalysisConfig | undefined> = z
  .strictObject({
    defaultCurrency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code of three capital letters, such as EUR')
      .optional()
      .meta({ description: 'ISO 4217 code used for bare amounts when the call names no currency', default: 'USD' }),
  })
  .optional();

/** The config as the analysis sees it, with the listener for its stages. */
export interface CallAnalysisSettings extends CallAnalysisConfig {
  readonly report?: ((progress: Progress) => void) | undefined;
}
