// The ways in which people name a day, each with its finder; where chrono's reading differs from ours, ours comes first.
import { casual } from 'chrono-node/en';
import type { Sentence } from '../language/english.ts';
import { dayOf, isRealDate, monthEnd, toCalendar, weekStart, type CalendarDate } from '../iso-day.ts';
import { findNumbers, ORDINAL, parseOrdinal } from './number-words.ts';
import { tenseAt } from './tense.ts';

type Kind = 'explicit' | 'weekday' | 'ordinal' | 'relative';

/** A day found by one of the finders; offsets refer to the sentence. */
export interface Candidate {
  start: number;
  end: number;
  kind: Kind;
  day: number;
  /** Day of the month of an ordinal, so that a weekday beside it can choose the month. */
  ordinal?: number;
}

export interface Context {
  /** Day of the call; null when unknown, then only dates with a year are found. */
  readonly callDay: number | null;
  readonly sentence: Sentence;
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const WEEKDAY = '(mon|tues|wednes|thurs|fri|satur|sun)day';
const PERIOD_END = new RegExp(
  `\\bend of (?:the |this )?(week|month)\\b|\\bend of (next week|next month|${MONTHS.join('|')})\\b|\\bmonth[- ]end\\b`,
  'gi',
);

function findPeriodEnds(text: string, { callDay }: Context): Candidate[] {
  if (callDay === null) return [];
  const { year, month } = toCalendar(callDay);
  return matches(PERIOD_END, text).map(({ start, end, groups: [unit, name] }) => {
    const named = MONTHS.indexOf(name?.toLowerCase() ?? '') + 1;
    let day = monthEnd(year, month);
    if (unit?.toLowerCase() === 'week') day = weekStart(callDay) + 4;
    else if (name?.toLowerCase() === 'next week') day = weekStart(callDay) + 11;
    else if (named > 0) day = monthEnd(named < month ? year + 1 : year, named);
    else if (name !== undefined) day = monthEnd(year, month + 1);
    return { start, end, kind: 'relative', day };
  });
}

const COUNTED_DAYS = /\b(\d+|[a-z-]+) (day|week|fortnight)s? (?:from )?(today|tomorrow)\b|\bin (a) (fortnight)\b/gi;

/** "Four weeks from today". */
function findCountedDays(text: string, { callDay }: Context): Candidate[] {
  if (callDay === null) return [];
  return matches(COUNTED_DAYS, text).flatMap(({ start, end, groups }): Candidate[] => {
    const [words = '', unit, from] = groups.filter((group) => group !== undefined).map((group) => group.toLowerCase());
    const count = /^an?$/.test(words) ? 1 : findNumbers(words)[0]?.value;
    if (count === undefined) return [];
    const length = unit === 'day' ? 1 : unit === 'week' ? 7 : 14;
    return [{ start, end, kind: 'relative', day: callDay + count * length + (from === 'tomorrow' ? 1 : 0) }];
  });
}

const MONTH_THE_DAY = new RegExp(`\\b(${MONTHS.join('|')}) the (${ORDINAL})`, 'gi');

/** "March the 20th", which chrono reads as a month and a bare day. */
function findMonthTheDay(text: string, context: Context): Candidate[] {
  return matches(MONTH_THE_DAY, text).flatMap(({ start, end, groups: [month = '', word = ''] }): Candidate[] => {
    const date = {
      year: 0,
      month: MONTHS.indexOf(month.toLowerCase()) + 1,
      day: parseOrdinal(word.toLowerCase()) ?? 0,
    };
    const day = nearestYear(date, start, end, context);
    return day === null ? [] : [{ start, end, kind: 'explicit', day }];
  });
}

// Words that chrono takes for days or months in lower case too.
const AMBIGUOUS = /^(?:may|march|sat|sun|mon|wed|second)\b/;
// Of chrono's relative expressions those that mean one day: not "now", "last week", "for six days" or "in a few weeks".
const RELATIVE_DAY =
  /^(?:(?:the )?day after tomorrow|(?:the )?day before yesterday|today|tomorrow|yesterday|(?:in|within) (?:\d+|[a-z-]+) (?:days?|weeks?)|(?:\d+|[a-z-]+) (?:days?|weeks?) (?:ago|from now))\b/i;
const VAGUE = /\b(?:few|couple|several|some|many)\b/i;
// "In a day or two", "in four days on average": a span, not a day.
const SPAN_AFTER =
  /^ (?:or (?:so|two|three|less|more)|on average|flat|at (?:most|least|the most)|to (?:\d|\w+ (?:days|weeks)))/i;
const SLASHED = /^\d{1,2}\/\d{1,2}$/;

function findByChrono(text: string, context: Context): Candidate[] {
  const reference = { instant: new Date((context.callDay ?? 0) * 86_400_000 + 43_200_000), timezone: 0 };
  return casual.parse(text, reference).flatMap((result): Candidate[] => {
    const start = result.index;
    const words = trimTime(result.text);
    const end = start + words.length;
    const known = result.start;
    if (!known.isCertain('day') || !known.isCertain('month') || AMBIGUOUS.test(words)) return [];
    const isSlashed = SLASHED.test(words) && !/\b(?:on|by|until|before|from|since) $/i.test(text.slice(0, start));
    if (isSlashed || isNowadays(words, start, context)) return [];
    const date = { year: known.get('year') ?? 0, month: known.get('month') ?? 1, day: known.get('day') ?? 1 };
    const isNamed = /\d{4}|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|\d[/.-]\d/i.test(words);
    if (known.isCertain('year')) {
      const isRelative = !isNamed;
      if (
        isRelative &&
        (context.callDay === null || !RELATIVE_DAY.test(words) || VAGUE.test(words) || SPAN_AFTER.test(text.slice(end)))
      )
        return [];
      return [{ start, end, kind: isRelative ? 'relative' : 'explicit', day: dayOf(date.year, date.month, date.day) }];
    }
    const day = nearestYear(date, start, end, context);
    return day === null ? [] : [{ start, end, kind: 'explicit', day }];
  });
}

const DAY_FIRST = /^(?:today|tomorrow|yesterday|(?:the )?day (?:after tomorrow|before yesterday))/i;
const TIME_AFTER =
  /,?\s+(?:(?:at|around|by|in the)\s+)?(?:noon|midnight|morning|afternoon|evening|night|\d{1,2}:\d{2}|\d{1,2}\s*(?:am|pm))\b.*$/i;

/** Takes a time of day off the end: "tomorrow morning at 9" becomes "tomorrow". */
function trimTime(words: string): string {
  const [day] = DAY_FIRST.exec(words) ?? [];
  return (day ?? words.replace(TIME_AFTER, '')).replace(/[,\s]+$/, '');
}

// Verbs of what people keep doing, as in "what do you use today"; "to use" and "will use" are about the day itself.
const HABIT =
  /(?<!\bto |\bwill |'ll |\bcan |\bcould |\bwould |\blet me )\b(?:use|using|pay|paying|spend|spending|cost|costs|run|running|handle|handling|manage|managing|track|tracking|stands?|work|working|(?:we|you|they) (?:have|do|get|are)|(?:it|that|this|what) (?:is|are))(?: \w+){0,4} $/i;

/** "What do you use today?" means nowadays; "I'll call him today" and "today is for questions" mean the day. */
function isNowadays(words: string, start: number, { sentence }: Context): boolean {
  return /^today/i.test(words) && HABIT.test(sentence.text.slice(0, start));
}

const RECENT_DAYS = 45;

/** A month and day without year: the next one on or after the call, or the latest one when spoken of as past. */
function nearestYear(date: CalendarDate, start: number, end: number, { callDay, sentence }: Context): number | null {
  if (callDay === null || !isRealDate({ ...date, year: 2024 })) return null;
  const { year } = toCalendar(callDay);
  const [previous = 0, same = 0, next = 0] = [year - 1, year, year + 1].map((each) =>
    dayOf(each, date.month, date.day),
  );
  if (/\blast year\b/i.test(sentence.text)) return previous;
  const tense = tenseAt(sentence, sentence.start + start, sentence.start + end);
  // Where the words leave it open, a date of the last weeks is not one of next year.
  const isRecent = tense === null && same < callDay && same >= callDay - RECENT_DAYS;
  if (tense === 'past' || isRecent) return same < callDay ? same : previous;
  return same >= callDay ? same : next;
}

const RECURRING =
  /\b(?:every|each|any|most|one|black|cyber|giving|good|some|alternate|every other|(?:an?|any|some) (?:typical|usual|normal|regular|busy|quiet|slow|bad|good|random|average|ordinary)|an?|first|second|third|fourth|[1-4](?:st|nd|rd|th)) $/i;
const RECURRING_AFTER =
  /^ (?:mornings|afternoons|evenings|nights|(?:through|to|thru) \w+day|(?:of|in) (?:the|each|every|this|next|a) (?:month|quarter|year))\b/i;
const WEEKDAY_PHRASE = new RegExp(
  `(?:\\b(last|next|this|this coming|coming|past) )?\\b${WEEKDAY}\\b(?!s\\b)(?:(?: of)?( next week| this week| last week)| (week)\\b)?`,
  'gi',
);
const COUNTED_FROM = /\b(a|one|two|three|four) weeks? (?:from|on) (?:this |next )?$/i;
const COUNTS: Readonly<Record<string, number>> = { a: 1, one: 1, two: 2, three: 3, four: 4 };

function findWeekdays(text: string, context: Context): Candidate[] {
  const { callDay, sentence } = context;
  if (callDay === null) return [];
  return matches(WEEKDAY_PHRASE, text).flatMap(
    ({ start, end, groups: [which, stem = '', week, later] }): Candidate[] => {
      const before = text.slice(0, start);
      const after = text.slice(end);
      const isRangeEnd = /day (?:through|to|thru) $/i.test(before);
      if (RECURRING.test(before) || RECURRING_AFTER.test(after) || isRangeEnd) return [];
      const weekday = WEEKDAYS.indexOf(`${stem.toLowerCase()}day`);
      const isNextWeek = /\bnext week,? (?:on )?$/i.test(before);
      const spoken = isNextWeek ? 'next' : (week?.trim().split(' ')[0] ?? which?.toLowerCase());
      const past = spoken === undefined && tenseAt(sentence, sentence.start + start, sentence.start + end) === 'past';
      // "Friday week" is the Friday after this one.
      const day = resolveWeekday(weekday, spoken, callDay, past) + (later === undefined ? 0 : 7);
      const counted = COUNTED_FROM.exec(before);
      if (counted === null) return [{ start, end, kind: 'weekday', day }];
      return [{ start: counted.index, end, kind: 'relative', day: day + 7 * (COUNTS[counted[1]!.toLowerCase()] ?? 1) }];
    },
  );
}

function resolveWeekday(weekday: number, spoken: string | undefined, callDay: number, past: boolean): number {
  const thisWeek = weekStart(callDay) + weekday;
  if (spoken === 'next') return thisWeek + 7;
  if (spoken === 'last') return thisWeek - 7;
  if (spoken === 'this') return thisWeek;
  if (past || spoken === 'past') return thisWeek < callDay ? thisWeek : thisWeek - 7;
  return thisWeek > callDay ? thisWeek : thisWeek + 7;
}

// After another date the article may be missing: "June 3rd and 4th".
const BARE_ORDINAL = new RegExp(
  `(?:\\bthe |(?<=(?:  |\\d(?:st|nd|rd|th) )(?:and|or|to|through) |   )(?=\\d))(${ORDINAL})(?:( of (?:the|this|next) month)\\b)?`,
  'gi',
);
// In words an ordinal is a day only after such a preposition: "the third" is a rank more often than a date.
const AFTER_PREPOSITION = /\b(?:on|by|until|till|before|after) $/i;

function findOrdinals(text: string, context: Context): Candidate[] {
  const { callDay, sentence } = context;
  if (callDay === null) return [];
  return matches(BARE_ORDINAL, text).flatMap(({ start, end, groups: [word = '', ofMonth] }): Candidate[] => {
    const ordinal = parseOrdinal(word.toLowerCase());
    if (ordinal === null || ordinal > 31 || ordinal === 0) return [];
    const isFigure = /^\d/.test(word);
    if (
      ofMonth === undefined &&
      (isCountedThing(sentence, sentence.start + end) || (!isFigure && !AFTER_PREPOSITION.test(text.slice(0, start))))
    )
      return [];
    const past = tenseAt(sentence, sentence.start + start, sentence.start + end) === 'past';
    const day = resolveOrdinal(ordinal, ofMonth?.includes('next') === true, past, callDay);
    return day === null ? [] : [{ start, end, kind: 'ordinal', day, ordinal }];
  });
}

/** "the 2nd floor" counts floors: the word after the ordinal belongs to it. */
function isCountedThing(sentence: Sentence, end: number): boolean {
  const next = sentence.tokens.find((token) => token.start >= end);
  if (next === undefined || next.start > end + 1) return false;
  return (
    ['NOUN', 'ADJ', 'PROPN', 'NUM'].includes(next.pos) && !/^(?:works?|then|instead|so|at|latest)$/.test(next.lower)
  );
}

/** The next such day on or after the call, or the latest before it when past; short months are passed over. */
function resolveOrdinal(ordinal: number, isNextMonth: boolean, past: boolean, callDay: number): number | null {
  const { year, month } = toCalendar(callDay);
  const offsets = isNextMonth ? [1] : past ? [0, -1, -2] : [0, 1, 2];
  for (const offset of offsets) {
    const day = dayOf(year, month + offset, ordinal);
    if (toCalendar(day).day !== ordinal) continue;
    if (isNextMonth || (past ? day < callDay : day >= callDay)) return day;
  }
  return null;
}

function matches(pattern: RegExp, text: string): { start: number; end: number; groups: (string | undefined)[] }[] {
  return [...text.matchAll(pattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    groups: match.slice(1),
  }));
}

/** In order: each sees only the text that the ones before it left over. */
export const DAY_FINDERS: readonly ((text: string, context: Context) => Candidate[])[] = [
  findPeriodEnds,
  findCountedDays,
  findMonthTheDay,
  findByChrono,
  findWeekdays,
  findOrdinals,
];
