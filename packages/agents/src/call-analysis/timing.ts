// When each turn was spoken. Transcripts give starts only, so its length comes from the call's own pace.
import type { Turn } from './conversation.ts';

export interface Timing {
  /** Estimated speaking time of each turn, by index. */
  readonly talkMs: readonly number[];
  /** From the first start to the estimated end of the last turn. */
  readonly durationMs: number;
}

// Slow and fast ends of ordinary English conversation, about 100 and 300 words a minute.
const SLOWEST_MS_PER_WORD = 600;
const FASTEST_MS_PER_WORD = 200;
/** Turns shorter than this say little about the pace: their interval is mostly silence. */
const TELLING_WORDS = 8;

/** Times of a call, or null unless every turn has a start. */
export function toTiming(turns: readonly Turn[]): Timing | null {
  const starts = turns.map((turn) => turn.startMs);
  if (turns.length < 2 || starts.some((start) => start === null)) return null;
  const intervals = turns.map((_, index) =>
    index + 1 < turns.length ? starts[index + 1]! - starts[index]! : Infinity,
  );
  const pace = msPerWord(turns, intervals);
  const talkMs = turns.map((turn, index) => Math.min(Math.round(turn.wordCount * pace), intervals[index]!));
  return { talkMs, durationMs: starts.at(-1)! - starts[0]! + talkMs.at(-1)! };
}

/** Median milliseconds a word takes, silence after the turn included. */
function msPerWord(turns: readonly Turn[], intervals: readonly number[]): number {
  const paces = turns
    .map((turn, index) => (turn.wordCount >= TELLING_WORDS ? intervals[index]! / turn.wordCount : Infinity))
    .filter((pace) => Number.isFinite(pace))
    .toSorted((left, right) => left - right);
  const median = paces[Math.floor(paces.length / 2)] ?? 400;
  return Math.min(SLOWEST_MS_PER_WORD, Math.max(FASTEST_MS_PER_WORD, median));
}
