// Chooses sentences that stand for many: rich in weighty phrases, of readable length, no two of them alike.
import type { ReadSentence } from './reading.ts';

const FEWEST_WORDS = 5;
const MOST_WORDS = 45;

/** Up to `limit` sentences, the best first. */
export function chooseQuotes(
  sentences: readonly ReadSentence[],
  weights: ReadonlyMap<string, number>,
  limit: number,
): ReadSentence[] {
  const isReadable = ({ wordCount }: ReadSentence): boolean => wordCount >= FEWEST_WORDS && wordCount <= MOST_WORDS;
  const readable = sentences.filter(isReadable);
  const pool = readable.length > 0 ? readable : sentences;
  const chosen: ReadSentence[] = [];
  const said = new Set<string>();
  while (chosen.length < limit) {
    // A phrase that was quoted already counts for little, so the next quote brings in others.
    const best = strongest(pool, (key) => (said.has(key) ? 0.15 : 1) * (weights.get(key) ?? 0), chosen);
    if (best === null) break;
    chosen.push(best);
    for (const key of best.keys) said.add(key);
  }
  return chosen;
}

function strongest(
  pool: readonly ReadSentence[],
  weightOf: (key: string) => number,
  chosen: readonly ReadSentence[],
): ReadSentence | null {
  let best: ReadSentence | null = null;
  let most = 0;
  for (const sentence of pool) {
    if (chosen.some((other) => other.text === sentence.text)) continue;
    let sum = 0;
    for (const key of new Set(sentence.keys)) sum += weightOf(key);
    // Longer sentences hold more phrases by chance alone.
    const weight = sum / Math.sqrt(Math.max(sentence.wordCount, 8));
    if (weight > most) {
      most = weight;
      best = sentence;
    }
  }
  return best;
}
