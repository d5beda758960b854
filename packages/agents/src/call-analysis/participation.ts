// Who spoke how much, how long without a break, and how briskly the word changed hands.
import type { Interactivity, Monologue, ResponseGaps } from './analysis.ts';
import type { Turn } from './conversation.ts';
import { round } from '../round.ts';
import type { Timing } from './timing.ts';

/** The longest run of turns by one speaker, by words; null for a call without words. There must be a turn. */
export function findLongestMonologue(turns: readonly Turn[], timing: Timing | null): Monologue | null {
  const runs: Monologue[] = [];
  for (const turn of turns) {
    let run = runs.at(-1);
    if (run?.speaker !== turn.speaker) {
      run = {
        speaker: turn.speaker,
        firstTurn: turn.index,
        lastTurn: turn.index,
        wordCount: 0,
        durationMs: timing === null ? null : 0,
      };
      runs.push(run);
    }
    run.lastTurn = turn.index;
    run.wordCount += turn.wordCount;
    if (run.durationMs !== null) run.durationMs += timing?.talkMs[turn.index] ?? 0;
  }
  const longest = runs.reduce((most, run) => (run.wordCount > most.wordCount ? run : most));
  return longest.wordCount === 0 ? null : longest;
}

export function measureInteractivity(turns: readonly Turn[], timing: Timing | null): Interactivity {
  const switchCount = turns.filter((turn, index) => index > 0 && turn.speaker !== turns[index - 1]?.speaker).length;
  const words = turns.reduce((sum, turn) => sum + turn.wordCount, 0);
  const minutes = (timing?.durationMs ?? 0) / 60_000;
  return {
    switchCount,
    switchesPerMinute: minutes > 0 ? round(switchCount / minutes) : null,
    switchesPer100Words: round((switchCount * 100) / words),
  };
}

/** Silences between one speaker and the next; null without times or switches. */
export function measureResponseGaps(turns: readonly Turn[], timing: Timing | null): ResponseGaps | null {
  if (timing === null) return null;
  const gaps = turns.flatMap((turn, index) => {
    const before = turns[index - 1];
    if (before === undefined || before.speaker === turn.speaker) return [];
    return [{ turn: index, ms: turn.startMs! - before.startMs! - timing.talkMs[index - 1]! }];
  });
  const sorted = gaps.map((gap) => gap.ms).toSorted((left, right) => left - right);
  const longest = gaps.reduce((most, gap) => (gap.ms > most.ms ? gap : most), gaps[0] ?? { turn: 0, ms: 0 });
  if (gaps.length === 0) return null;
  return {
    count: gaps.length,
    medianMs: sorted[Math.floor((sorted.length - 1) / 2)]!,
    p90Ms: sorted[Math.floor((sorted.length - 1) * 0.9)]!,
    longestMs: longest.ms,
    longestBeforeTurn: longest.turn,
  };
}
