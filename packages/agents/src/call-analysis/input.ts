// What the call analysis takes: a transcript as text, or its turns.
import { z } from 'zod';
import { isIsoDay } from '../iso-day.ts';

/** Which side of the table a speaker sits on: the one that sells, or the one that buys. */
export type Side = 'rep' | 'customer';

export interface TurnInput {
  speaker: string;
  side?: Side | undefined;
  /** Milliseconds from the start of the call to the first word of the turn. */
  startMs?: number | undefined;
  text: string;
}

/** A call, either as text in `transcript` or as `turns`: exactly one of the two. */
export interface CallAnalysisInput {
  /** One line per turn, `Name (rep|customer) [mm:ss]: text`; side and time are optional, headers may come first. */
  transcript?: string | undefined;
  turns?: TurnInput[] | undefined;
  /** Day of the call as YYYY-MM-DD; relative dates are resolved against it. Overrides the transcript's `Date:` header. */
  date?: string | undefined;
}

/** Most turns one call may have. */
export const MAX_TURNS = 20_000;

const date = z
  .string()
  .refine(
    isIsoDay,
    'must be a real day in the form YYYY-MM-DD, such as 2026-03-10; relative dates are resolved against it',
  )
  .optional()
  .meta({ description: 'Day of the call, YYYY-MM-DD' });

const turn = z.strictObject({
  speaker: z.string().trim().min(1, 'is empty; every turn needs the name of who speaks').max(200),
  side: z.enum(['rep', 'customer'], 'must be "rep" or "customer"; leave it out when it is not known').optional(),
  startMs: z
    .number()
    .min(0, 'counts from the start of the call and cannot be negative')
    .optional()
    .meta({ description: 'Start of the turn in milliseconds from the start of the call' }),
  text: z.string(),
});

const transcript = z
  .string('must be a string: one line per turn, "Name (rep) [00:00]: text"')
  .refine((text) => text.trim() !== '', 'is empty; send at least one line in the form "Name (rep) [00:00]: text"')
  .meta({ description: 'One line per turn: Name (rep|customer) [mm:ss]: text. Side and time are optional.' });

const turns = z
  .array(turn, 'must be an array of { speaker, side?, startMs?, text }')
  .min(1, 'is empty; send at least one turn')
  .max(MAX_TURNS, `holds more than ${MAX_TURNS} turns; split the call and send the parts one by one`);

export const callAnalysisInput: z.ZodType<CallAnalysisInput> = z
  .strictObject({ transcript: transcript.optional(), turns: turns.optional(), date })
  .refine(
    (input) => (input.transcript === undefined) !== (input.turns === undefined),
    'send either transcript, as text, or turns, as an array: exactly one of the two',
  );
