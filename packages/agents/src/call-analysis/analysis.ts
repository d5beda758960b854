// What the call analysis gives: plain JSON, every finding with its turn and the exact words it rests on.
import { z } from 'zod';
import type { Side } from './input.ts';

/** Kinds of objections, as sales teams sort them. */
export const OBJECTION_KINDS = ['price', 'timing', 'authority', 'need', 'trust', 'competitor', 'effort'] as const;
export type ObjectionKind = (typeof OBJECTION_KINDS)[number];

/** Where a finding stands: the index of its turn, from 0, and an exact substring of that turn. */
export interface Evidence {
  turn: number;
  quote: string;
}

export interface SpeakerShare {
  speaker: string;
  side: Side | null;
  turnCount: number;
  wordCount: number;
  /** Share of all words of the call, 0 to 1. */
  talkRatio: number;
  /** Estimated speaking time; null when the call has no times. */
  talkMs: number | null;
  questionCount: number;
  fillerCount: number;
  fillersPer100Words: number;
  /** Mean sentiment of the speaker's words, −1 to 1. */
  sentiment: number;
}

export interface SideShare {
  side: Side | null;
  wordCount: number;
  /** Share of all words of the call, 0 to 1. */
  talkRatio: number;
  /** Mean sentiment of the side's words, −1 to 1. */
  sentiment: number;
}

export interface Monologue {
  speaker: string;
  firstTurn: number;
  lastTurn: number;
  wordCount: number;
  /** Estimated speaking time; null when the call has no times. */
  durationMs: number | null;
}

export interface Interactivity {
  /** How often the word passed from one speaker to another. */
  switchCount: number;
  /** Null when the call has no times. */
  switchesPerMinute: number | null;
  switchesPer100Words: number;
}

/** Silence before a speaker answers another, estimated from the pace of the call. */
export interface ResponseGaps {
  count: number;
  medianMs: number;
  p90Ms: number;
  longestMs: number;
  /** Turn that came after the longest gap. */
  longestBeforeTurn: number;
}

export interface Question extends Evidence {
  speaker: string;
  side: Side | null;
}

export interface Filler extends Evidence {
  speaker: string;
  filler: string;
}

export interface TurnSentiment {
  turn: number;
  /** −1 to 1; 0 when nothing in the turn carries a mood. */
  sentiment: number;
}

export interface Topic {
  topic: string;
  mentionCount: number;
  turns: number[];
  /** The turn that says most about it. */
  best: Evidence;
}

export interface Objection extends Evidence {
  kind: ObjectionKind;
  speaker: string;
}

export interface MoneyMention extends Evidence {
  text: string;
  amount: number;
  /** ISO 4217 code. */
  currency: string;
}

export interface DateMention extends Evidence {
  text: string;
  /** ISO day, YYYY-MM-DD. */
  date: string;
}

export interface Commitment extends Evidence {
  speaker: string;
  /** Who will do it: the speaker, or the colleague the speaker named. */
  owner: string;
  /** ISO day by which it will be done; null when the turn names none. */
  due: string | null;
}

export interface CallAnalysis {
  title: string | null;
  /** ISO day of the call; null when unknown, then dates without a year stay unresolved. */
  date: string | null;
  turnCount: number;
  wordCount: number;
  /** From the first word to the estimated end of the last turn; null when the call has no times. */
  durationMs: number | null;
  speakers: SpeakerShare[];
  sides: SideShare[];
  longestMonologue: Monologue | null;
  interactivity: Interactivity;
  /** Null when the call has no times or nobody answered anybody. */
  responseGaps: ResponseGaps | null;
  /** Mean sentiment of the call, −1 to 1, by words. */
  sentiment: number;
  sentimentByTurn: TurnSentiment[];
  questions: Question[];
  fillers: Filler[];
  topics: Topic[];
  objections: Objection[];
  money: MoneyMention[];
  dates: DateMention[];
  commitments: Commitment[];
}

const count = z.int().min(0);
const ratio = z.number().min(0).max(1);
const mood = z.number().min(-1).max(1);
const milliseconds = z.number().min(0);
const side = z.enum(['rep', 'customer']).nullable();
const isoDay = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const speaker = z.string();
const evidence = { turn: count, quote: z.string() };

export const callAnalysis: z.ZodType<CallAnalysis> = z.object({
  title: z.string().nullable(),
  date: isoDay.nullable(),
  turnCount: count,
  wordCount: count,
  durationMs: milliseconds.nullable(),
  speakers: z.array(
    z.object({
      speaker,
      side,
      turnCount: count,
      wordCount: count,
      talkRatio: ratio,
      talkMs: milliseconds.nullable(),
      questionCount: count,
      fillerCount: count,
      fillersPer100Words: z.number().min(0),
      sentiment: mood,
    }),
  ),
  sides: z.array(z.object({ side, wordCount: count, talkRatio: ratio, sentiment: mood })),
  longestMonologue: z
    .object({ speaker, firstTurn: count, lastTurn: count, wordCount: count, durationMs: milliseconds.nullable() })
    .nullable(),
  interactivity: z.object({
    switchCount: count,
    switchesPerMinute: z.number().min(0).nullable(),
    switchesPer100Words: z.number().min(0),
  }),
  responseGaps: z
    .object({
      count,
      medianMs: milliseconds,
      p90Ms: milliseconds,
      longestMs: milliseconds,
      longestBeforeTurn: count,
    })
    .nullable(),
  sentiment: mood,
  sentimentByTurn: z.array(z.object({ turn: count, sentiment: mood })),
  questions: z.array(z.object({ ...evidence, speaker, side })),
  fillers: z.array(z.object({ ...evidence, speaker, filler: z.string() })),
  topics: z.array(
    z.object({ topic: z.string(), mentionCount: count, turns: z.array(count), best: z.object(evidence) }),
  ),
  objections: z.array(z.object({ ...evidence, kind: z.enum(OBJECTION_KINDS), speaker })),
  money: z.array(z.object({ ...evidence, text: z.string(), amount: z.number(), currency: z.string().length(3) })),
  dates: z.array(z.object({ ...evidence, text: z.string(), date: isoDay })),
  commitments: z.array(z.object({ ...evidence, speaker, owner: speaker, due: isoDay.nullable() })),
});
