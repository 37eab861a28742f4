import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Slice } from '../../core/contract/plan.ts';
import type { TableFacts } from '../../core/inventory/tables.ts';
import { cutTable } from '../../core/plan/cut-slices.ts';
import { maxUnits, packUnits } from '../../core/plan/pack-units.ts';

const MiB = 1 << 20;

function facts(oid: number, blocks: number, bytes: number, isHeap = true): TableFacts {
  return {
    table: {
      oid,
      schema: 's',
      name: `t${oid}`,
      owner: 'o',
      kind: 'table',
      persistence: 'permanent',
      columns: ['a'],
    },
    blocks,
    bytes,
    isHeap,
  };
}

const blocksOf = (slice: Slice) => (slice.of === 'table' ? slice.blocks : undefined);

const plan = (tables: readonly TableFacts[], aim = 64 * MiB, limit?: number) =>
  packUnits(async (chunk) => tables.flatMap((table) => cutTable(table, chunk)), {
    aimBytes: aim,
    totalBytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(limit === undefined ? {} : { limit }),
  });

test('ranges of blocks follow on each other from 0 to an open end, for any size', () => {
  fc.assert(
    fc.property(
      fc.nat(200_000),
      fc.double({ min: 1, max: 50, noNaN: true }),
      fc.integer({ min: 1 << 20, max: 1 << 30 }),
      (blocks, toast, chunk) => {
        const bytes = Math.round(blocks * 8192 * toast);
        const slices = cutTable(facts(1, blocks, bytes), chunk);
        if (slices.length === 1) {
          expect(blocksOf(slices[0] as Slice)).toBeUndefined();
          expect(bytes <= chunk || blocks <= 1).toBe(true);
          return;
        }
        let end: number | null = 0;
        for (const slice of slices) {
          const range = blocksOf(slice);
          // Not toEqual in the loop: there may be 100,000 ranges.
          if (range === undefined || range.from !== end)
            throw new Error(`${range?.from} != ${end}`);
          if (range.to !== null && range.to <= range.from) throw new Error('an empty range');
          end = range.to;
        }
        expect(end).toBeNull();
        const sum = slices.reduce((total, { estimatedBytes }) => total + estimatedBytes, 0);
        expect(Math.abs(sum - bytes)).toBeLessThanOrEqual(slices.length);
      },
    ),
    { numRuns: 100 },
  );
});

test('a table that is no heap stays whole: its access method promises nothing about ctid', () => {
  expect(cutTable(facts(1, 100_000, 800 * MiB, false), MiB).map(blocksOf)).toEqual([undefined]);
});

test('a table without data in the backup has no slice', () => {
  const { table, ...rest } = facts(1, 10, 80_000);
  expect(cutTable({ ...rest, table: { ...table, dataExcluded: 'filter' } }, MiB)).toEqual([]);
});

test('each slice is in one unit, whatever the sizes; units come from heavy to light', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(300_000), { maxLength: 200 }), async (sizes) => {
      const tables = sizes.map((blocks, oid) => facts(oid, blocks, blocks * 8192));
      const { units, chunkBytes } = await plan(tables);
      const cut = tables.flatMap((table) => cutTable(table, chunkBytes));
      const key = (slice: Slice) => `${slice.of === 'table' && slice.oid}/${blocksOf(slice)?.from}`;
      expect(units.flat().map(key).sort()).toEqual(cut.map(key).sort());
      const weights = units.map((slices) =>
        slices.reduce((sum, { estimatedBytes }) => sum + estimatedBytes + chunkBytes / 512, 0),
      );
      expect(weights).toEqual([...weights].sort((a, b) => b - a));
      // All but one are at least half full, so there are at most twice as many as needed.
      expect(weights.filter((weight) => weight < chunkBytes / 2).length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 50 },
  );
});

test('512 empty tables are one unit, 20,000 are forty', async () => {
  const empty = (count: number) => Array.from({ length: count }, (_, oid) => facts(oid, 0, 0));
  expect((await plan(empty(512))).units).toHaveLength(1);
  expect((await plan(empty(20_000))).units).toHaveLength(40);
});

test('chunks grow with the database: never more than 10,000 units', async () => {
  const terabytes = [facts(1, 2 ** 31, 2 ** 44), facts(2, 2 ** 30, 2 ** 45)];
  const { units, chunkBytes, estimatedBytes } = await plan(terabytes);
  expect(units.length).toBeLessThanOrEqual(maxUnits);
  expect(units.length).toBeGreaterThan(maxUnits / 2);
  expect(chunkBytes).toBeGreaterThan(64 * MiB);
  expect(Math.abs(estimatedBytes - 2 ** 44 - 2 ** 45)).toBeLessThan(maxUnits);
  // One element of the Map's items is at most `9999,`.
  expect(JSON.stringify(units.map((_, unit) => unit)).length).toBeLessThan(50_000);
});

test('a small database keeps the aim', async () => {
  expect((await plan([facts(1, 100_000, 100_000 * 8192)])).chunkBytes).toBe(64 * MiB);
});
