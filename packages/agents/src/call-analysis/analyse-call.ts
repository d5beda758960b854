// The analysis of a call as a table of contents: read once, then measure.
import type { English } from '../language/english.ts';
import { sentimentOfAll } from '../language/sentiment.ts';
import type { CallAnalysis, Filler, Question, SideShare, SpeakerShare } from './analysis.ts';
import { findCommitments } from './commitments.ts';
import type { CallAnalysisSettings } from './config.ts';
import { readTurns, toConversation, type ReadTurn } from './conversation.ts';
import { findDates } from './dates.ts';
import { findFillers } from './fillers.ts';
import type { CallAnalysisInput } from './input.ts';
import { toIso } from '../iso-day.ts';
import { findMoney } from './money.ts';
import { findObjections } from './objections.ts';
import { findLongestMonologue, measureInteractivity, measureResponseGaps } from './participation.ts';
import { findQuestions } from './questions.ts';
import { round } from '../round.ts';
import { toTiming, type Timing } from './timing.ts';
import { findTopics } from './topics.ts';

const DEFAULT_CURRENCY = 'USD';

/**
 * Analyses one call. Synchronous and heavy, some ten milliseconds for half an hour of talk: run it in a worker thread.
 * Throws `InputProblem` when the input cannot be read as a call.
 */
export function analyseCall(
  english: English,
  input: CallAnalysisInput,
  settings: CallAnalysisSettings = {},
): CallAnalysis {
  const conversation = toConversation(input);
  const report = (stage: string, done: number): void => settings.report?.({ stage, done, total: 3 });
  report('parsed', 1);
  const turns = readTurns(english, conversation.turns);
  report('read', 2);

  const timing = toTiming(turns);
  const questions = findQuestions(turns);
  const fillers = findFillers(turns);
  const moods = turns.map((turn) => round(sentimentOfAll(turn.sentences)));
  const analysis: CallAnalysis = {
    title: conversation.title,
    date: conversation.day === null ? null : toIso(conversation.day),
    turnCount: turns.length,
    wordCount: countWords(turns),
    durationMs: timing?.durationMs ?? null,
    speakers: shareBySpeaker(turns, timing, questions, fillers),
    sides: shareBySide(turns),
    longestMonologue: findLongestMonologue(turns, timing),
    interactivity: measureInteractivity(turns, timing),
    responseGaps: measureResponseGaps(turns, timing),
    sentiment: moodOf(turns),
    sentimentByTurn: moods.map((sentiment, turn) => ({ turn, sentiment })),
    questions,
    fillers,
    topics: findTopics(turns),
    objections: findObjections(turns),
    money: findMoney(turns, settings.defaultCurrency ?? DEFAULT_CURRENCY),
    dates: findDates(turns, conversation.day),
    commitments: findCommitments(turns, conversation.day),
  };
  report('analysed', 3);
  return analysis;
}

function shareBySpeaker(
  turns: readonly ReadTurn[],
  timing: Timing | null,
  questions: readonly Question[],
  fillers: readonly Filler[],
): SpeakerShare[] {
  const total = countWords(turns);
  return [...Map.groupBy(turns, (turn) => turn.speaker)].map(([speaker, own]) => {
    const wordCount = countWords(own);
    const fillerCount = fillers.filter((filler) => filler.speaker === speaker).length;
    return {
      speaker,
      side: own.find((turn) => turn.side !== null)?.side ?? null,
      turnCount: own.length,
      wordCount,
      talkRatio: round(wordCount / total),
      talkMs: timing === null ? null : own.reduce((sum, turn) => sum + timing.talkMs[turn.index]!, 0),
      questionCount: questions.filter((question) => question.speaker === speaker).length,
      fillerCount,
      fillersPer100Words: wordCount === 0 ? 0 : round((fillerCount * 100) / wordCount),
      sentiment: moodOf(own),
    };
  });
}

function shareBySide(turns: readonly ReadTurn[]): SideShare[] {
  const total = countWords(turns);
  return [...Map.groupBy(turns, (turn) => turn.side)].map(([side, own]) => ({
    side,
    wordCount: countWords(own),
    talkRatio: round(countWords(own) / total),
    sentiment: moodOf(own),
  }));
}

function countWords(turns: readonly ReadTurn[]): number {
  return turns.reduce((sum, turn) => sum + turn.wordCount, 0);
}

function moodOf(turns: readonly ReadTurn[]): number {
  return round(sentimentOfAll(turns.flatMap((turn) => turn.sentences)));
}
