/**
 * To which year, month, week and day a moment belongs, by the calendar of a time zone: names that are equal exactly when
 * the period is the same.
 *
 * Invariant: only the local date decides. A day of 23 or 25 hours (DST) is one day, and a week belongs to one year (ISO
 * 8601: weeks begin on Monday, and week 1 has the year's first Thursday in it).
 */
export interface Periods {
  /** `2026` */
  readonly year: string;
  /** `2026-11` */
  readonly month: string;
  /** `2026-W47`; the year is that of the week, not of the day. */
  readonly week: string;
  /** `2026-11-21` */
  readonly day: string;
}

const dayMs = 86_400_000;

/** Making a format costs a thousand times what using it costs. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** @param timeZone of the IANA database; @throws RangeError for another */
export function periodsOf(at: Date, timeZone: string): Periods {
  const { year, month, day } = localDate(at, timeZone);
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  const monthName = `${pad(year, 4)}-${pad(month)}`;
  const week = isoWeek(year, month, day);
  return {
    year: pad(year, 4),
    month: monthName,
    week: `${pad(week.year, 4)}-W${pad(week.week)}`,
    day: `${monthName}-${pad(day)}`,
  };
}

function localDate(at: Date, timeZone: string) {
  let format = formats.get(timeZone);
  if (format === undefined) {
    // en-CA-u-ca-iso8601 is the calendar of Gregory alone, whatever the locale of the process is.
    format = new Intl.DateTimeFormat('en-CA-u-ca-iso8601-nu-latn', {
      timeZone,
      ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    });
    formats.set(timeZone, format);
  }
  const parts = format.formatToParts(at);
  const number = (type: 'year' | 'month' | 'day') =>
    Number(parts.find((part) => part.type === type)?.value);
  return { year: number('year'), month: number('month'), day: number('day') };
}

/** Its Thursday decides to which year a week belongs. Computed on dates alone, where every day has 24 hours. */
function isoWeek(year: number, month: number, day: number) {
  const date = Date.UTC(year, month - 1, day);
  const weekday = (new Date(date).getUTCDay() + 6) % 7;
  const thursday = new Date(date + (3 - weekday) * dayMs);
  const weekYear = thursday.getUTCFullYear();
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(weekYear, 0, 1)) / dayMs / 7);
  return { year: weekYear, week };
}
