// Days in what was said, resolved against the day of the call by the conventions of English-speaking offices.
import type { Sentence } from '../language/english.ts';
import type { DateMention } from './analysis.ts';
import type { ReadTurn } from './conversation.ts';
import { DAY_FINDERS, type Candidate, type Context } from './day-finders.ts';
import { dayOf, toCalendar, toIso, weekdayOf } from '../iso-day.ts';

/** A day found in a sentence; offsets refer to the text of the turn. */
export interface FoundDay {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly day: number;
}

/** Every mention of a day in the call. */
export function findDates(turns: readonly ReadTurn[], callDay: number | null): DateMention[] {
  return turns.flatMap((turn) =>
    turn.sentences.flatMap((sentence) =>
      findDays(sentence, callDay).map((found) => ({
        turn: turn.index,
        text: found.text,
        date: toIso(found.day),
        quote: sentence.text,
      })),
    ),
  );
}

/** Days of one sentence, in order. */
export function findDays(sentence: Sentence, callDay: number | null): FoundDay[] {
  const context: Context = { callDay, sentence };
  let rest = sentence.text;
  const candidates: Candidate[] = [];
  for (const find of DAY_FINDERS) {
    const found = find(rest, context);
    candidates.push(...found);
    for (const { start, end } of found) rest = rest.slice(0, start) + ' '.repeat(end - start) + rest.slice(end);
  }
  const ordered = candidates.toSorted((left, right) => left.start - right.start);
  return joinNeighbours(ordered, context).map(({ start, end, day }) => ({
    start: sentence.start + start,
    end: sentence.start + end,
    text: sentence.text.slice(start, end),
    day,
  }));
}

/** "next Wednesday, the 18th" and "Friday, March 3rd" are one mention, and the figure decides. */
function joinNeighbours(candidates: readonly Candidate[], { sentence, callDay }: Context): Candidate[] {
  const joined: Candidate[] = [];
  for (const candidate of candidates) {
    const previous = joined.at(-1);
    const gap = previous === undefined ? '' : sentence.text.slice(previous.end, candidate.start);
    const isPair = previous?.kind === 'weekday' && (candidate.kind === 'ordinal' || candidate.kind === 'explicit');
    if (previous?.kind === 'explicit' && candidate.kind === 'ordinal' && /^ (?:and|or|to|through) $/.test(gap)) {
      const { year, month } = toCalendar(previous.day);
      joined.push({ ...candidate, kind: 'explicit', day: dayOf(year, month, candidate.ordinal!) });
      continue;
    }
    if (previous === undefined || !isPair || !/^,?\s*(?:the )?$/.test(gap)) {
      joined.push(candidate);
      continue;
    }
    joined[joined.length - 1] = {
      ...candidate,
      start: previous.start,
      day: monthOfWeekday(previous.day, candidate, callDay),
    };
  }
  return joined;
}

/** "Monday the 2nd" three weeks ahead of a month's end: the month in which the 2nd is a Monday. */
function monthOfWeekday(weekday: number, candidate: Candidate, callDay: number | null): number {
  if (candidate.ordinal === undefined || callDay === null || weekdayOf(candidate.day) === weekdayOf(weekday))
    return candidate.day;
  const { year, month } = toCalendar(callDay);
  for (const offset of [0, 1, 2, -1]) {
    const day = dayOf(year, month + offset, candidate.ordinal);
    if (weekdayOf(day) === weekdayOf(weekday) && toCalendar(day).day === candidate.ordinal) return day;
  }
  return candidate.day;
}
