// What the insight extraction takes: the texts of today, and optionally those of the past to tell what is new.
import { z } from 'zod';
import { isIsoDay } from '../iso-day.ts';

export interface DocumentInput {
  /** Name of the document in the result; unique within its list. */
  id: string;
  text: string;
  /** ISO day of the document, YYYY-MM-DD. */
  date?: string | undefined;
}

export interface InsightExtractionInput {
  documents: DocumentInput[];
  /** Documents of the past: phrases and themes are compared with them. Without any, novelty is null. */
  history?: DocumentInput[] | undefined;
}

/** Most documents one input may hold, history included. */
export const MAX_DOCUMENTS = 5_000;

const document = z.strictObject({
  id: z.string().min(1, 'is empty; every document needs a name, such as its file name').max(200),
  text: z.string(),
  date: z
    .string()
    .refine(isIsoDay, 'must be a real day in the form YYYY-MM-DD, such as 2026-03-10')
    .optional()
    .meta({ description: 'Day of the document, YYYY-MM-DD' }),
});

const documents = z
  .array(document, 'must be an array of { id, text, date? }')
  .max(MAX_DOCUMENTS, `holds more than ${MAX_DOCUMENTS} documents; send fewer, or several inputs`);

export const insightExtractionInput: z.ZodType<InsightExtractionInput> = z.strictObject({
  documents: documents.min(1, 'is empty; send at least one document with text'),
  history: documents.optional().meta({ description: 'Documents of the past, to tell what is new' }),
});
