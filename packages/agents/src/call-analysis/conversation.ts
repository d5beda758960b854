// A call as its turns: the one shape every measure of the analysis reads.
import type { English, Sentence } from '../language/english.ts';
import type { CallAnalysisInput, Side } from './input.ts';
import { isIsoDay, toDay } from '../iso-day.ts';
import { parseTranscript } from './transcript.ts';
import { InputProblem } from '../input-problem.ts';
import { assertPlainText } from '../text-limits.ts';

export interface Turn {
  /** Position in the call, from 0. */
  readonly index: number;
  readonly speaker: string;
  readonly side: Side | null;
  readonly startMs: number | null;
  readonly text: string;
  readonly wordCount: number;
}

/** A turn with its reading. */
export interface ReadTurn extends Turn {
  readonly sentences: readonly Sentence[];
}

export interface Conversation {
  readonly title: string | null;
  /** Day number of the call, or null when nobody said it. */
  readonly day: number | null;
  readonly turns: readonly Turn[];
}

/** Makes a conversation of either form of input. Throws `InputProblem` when the text cannot be read as a call. */
export function toConversation(input: CallAnalysisInput): Conversation {
  if (input.transcript !== undefined) assertPlainText(input.transcript, 'transcript');
  const source =
    input.transcript === undefined
      ? { title: null, date: null, turns: input.turns ?? [] }
      : parseTranscript(input.transcript);
  const date = input.date ?? source.date;
  if (date !== null && !isIsoDay(date)) {
    throw new InputProblem(`"${date}" is not a day. Write the call's date as YYYY-MM-DD, such as 2026-03-10.`, 'date');
  }
  const turns = source.turns.map((turn, index): Turn => {
    if (input.turns !== undefined) assertPlainText(turn.text, `turns.${index}.text`);
    return {
      index,
      speaker: turn.speaker.trim(),
      side: turn.side ?? null,
      startMs: turn.startMs ?? null,
      text: turn.text,
      wordCount: countWords(turn.text),
    };
  });
  assertSpoken(turns);
  assertInOrder(turns);
  return { title: source.title, day: date === null ? null : toDay(date), turns };
}

/** Reads every turn; this is nearly all of the analysis' processor time. */
export function readTurns(english: English, turns: readonly Turn[]): ReadTurn[] {
  return turns.map((turn) => ({ ...turn, sentences: english.read(turn.text) }));
}

function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}]+(?:['’.,-][\p{L}\p{N}]+)*/gu)?.length ?? 0;
}

function assertSpoken(turns: readonly Turn[]): void {
  if (turns.some((turn) => turn.wordCount > 0)) return;
  throw new InputProblem(
    'No turn holds a word, so there is nothing to analyse. Send the text of what was said.',
    'turns',
  );
}

function assertInOrder(turns: readonly Turn[]): void {
  let before: Turn | undefined;
  for (const turn of turns) {
    if (turn.startMs === null) continue;
    if (before?.startMs != null && turn.startMs < before.startMs) {
      throw new InputProblem(
        `Turn ${turn.index} starts at ${turn.startMs} ms, before turn ${before.index} at ${before.startMs} ms. Sort the turns by their start, or leave the times out.`,
        `turns.${turn.index}.startMs`,
      );
    }
    before = turn;
  }
}
