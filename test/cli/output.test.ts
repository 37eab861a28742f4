import { expect, test } from 'vitest';
import { formatBytes, formatDuration, printable } from '../../cli/output/format.ts';
import { ProgressMeter } from '../../cli/output/meter.ts';
import { renderTable } from '../../cli/output/table.ts';
import { slugOf, sourceNames } from '../../cli/source-name.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_500, '1.5 kB'],
  [99_960, '100 kB'],
  [999_600, '1.0 MB'],
  [152_000_000, '152 MB'],
  [3e15, '3.0 PB'],
])('%d bytes are written as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [420, '0.4 s'],
  [12_400, '12 s'],
  [59_600, '1 min 00 s'],
  [185_000, '3 min 05 s'],
  [7_620_000, '2 h 07 min'],
])('%d ms are written as %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test('a name with a newline or an escape sequence does not reach the terminal as such', () => {
  expect(printable('a\u001b[2Jb\nc ☂')).toBe('a\\u{1b}[2Jb\\u{a}c ☂');
  const table = renderTable([{ title: 'NAME', of: (name: string) => name }], ['x\ny']);
  expect(table.split('\n')).toHaveLength(2);
});

test('columns are as wide as what is in them, numbers to the right', () => {
  const rows = [
    { name: 'ab', rows: '7' },
    { name: 'a', rows: '1,000' },
  ];
  const table = renderTable(
    [
      { title: 'T', of: (row: (typeof rows)[number]) => row.name },
      { title: 'ROWS', of: (row) => row.rows, align: 'right' },
    ],
    rows,
  );
  expect(table).toBe('T    ROWS\nab      7\na   1,000');
});

test('progress: rate and time left come from the last seconds, and the phase never goes back', () => {
  const meter = new ProgressMeter();
  expect(meter.read(0)).toBeUndefined();
  expect(meter.add({ state: 'PlanUnits', expectedBytes: 10_000 }, 0)).toBe(true);
  expect(meter.add({ state: 'DumpUnit', table: 'a.b', rawBytes: 1_000 }, 1_000)).toBe(true);
  meter.read(1_000);
  expect(meter.add({ state: 'WatchSnapshot' }, 1_500)).toBe(false);
  expect(meter.add({ state: 'DumpUnit', rawBytes: 1_000 }, 2_000)).toBe(false);
  expect(meter.read(2_000)).toEqual({
    phase: 'dumping rows',
    doneBytes: 2_000,
    fraction: 0.2,
    bytesPerSecond: 1_000,
    leftMs: 8_000,
    detail: 'a.b',
  });
});

test('progress is never "100 %" before the end, however wrong the estimate was', () => {
  const meter = new ProgressMeter();
  meter.add({ state: 'PlanUnits', expectedBytes: 100 }, 0);
  meter.add({ state: 'DumpUnit', rawBytes: 500 }, 1_000);
  const reading = meter.read(2_000);
  expect(reading?.fraction).toBe(0.99);
  expect(reading?.leftMs).toBeUndefined();
});

test('the source is named after the database', () => {
  expect(slugOf('shop')).toBe('shop');
  expect(slugOf('Shop_EU (old)')).toBe('shop-eu-old');
  expect(slugOf('магазин')).toMatch(/^db-[0-9a-f]{6}$/);
  expect(slugOf('x'.repeat(63))).toHaveLength(63);
});

test('databases of one server whose names become alike are told apart', () => {
  const names = sourceNames(['shop_eu', 'shop-eu', 'other'], undefined);
  expect(names.get('other')).toBe('other');
  expect(new Set(names.values()).size).toBe(3);
  for (const name of names.values()) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/);
  expect([...sourceNames(['a'], 'prod').values()]).toEqual(['prod-a']);
});
