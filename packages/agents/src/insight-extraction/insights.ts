// What the insight extraction gives: plain JSON, every phrase and theme with the words it rests on.
import { z } from 'zod';

/** An exact substring of one document. */
export interface Quote {
  documentId: string;
  quote: string;
}

/** How new a phrase or theme is against the history. */
export interface Novelty {
  /** 1 = absent from the history, 0 = at least as frequent there, in between = more frequent now. */
  noveltyRatio: number;
  /** How often it occurs in the history. */
  historyCount: number;
}

export interface KeyPhrase {
  /** The commonest spelling in the documents. */
  phrase: string;
  /** Weight against the strongest phrase, 0 to 1. */
  score: number;
  count: number;
  documentCount: number;
  /** Null without a history. */
  novelty: Novelty | null;
  best: Quote;
}

export interface Theme {
  /** Its strongest phrases. */
  label: string;
  phrases: string[];
  /** Documents that speak of it, those that say most about it first. */
  documentIds: string[];
  /** Share of the documents that speak of it, 0 to 1. */
  documentRatio: number;
  /** Mean sentiment of the sentences that speak of it, −1 to 1. */
  sentiment: number;
  /** Null without a history. */
  novelty: Novelty | null;
  quotes: Quote[];
}

export interface InsightExtraction {
  documentCount: number;
  sentenceCount: number;
  wordCount: number;
  historyDocumentCount: number;
  /** First and last date among the documents; null when none has a date. */
  period: { from: string; to: string } | null;
  keyPhrases: KeyPhrase[];
  themes: Theme[];
  /** Sentences that say most of what the documents have in common, no two of them about the same. */
  quotes: Quote[];
}

const count = z.int().min(0);
const ratio = z.number().min(0).max(1);
const quote = z.object({ documentId: z.string(), quote: z.string() });
const novelty = z.object({ noveltyRatio: ratio, historyCount: count }).nullable();

export const insightExtraction: z.ZodType<InsightExtraction> = z.object({
  documentCount: count,
  sentenceCount: count,
  wordCount: count,
  historyDocumentCount: count,
  period: z.object({ from: z.string(), to: z.string() }).nullable(),
  keyPhrases: z.array(
    z.object({ phrase: z.string(), score: ratio, count, documentCount: count, novelty, best: quote }),
  ),
  themes: z.array(
    z.object({
      label: z.string(),
      phrases: z.array(z.string()),
      documentIds: z.array(z.string()),
      documentRatio: ratio,
      sentiment: z.number().min(-1).max(1),
      novelty,
      quotes: z.array(quote),
    }),
  ),
  quotes: z.array(quote),
});
