// Groups phrases that occur together into themes, by average-link clustering of where they occur.
import type { RankedPhrase } from './key-phrases.ts';
import type { Reading } from './reading.ts';

export interface PhraseGroup {
  /** The strongest first. */
  readonly phrases: readonly RankedPhrase[];
  /** Indices of the sentences that hold one of the phrases. */
  readonly sentences: readonly number[];
}

/** Phrases less alike than this do not join a theme. */
const LEAST_SIMILARITY = 0.12;
const MOST_THEMES = 12;
/** More phrases than this would cost the square of their number and add nothing to the themes. */
const MOST_PHRASES = 60;

/** Themes of at least two phrases, the weightiest first. */
export function groupPhrases(ranked: readonly RankedPhrase[], reading: Reading): PhraseGroup[] {
  const strongest = ranked.slice(0, MOST_PHRASES);
  const places = placesOf(strongest, reading);
  const similarity = strongest.map((_, left) => strongest.map((__, right) => cosine(places[left]!, places[right]!)));
  let groups = strongest.map((_, index) => [index]);
  for (;;) {
    const pair = closestPair(groups, similarity);
    if (pair === null) break;
    const [left, right] = pair;
    const merged = [...groups[left]!, ...groups[right]!];
    groups = groups.map((group, index) => (index === left ? merged : group)).filter((_, index) => index !== right);
  }
  return groups
    .filter((group) => group.length > 1)
    .map((group) => toGroup(group, strongest, reading))
    .toSorted((left, right) => weightOf(right) - weightOf(left))
    .slice(0, MOST_THEMES);
}

/** Where each phrase occurs: its sentences count fully, those beside them in the same document half. */
function placesOf(ranked: readonly RankedPhrase[], { sentences }: Reading): Map<number, number>[] {
  return ranked.map(({ phrase }) => {
    const place = new Map<number, number>();
    for (const [at, sentence] of sentences.entries()) {
      if (!sentence.keys.includes(phrase.key)) continue;
      place.set(at, 1);
      for (const beside of [at - 1, at + 1]) {
        if (sentences[beside]?.document === sentence.document && !place.has(beside)) place.set(beside, 0.5);
      }
    }
    return place;
  });
}

function cosine(left: ReadonlyMap<number, number>, right: ReadonlyMap<number, number>): number {
  let dot = 0;
  for (const [at, weight] of left) dot += weight * (right.get(at) ?? 0);
  return dot === 0 ? 0 : dot / (norm(left) * norm(right));
}

function norm(vector: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const weight of vector.values()) sum += weight * weight;
  return Math.sqrt(sum);
}

/** The two most alike groups by the mean over their phrases; null when none are alike enough. */
function closestPair(groups: readonly number[][], similarity: readonly number[][]): [number, number] | null {
  let best: [number, number] | null = null;
  let most = LEAST_SIMILARITY;
  for (let left = 0; left < groups.length; left += 1) {
    for (let right = left + 1; right < groups.length; right += 1) {
      const mean = meanSimilarity(groups[left]!, groups[right]!, similarity);
      if (mean > most) {
        most = mean;
        best = [left, right];
      }
    }
  }
  return best;
}

function meanSimilarity(left: readonly number[], right: readonly number[], similarity: readonly number[][]): number {
  let sum = 0;
  for (const one of left) for (const other of right) sum += similarity[one]![other]!;
  return sum / (left.length * right.length);
}

function toGroup(group: readonly number[], ranked: readonly RankedPhrase[], { sentences }: Reading): PhraseGroup {
  const phrases = group.toSorted((left, right) => left - right).map((index) => ranked[index]!);
  const keys = new Set(phrases.map(({ phrase }) => phrase.key));
  const within = sentences.flatMap((sentence, index) => (sentence.keys.some((key) => keys.has(key)) ? [index] : []));
  return { phrases, sentences: within };
}

function weightOf(group: PhraseGroup): number {
  return group.phrases.reduce((sum, { weight }) => sum + weight, 0);
}
