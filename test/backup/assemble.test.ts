import { describe, expect, it } from 'vitest';
import { assemble } from '../../core/backup/assemble.ts';
import type { CompletedUnit } from '../../core/backup/receipts.ts';
import type { Segment } from '../../core/contract/manifest.ts';
import type { PlannedTable, Receipt, SchemaReceipt, Slice } from '../../core/contract/plan.ts';

const sha256 = 'a'.repeat(64);
const schemaReceipt: SchemaReceipt = {
  snapshot: '2026-11-21T04:00:00.000Z',
  objects: [{ key: 'pre', versionId: '1', storedBytes: 10, sha256 }],
  sections: [
    {
      name: 'pre-data',
      segment: { object: 0, offset: 0, storedBytes: 10, sha256, rawBytes: 30, compressedBytes: 9 },
    },
  ],
  pgDumpVersion: '18.3',
};

const table = (oid: number, more: Partial<PlannedTable> = {}): PlannedTable => ({
  oid,
  schema: 'shop',
  name: `t${oid}`,
  owner: 'o',
  kind: 'table',
  persistence: 'permanent',
  columns: ['id'],
  ...more,
});

type Blocks = { from: number; to: number | null } | undefined;
const slice = (oid: number, blocks?: Blocks): Slice => ({
  of: 'table',
  ...{ oid, schema: 'shop', name: `t${oid}`, columns: ['id'], format: 'text', estimatedBytes: 1 },
  ...(blocks === undefined ? {} : { blocks }),
});
const segment = (
  rows: number,
  fingerprint: number,
  blocks?: Blocks,
  format: 'text' | 'binary' = 'text',
): Segment => ({
  ...{
    object: 0,
    offset: 0,
    storedBytes: 5,
    sha256,
    rawBytes: 20,
    compressedBytes: 4,
    rows,
    format,
  },
  fingerprint: fingerprint.toString(16).padStart(32, '0'),
  ...(blocks === undefined ? {} : { blocks }),
});
const largeObjects = (fromOid: number, toOid: number, by: 'pages' | 'metadata'): Slice => ({
  ...{ of: 'large-objects', fromOid, toOid, by, estimatedBytes: 1 },
});

/** A unit with one receipt for each list of segments. */
function unit(
  number: number,
  slices: Slice[],
  ...parts: { slice: Slice; segment: Segment }[][]
): CompletedUnit {
  const receipts = parts.map(
    (segments, part): Receipt => ({
      ...{ unit: number, part, segments, hasRemainder: part < parts.length - 1, durationMs: 1 },
      object: {
        key: `u${number}-${part}`,
        versionId: '1',
        storedBytes: segments.length * 5,
        sha256,
      },
    }),
  );
  return { planned: { unit: number, part: 0, slices }, receipts };
}
const placed = (s: Slice, seg: Segment) => ({ slice: s, segment: seg });

