import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithin, windowWarnings } from '../../aws/connection/rds-windows.ts';

const at = (text: string) => new Date(text);
// 2026-11-21 is a Saturday, the 22nd a Sunday.

describe('a window of RDS', () => {
  it.each([
    ['03:00-03:30', '2026-11-21T03:00:00Z', true],
    ['03:00-03:30', '2026-11-21T03:29:59Z', true],
    ['03:00-03:30', '2026-11-21T03:30:00Z', false],
    ['03:00-03:30', '2026-11-21T02:59:59Z', false],
    ['23:45-00:15', '2026-11-21T23:50:00Z', true],
    ['23:45-00:15', '2026-11-22T00:10:00Z', true],
    ['23:45-00:15', '2026-11-22T00:15:00Z', false],
    ['sun:05:00-sun:05:30', '2026-11-22T05:10:00Z', true],
    ['sun:05:00-sun:05:30', '2026-11-21T05:10:00Z', false],
    ['Sat:23:45-Sun:00:15', '2026-11-22T00:10:00Z', true],
    ['sat:23:45-sun:00:15', '2026-11-21T23:50:00Z', true],
    ['sat:23:45-sun:00:15', '2026-11-23T00:10:00Z', false],
    ['whatever', '2026-11-21T03:00:00Z', false],
  ])('%s at %s: %s', (window, time, expected) => {
    expect(isWithin(window, at(time))).toBe(expected);
  });

  it('has as many minutes in a day as it says, whatever it begins with', () => {
    const minute = fc.integer({ min: 0, max: 1439 });
    const text = (n: number) =>
      `${String(Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}`;
    fc.assert(
      fc.property(minute, fc.integer({ min: 1, max: 1439 }), (from, length) => {
        const window = `${text(from)}-${text((from + length) % 1440)}`;
        const inside = Array.from({ length: 1440 }, (_, n) =>
          isWithin(window, new Date(Date.UTC(2026, 10, 21, 0, n))),
        ).filter(Boolean);
        expect(inside).toHaveLength(length);
      }),
      { numRuns: 50 },
    );
  });
});

it('a backup that begins in both windows is told of both, with what to do', () => {
  const server = {
    host: 'shop.example',
    backupWindow: '05:00-05:30',
    maintenanceWindow: 'sun:05:00-sun:05:30',
    isMultiAz: false,
  };
  const warnings = windowWarnings(server, at('2026-11-22T05:10:00Z'));
  expect(warnings.map(({ code }) => code)).toEqual(['rds-backup-window', 'rds-maintenance-window']);
  expect(warnings[0]?.message).toContain('backup window of shop.example (05:00-05:30 UTC)');
  expect(warnings[0]?.message).toContain('stops storage');
  const calm = windowWarnings({ ...server, isMultiAz: true }, at('2026-11-22T05:10:00Z'));
  expect(calm[0]?.message).not.toContain('stops storage');
  expect(windowWarnings(server, at('2026-11-22T06:10:00Z'))).toEqual([]);
  const off = { ...server, backupWindow: undefined, maintenanceWindow: undefined };
  expect(windowWarnings(off, at('2026-11-22T05:10:00Z'))).toEqual([]);
});
