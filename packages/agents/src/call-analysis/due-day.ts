// The day by which a promised deed will be done, out of the days its sentence mentions.
import type { Sentence } from '../language/english.ts';
import type { FoundDay } from './dates.ts';

// Another clause begins: its days belong to it and not to the deed.
const NEXT_CLAUSE =
  /[,;—–-]\s+(?:(?:and|but|so|because|since|as|though|although|which|where|when) )?(?:i|i'm|i've|we|we're|you|you're|he|he's|she|she's|it|it's|that|that's|they|they're|there|there's|this)\b|\b(?:because|so that|so we|so you|which is|since (?:i|we|you|he|she|they|it))\b|[;—–]\s/gi;
const CORRECTION =
  /\b(?:no,? (?:sorry|wait)|sorry|wait|i mean|actually|scratch that|make that|make it|rather|correction|no)\b/i;
// Days of something else: the meeting invited to, the report spoken of.
const OF_SOMETHING_ELSE =
  /\b(?:for|of|about|from|since|between|after) (?:the week of |next |this )?$|\b(?:the|our|your|that|their|my|his|her|this) (?:\w+ )?(?:meeting|call|committee|board|demo|session|webinar|visit|go-live|kick-?off|deadline|review|launch|audit|workshop|training|renewal)(?: is| are| meets?)?(?: on| at)? $|\b(?:meets?|expires?|ends?|starts?|opens?)(?: on)? $/i;
const DEADLINE =
  /\b(?:by|before|no later than|latest|until|till) (?:(?:the|end of day|eod|close of business|cob|noon|lunch)(?: on)? )?$/i;

/** The due day of a deed whose words stand from `start` to `end`; null when there is none. Offsets are the turn's. */
export function findDueDay(sentence: Sentence, start: number, end: number, days: readonly FoundDay[]): number | null {
  const after = days.filter((day) => day.start >= start && day.start < end);
  const corrected = toCorrected(sentence, after);
  if (corrected !== null) return corrected;
  const clauseEnd = endOfDeed(sentence, start);
  const own = after.filter(
    (day) => day.start < clauseEnd && !OF_SOMETHING_ELSE.test(textBetween(sentence, start, day.start)),
  );
  const deadline = own.find((day) => DEADLINE.test(textBetween(sentence, start, day.start)));
  if (deadline !== undefined) return deadline.day;
  const [first] = own;
  const last = own.at(-1);
  // "I'll ask him on Monday and call you on Tuesday": asking prepares the call.
  if (first !== undefined && last !== undefined)
    return / and /.test(textBetween(sentence, first.end, last.start)) ? last.day : first.day;
  return dayBefore(sentence, start, days);
}

/** "Monday, no, sorry, Tuesday". */
function toCorrected(sentence: Sentence, days: readonly FoundDay[]): number | null {
  const [first, second] = days;
  if (first === undefined || second === undefined) return null;
  return CORRECTION.test(textBetween(sentence, first.end, second.start)) ? second.day : null;
}

function endOfDeed(sentence: Sentence, start: number): number {
  const text = sentence.text.slice(start - sentence.start);
  for (const match of text.matchAll(NEXT_CLAUSE)) {
    // "…, and you'll have both on Friday" is the same promise.
    if (!/(?:you'll|you will|i'll|we'll)/i.test(text.slice(match.index, match.index + match[0].length + 3)))
      return start + match.index;
  }
  return sentence.end;
}

/** "Tomorrow I'll call him"; "I see her on Friday, I'll raise it there". */
function dayBefore(sentence: Sentence, start: number, days: readonly FoundDay[]): number | null {
  const before = days.findLast((day) => day.end <= start);
  if (before === undefined) return null;
  const gap = textBetween(sentence, before.end, start);
  const filler = /\b(?:first thing|in the|morning|afternoon|then|and|so|at the latest)\b|[,\s]/gi;
  return gap.replaceAll(filler, '') === '' ? before.day : null;
}

function textBetween(sentence: Sentence, start: number, end: number): string {
  return sentence.text.slice(start - sentence.start, end - sentence.start);
}
