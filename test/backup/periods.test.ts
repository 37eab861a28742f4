import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodsOf } from '../../core/backup/periods.ts';

const week = (text: string, zone = 'UTC') => periodsOf(new Date(text), zone).week;

describe('periods', () => {
  it.each([
    // ISO 8601, the cases that calendars get wrong: years of 53 weeks, and days of another year's week.
    ['2020-12-31T12:00:00Z', '2020-W53'],
    ['2021-01-03T23:59:59Z', '2020-W53'],
    ['2021-01-04T00:00:00Z', '2021-W01'],
    ['2026-12-31T12:00:00Z', '2026-W53'],
    ['2027-01-03T12:00:00Z', '2026-W53'],
    ['2024-12-30T00:00:00Z', '2025-W01'],
    ['2023-01-01T12:00:00Z', '2022-W52'],
    ['2016-02-29T12:00:00Z', '2016-W09'],
  ])('%s is in week %s', (time, expected) => {
    expect(week(time)).toBe(expected);
  });

  it.each([
    ['2026-11-20T23:30:00Z', 'Europe/Berlin', '2026-11-21'],
    ['2026-11-21T03:00:00Z', 'America/New_York', '2026-11-20'],
    ['2026-12-31T10:30:00Z', 'Pacific/Kiritimati', '2027-01-01'],
    // The hour that is there twice, and both ends of the day of 23 hours.
    ['2026-10-25T00:30:00Z', 'Europe/Berlin', '2026-10-25'],
    ['2026-10-25T01:30:00Z', 'Europe/Berlin', '2026-10-25'],
    ['2026-10-25T22:59:59Z', 'Europe/Berlin', '2026-10-25'],
    ['2026-10-25T23:00:00Z', 'Europe/Berlin', '2026-10-26'],
    ['2026-03-28T23:00:00Z', 'Europe/Berlin', '2026-03-29'],
    ['2026-03-29T21:59:59Z', 'Europe/Berlin', '2026-03-29'],
    ['2026-03-29T22:00:00Z', 'Europe/Berlin', '2026-03-30'],
  ])('%s is, in %s, on %s', (time, zone, day) => {
    expect(periodsOf(new Date(time), zone).day).toBe(day);
  });

  it('of a later moment are never earlier, and a day lies in one month and in one week', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'Asia/Kathmandu'];
    // Before, St John's set its clocks back at 00:01: one minute of a day came before an hour of the day before.
    const moment = fc.date({
      min: new Date('2011-12-01T00:00:00Z'),
      max: new Date('2100-01-01T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(
        moment,
        fc.integer({ min: 0, max: 10 * 86_400_000 }),
        fc.constantFrom(...zones),
        (at, ms, zone) => {
          const [first, second] = [at, new Date(at.getTime() + ms)].map((it) =>
            periodsOf(it, zone),
          ) as [ReturnType<typeof periodsOf>, ReturnType<typeof periodsOf>];
          for (const name of ['year', 'month', 'week', 'day'] as const) {
            expect(second[name] >= first[name]).toBe(true);
          }
          expect(first.day.startsWith(`${first.month}-`)).toBe(true);
          expect(first.month.startsWith(`${first.year}-`)).toBe(true);
          if (first.day === second.day) expect(second).toEqual(first);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
