// Calendar days without time or zone, as whole days since 1970-01-01: arithmetic is plain addition.

const MS_PER_DAY = 86_400_000;

/** True for a real calendar day written YYYY-MM-DD. */
export function isIsoDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && toIso(toDay(text)) === text;
}

/** Day number of a YYYY-MM-DD string. */
export function toDay(iso: string): number {
  const [year = 0, month = 1, day = 1] = iso.split('-').map(Number);
  return dayOf(year, month, day);
}

/** Day number of a date; a day past the end of its month runs over into the next one. */
export function dayOf(year: number, month: number, day: number): number {
  return Math.floor(Date.UTC(year, month - 1, day) / MS_PER_DAY);
}

export function toIso(day: number): string {
  return new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
}

/** Day of the week, Monday = 0 to Sunday = 6. */
export function weekdayOf(day: number): number {
  // Day 0, 1970-01-01, was a Thursday.
  return (((day + 3) % 7) + 7) % 7;
}

/** Monday of the week the day belongs to. */
export function weekStart(day: number): number {
  return day - weekdayOf(day);
}

export interface CalendarDate {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
}

export function toCalendar(day: number): CalendarDate {
  const date = new Date(day * MS_PER_DAY);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** Last day of a month; `month` may lie outside 1 to 12 and then counts into the neighbouring years. */
export function monthEnd(year: number, month: number): number {
  return dayOf(year, month + 1, 0);
}

/** A date is real when the calendar does not move it, as it moves February 30th. */
export function isRealDate({ year, month, day }: CalendarDate): boolean {
  const back = toCalendar(dayOf(year, month, day));
  return back.month === month && back.day === day;
}