describe('assembling the manifest', () => {
  it('adds ranges, parts and fingerprints up to tables, and gives segments their objects', () => {
    const [a, b] = [
      { from: 0, to: 8 },
      { from: 8, to: null },
    ];
    const contents = assemble([table(1), table(2)], schemaReceipt, [
      unit(
        0,
        [slice(1, a)],
        [placed(slice(1, { from: 0, to: 4 }), segment(3, 1, { from: 0, to: 4 }))],
        [placed(slice(1, { from: 4, to: 8 }), segment(4, 2, { from: 4, to: 8 }))],
      ),
      unit(
        1,
        [slice(1, b), slice(2)],
        [placed(slice(1, b), segment(5, 4, b)), placed(slice(2), segment(0, 0))],
      ),
    ]);
    const [first, second] = contents.tables;
    expect(first).toMatchObject({
      rows: 12,
      fingerprint: '7'.padStart(32, '0'),
      rawBytes: 60,
      storedBytes: 15,
    });
    expect(first?.segments.map(({ object }) => object)).toEqual([1, 2, 3]);
    expect(second).toMatchObject({ rows: 0, fingerprint: '0'.repeat(32), format: 'text' });
    expect(contents.objects.map(({ key }) => key)).toEqual(['pre', 'u0-0', 'u0-1', 'u1-0']);
    expect(contents.totals).toEqual({
      ...{
        tables: 2,
        rows: 12,
        rawBytes: 110,
        compressedBytes: 25,
        storedBytes: 30,
        segments: 5,
        objects: 4,
      },
    });
  });

  it('wraps the sum of fingerprints at 2^128', () => {
    const all = 'f'.repeat(32);
    const one = { ...segment(1, 0, { from: 0, to: 1 }), fingerprint: all };
    const two = segment(1, 2, { from: 1, to: null });
    const contents = assemble([table(1)], schemaReceipt, [
      unit(0, [slice(1)], [placed(slice(1, one.blocks), one), placed(slice(1, two.blocks), two)]),
    ]);
    expect(contents.tables[0]?.fingerprint).toBe('1'.padStart(32, '0'));
  });

  it.each<[string, Segment[]]>([
    ['no data at all', []],
    ['a gap', [segment(1, 1, { from: 0, to: 4 }), segment(1, 1, { from: 5, to: null })]],
    ['an overlap', [segment(1, 1, { from: 0, to: 4 }), segment(1, 1, { from: 3, to: null })]],
    ['no beginning', [segment(1, 1, { from: 2, to: null })]],
    ['no end', [segment(1, 1, { from: 0, to: 4 })]],
    ['a second time', [segment(1, 1), segment(1, 1)]],
    ['two open ends', [segment(1, 1, { from: 0, to: null }), segment(1, 1, { from: 4, to: null })]],
    [
      'two formats',
      [segment(1, 1, { from: 0, to: 4 }), segment(1, 1, { from: 4, to: null }, 'binary')],
    ],
  ])('refuses a table with %s', (_, segments) => {
    const units = [
      unit(
        0,
        [slice(1)],
        segments.map((seg) => placed(slice(1, seg.blocks), seg)),
      ),
    ];
    expect(() => assemble([table(1)], schemaReceipt, units)).toThrow(
      expect.objectContaining({
        name: 'IncompleteBackupError',
        message: expect.stringContaining('shop.t1'),
      }),
    );
  });

  it('of a table that turned out to need binary COPY counts the binary segment and nothing twice', () => {
    const blocks = { from: 0, to: null };
    const asBinary = { ...slice(1, blocks), format: 'binary' } as Slice;
    const contents = assemble([table(1), table(2)], schemaReceipt, [
      unit(
        0,
        [slice(1, { from: 0, to: 4 })],
        [placed(slice(1, { from: 0, to: 4 }), segment(9, 9, { from: 0, to: 4 }))],
      ),
      unit(
        1,
        [slice(1, { from: 4, to: null })],
        [placed(asBinary, segment(5, 5, blocks, 'binary'))],
      ),
      unit(2, [slice(2)], [placed(slice(2), segment(2, 2))]),
    ]);
    expect(contents.tables[0]).toMatchObject({ rows: 5, format: 'binary' });
    expect(contents.objects.map(({ key }) => key)).toEqual(['pre', 'u1-0', 'u2-0']);
    expect(contents.tables[1]?.segments[0]?.object).toBe(2);
  });

  it('takes a table without data when that was asked for', () => {
    const contents = assemble([table(1, { dataExcluded: 'filter' })], schemaReceipt, []);
    expect(contents.tables[0]).toMatchObject({ rows: 0, segments: [], dataExcluded: 'filter' });
  });

  it('counts large objects by their metadata, and misses none', () => {
    const planned = [largeObjects(10, 99, 'pages'), largeObjects(10, 99, 'metadata')];
    const metadata = placed(largeObjects(10, 99, 'metadata'), segment(7, 1));
    const halves = [largeObjects(10, 40, 'pages'), largeObjects(41, 99, 'pages')].map((s) =>
      placed(s, segment(9, 3)),
    );
    const contents = assemble([], schemaReceipt, [unit(0, planned, [...halves, metadata])]);
    expect(contents.largeObjects).toMatchObject({
      count: 7,
      data: { rows: 18 },
      metadata: { rows: 7 },
    });
    const refused = () =>
      assemble([], schemaReceipt, [unit(0, planned, [halves[0] as never, metadata])]);
    expect(refused).toThrow(expect.objectContaining({ name: 'IncompleteBackupError' }));
  });
});
