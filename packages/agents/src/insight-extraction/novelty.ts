// How new something is: its frequency now against its frequency in the history, by words of text.
import type { Novelty } from './insights.ts';
import type { Reading } from './reading.ts';

/** Novelty of a phrase, or of several together; null without a history. */
export function noveltyOf(keys: readonly string[], now: Reading, history: Reading | null): Novelty | null {
  if (history === null) return null;
  const countIn = (reading: Reading): number =>
    keys.reduce((sum, key) => sum + (reading.phrases.get(key)?.count ?? 0), 0);
  const historyCount = countIn(history);
  const rateNow = countIn(now) / Math.max(1, now.wordCount);
  const rateThen = historyCount / Math.max(1, history.wordCount);
  const noveltyRatio = rateNow === 0 ? 0 : Math.max(0, 1 - rateThen / rateNow);
  return { noveltyRatio: Math.round(noveltyRatio * 1000) / 1000, historyCount };
}
