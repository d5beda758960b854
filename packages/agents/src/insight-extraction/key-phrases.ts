// Ranks phrases: frequent, spread over documents, long, and not merely part of a longer one (C-value).
import type { PhraseCount, Reading } from './reading.ts';

export interface RankedPhrase {
  readonly phrase: PhraseCount;
  readonly weight: number;
}

/** A phrase that stands inside longer ones this often is named by them. */
const NESTED_RATIO = 0.7;

/** The strongest phrases, at most `limit`; ties in alphabetical order, so that the result is always the same. */
export function rankPhrases({ phrases, sentences }: Reading, documentCount: number, limit: number): RankedPhrase[] {
  // In little text every phrase is rare; in much of it one that occurs once tells nothing.
  const least = sentences.length > 40 ? 2 : 1;
  const frequent = [...phrases.values()].filter((phrase) => phrase.count >= least);
  const nested = countNested(frequent);
  const ranked = frequent.map((phrase) => {
    const inside = nested.get(phrase.key);
    const own = inside === undefined ? phrase.count : phrase.count - inside.count / inside.holders;
    const spread = Math.log2(1 + phrase.documents.size) / Math.log2(1 + documentCount);
    // A single word needs more evidence than a phrase that people put together on purpose.
    const length = phrase.wordCount === 1 ? 0.6 : Math.log2(1 + phrase.wordCount);
    const isSwallowed = inside !== undefined && inside.most >= NESTED_RATIO * phrase.count;
    return { phrase, weight: isSwallowed ? 0 : own * length * (0.5 + 0.5 * spread) };
  });
  return ranked
    .filter(({ weight }) => weight > 0)
    .toSorted((left, right) => right.weight - left.weight || (left.phrase.key < right.phrase.key ? -1 : 1))
    .slice(0, limit);
}

interface Nesting {
  /** Occurrences inside longer phrases, and how many such phrases there are. */
  count: number;
  holders: number;
  /** Occurrences of the most frequent longer phrase. */
  most: number;
}

function countNested(phrases: readonly PhraseCount[]): Map<string, Nesting> {
  const nested = new Map<string, Nesting>();
  for (const { key, count, wordCount } of phrases) {
    if (wordCount === 1) continue;
    for (const part of partsOf(key.split(' '))) {
      const nesting = nested.get(part) ?? { count: 0, holders: 0, most: 0 };
      nested.set(part, {
        count: nesting.count + count,
        holders: nesting.holders + 1,
        most: Math.max(nesting.most, count),
      });
    }
  }
  return nested;
}

function partsOf(words: readonly string[]): string[] {
  const parts = new Set<string>();
  for (let from = 0; from < words.length; from += 1) {
    for (let to = from + 1; to <= words.length; to += 1) {
      if (to - from < words.length) parts.add(words.slice(from, to).join(' '));
    }
  }
  return [...parts];
}
