// The extraction as a table of contents: read, rank phrases, group them, choose quotes, compare with the past.
import { InputProblem } from '../input-problem.ts';
import type { English } from '../language/english.ts';
import { round } from '../round.ts';
import type { InsightExtractionSettings } from './config.ts';
import type { DocumentInput, InsightExtractionInput } from './input.ts';
import type { InsightExtraction, KeyPhrase, Quote, Theme } from './insights.ts';
import { rankPhrases, type RankedPhrase } from './key-phrases.ts';
import { noveltyOf } from './novelty.ts';
import { chooseQuotes } from './quotes.ts';
import { readDocuments, spellingOf, type ReadSentence, type Reading } from './reading.ts';
import { groupPhrases, type PhraseGroup } from './themes.ts';

const DEFAULT_MAX_PHRASES = 40;
const QUOTES = 5;
const QUOTES_PER_THEME = 3;

/**
 * Finds what a set of texts is about. Synchronous and heavy, about two seconds for 5 MB: run it in a worker thread.
 * Throws `InputProblem` when the texts hold no words, are binary, or share an id.
 */
export function extractInsights(
  english: English,
  input: InsightExtractionInput,
  settings: InsightExtractionSettings = {},
): InsightExtraction {
  const { documents } = input;
  const past = input.history ?? [];
  assertDistinct(documents);
  const report = (stage: string, done: number): void => settings.report?.({ stage, done, total: 3 });
  const reading = readDocuments(english, documents, 'documents');
  if (reading.wordCount === 0) {
    throw new InputProblem(
      'No document holds a word, so there is nothing to extract. Send texts with content.',
      'documents',
    );
  }
  report('read', 1);
  const history = past.length === 0 ? null : readDocuments(english, past, 'history');
  report('history', 2);

  const ranked = rankPhrases(reading, documents.length, settings.maxPhrases ?? DEFAULT_MAX_PHRASES);
  const weights = new Map(ranked.map(({ phrase, weight }) => [phrase.key, weight]));
  const toQuote = (sentence: ReadSentence): Quote => ({
    documentId: documents[sentence.document]!.id,
    quote: sentence.text,
  });
  const insights: InsightExtraction = {
    documentCount: documents.length,
    sentenceCount: reading.sentences.length,
    wordCount: reading.wordCount,
    historyDocumentCount: past.length,
    period: periodOf(documents),
    keyPhrases: ranked.map((phrase) => toKeyPhrase(phrase, ranked[0]!, { reading, history, weights, toQuote })),
    themes: groupPhrases(ranked, reading).map((group) =>
      toTheme(group, documents, { reading, history, weights, toQuote }),
    ),
    quotes: chooseQuotes(reading.sentences, weights, QUOTES).map(toQuote),
  };
  report('extracted', 3);
  return insights;
}

interface Context {
  reading: Reading;
  history: Reading | null;
  weights: ReadonlyMap<string, number>;
  toQuote: (sentence: ReadSentence) => Quote;
}

function toKeyPhrase(
  { phrase, weight }: RankedPhrase,
  strongest: RankedPhrase,
  { reading, history, weights, toQuote }: Context,
): KeyPhrase {
  const sentences = reading.sentences.filter((sentence) => sentence.keys.includes(phrase.key));
  const [best] = chooseQuotes(sentences, weights, 1);
  return {
    phrase: spellingOf(phrase),
    score: round(weight / strongest.weight),
    count: phrase.count,
    documentCount: phrase.documents.size,
    novelty: noveltyOf([phrase.key], reading, history),
    best: toQuote(best!),
  };
}

function toTheme(
  group: PhraseGroup,
  documents: readonly DocumentInput[],
  { reading, history, weights, toQuote }: Context,
): Theme {
  const keys = group.phrases.map(({ phrase }) => phrase.key);
  const sentences = group.sentences.map((index) => reading.sentences[index]!);
  const own = new Map(keys.map((key) => [key, weights.get(key)!]));
  const mentions = Map.groupBy(sentences, (sentence) => sentence.document);
  const byMentions = [...mentions].toSorted((left, right) => right[1].length - left[1].length || left[0] - right[0]);
  const spellings = group.phrases.map(({ phrase }) => spellingOf(phrase));
  return {
    label: spellings.slice(0, 3).join(', '),
    phrases: spellings,
    documentIds: byMentions.map(([document]) => documents[document]!.id),
    documentRatio: round(mentions.size / documents.length),
    sentiment: round(sentences.reduce((sum, sentence) => sum + sentence.sentiment, 0) / sentences.length),
    novelty: noveltyOf(keys, reading, history),
    quotes: chooseQuotes(sentences, own, QUOTES_PER_THEME).map(toQuote),
  };
}

function periodOf(documents: readonly DocumentInput[]): { from: string; to: string } | null {
  const dates = documents.flatMap(({ date }) => date ?? []).toSorted();
  const [from] = dates;
  return from === undefined ? null : { from, to: dates.at(-1)! };
}

function assertDistinct(documents: readonly DocumentInput[]): void {
  const seen = new Set<string>();
  for (const [index, { id }] of documents.entries()) {
    if (seen.has(id)) {
      throw new InputProblem(
        `Two documents have the id "${id}", so quotes could not name their source. Give each its own id.`,
        `documents.${index}.id`,
      );
    }
    seen.add(id);
  }
}
