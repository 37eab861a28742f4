import { expect, test } from 'vitest';
import type { Manifest, Segment, TableEntry } from '../../core/contract/manifest.ts';
import { loadUnitSchema } from '../../core/contract/restore.ts';
import { planLoads } from '../../core/restore/load/plan-loads.ts';

const mib = 1 << 20;
let next = 0;
/** Only what the planner looks at; segments lie one after another in object 0. */
const segment = (rawBytes: number): Segment => {
  const offset = next;
  next += 100;
  return { object: 0, offset, storedBytes: 100, rawBytes } as Segment;
};
const table = (sizes: readonly number[], more: Partial<TableEntry> = {}): TableEntry =>
  ({ kind: 'table', segments: sizes.map(segment), ...more }) as TableEntry;
const manifestOf = (tables: TableEntry[], largeObjects: number[] = []): Manifest =>
  ({
    tables,
    largeObjects: { data: { segments: largeObjects.map(segment) }, metadata: { segments: [] } },
  }) as unknown as Manifest;
const indices = (tables: readonly unknown[]) => tables.map((_, index) => index);
const keyOf = (item: { what: string; table: number | null; segment: number }) =>
  `${item.what}:${item.table}:${item.segment}`;

test('each chosen segment is in exactly one unit, and units are numbered without a gap', () => {
  const tables = [
    table([60 * mib, 60 * mib, 10]),
    table([5]),
    table([]),
    table([7 * mib], { dataExcluded: 'filter' }),
    table([3 * mib]),
  ];
  const units = planLoads(manifestOf(tables, [9 * mib]), [0, 1, 2, 3], 256 * mib, true);
  expect(units.map(({ unit }) => unit)).toEqual(indices(units));
  for (const unit of units) loadUnitSchema.parse(unit);
  expect(units.flatMap(({ items }) => items.map(keyOf)).sort()).toEqual([
    'large-object-data:null:0',
    'table:0:0',
    'table:0:1',
    'table:0:2',
    'table:1:0',
  ]);
  const without = planLoads(manifestOf(tables, [9 * mib]), [1], 256 * mib, false);
  expect(without.flatMap(({ items }) => items.map(keyOf))).toEqual(['table:1:0']);
});

test('one large table is spread over as many units as it has segments, in turn with its neighbour', () => {
  const sizes = Array.from({ length: 8 }, () => 64 * mib);
  const units = planLoads(manifestOf([table(sizes), table(sizes)]), [0, 1], 256 * mib, false);
  expect(units).toHaveLength(16);
  const tables = units.map(({ items }) => items[0]?.table);
  expect(tables.slice(0, 2).sort()).toEqual([0, 1]);
  expect(tables.slice(14).sort()).toEqual([0, 1]);
});

test('a segment that nobody can divide comes first', () => {
  const units = planLoads(
    manifestOf([table([30 * mib]), table([900 * mib]), table([10])]),
    [0, 1, 2],
    256 * mib,
    false,
  );
  expect(units.map(({ items }) => items[0]?.table)).toEqual([1, 0, 2]);
});

test('small segments stay together in the order of the vault', () => {
  const tables = Array.from({ length: 500 }, () => table([1000]));
  const units = planLoads(manifestOf(tables), indices(tables).reverse(), 256 * mib, false);
  expect(units.length).toBeLessThanOrEqual(8);
  for (const { items } of units) {
    const order = items.map((item) => item.table as number);
    expect(order).toEqual(order.map((_, index) => (order[0] as number) + index));
  }
});

test('a huge database has no more units than a Map takes, whatever was asked for', () => {
  const tables = Array.from({ length: 40 }, () =>
    table(Array.from({ length: 1500 }, () => 64 * mib)),
  );
  const units = planLoads(manifestOf(tables), indices(tables), 64 * mib, false);
  expect(units.length).toBeLessThanOrEqual(10_000);
});

test('all segments of an extension’s table are in one unit, the first one first', () => {
  const tables = [
    table([64 * mib, 64 * mib]),
    table([64 * mib, 64 * mib, 5], { kind: 'extension' }),
  ];
  const units = planLoads(manifestOf(tables), [0, 1], 64 * mib, false);
  const holding = units.filter(({ items }) => items.some((item) => item.table === 1));
  expect(holding.map(({ items }) => items.map(keyOf))).toEqual([
    ['table:1:0', 'table:1:1', 'table:1:2'],
  ]);
});
