/**
 * From receipts to the tables, large objects and objects of the manifest: pure, no reading or writing.
 *
 * Invariant: every planned table has its data whole, or says why there is none; sums come from the segments themselves.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Manifest, Segment, TableEntry } from '../contract/manifest.ts';
import type { PlannedTable, SchemaReceipt, Slice } from '../contract/plan.ts';
import { withoutSuperseded } from '../dump/binary-marks.ts';
import { addFingerprints, emptyFingerprint } from '../fingerprint/fingerprint.ts';
import { assertOidsCovered, assertTableCovered } from './coverage.ts';
import type { CompletedUnit } from './receipts.ts';

export type Contents = Pick<Manifest, 'objects' | 'schema' | 'tables' | 'largeObjects' | 'totals'>;

type LargeObjectSlice = Extract<Slice, { of: 'large-objects' }>;
type Placed = { readonly slice: Slice; readonly segment: Segment };

/** @throws IncompleteBackupError */
export function assemble(
  planned: readonly PlannedTable[],
  schema: SchemaReceipt,
  units: readonly CompletedUnit[],
): Contents {
  const { objects, placed } = place(schema, units);
  const tables = tablesOf(planned, placed);
  const largeObjects = largeObjectsOf(units, placed);
  const segments = [
    ...schema.sections.map(({ segment }) => segment),
    ...placed.map(({ segment }) => segment),
  ];
  return {
    objects,
    schema: schema.sections,
    tables,
    largeObjects,
    totals: {
      tables: tables.length,
      rows: sum(tables, ({ rows }) => rows),
      rawBytes: sum(segments, ({ rawBytes }) => rawBytes),
      compressedBytes: sum(segments, ({ compressedBytes }) => compressedBytes),
      storedBytes: sum(objects, ({ storedBytes }) => storedBytes),
      segments: segments.length,
      objects: objects.length,
    },
  };
}

/** Gives each segment that counts the index of its object; an object that holds none of them is left out. */
function place(schema: SchemaReceipt, units: readonly CompletedUnit[]) {
  const receipts = units.flatMap((unit) => unit.receipts);
  const counted = new Set(withoutSuperseded(receipts.flatMap(({ segments }) => segments)));
  const objects = [...schema.objects];
  const placed: Placed[] = [];
  for (const receipt of receipts) {
    const segments = receipt.segments.filter((segment) => counted.has(segment));
    if (segments.length === 0) continue;
    const object = objects.push(receipt.object) - 1;
    for (const { slice, segment } of segments) {
      placed.push({ slice, segment: { ...segment, object } });
    }
  }
  return { objects, placed };
}

function tablesOf(planned: readonly PlannedTable[], placed: readonly Placed[]): TableEntry[] {
  const byOid = new Map<number, Segment[]>(planned.map(({ oid }) => [oid, []]));
  for (const { slice, segment } of placed) {
    if (slice.of !== 'table') continue;
    const segments = byOid.get(slice.oid);
    if (segments === undefined) {
      throw new HoldfastError(
        'InternalError',
        `${slice.schema}.${slice.name} was dumped and is not in the inventory.`,
      );
    }
    segments.push(segment);
  }
  return planned.map((table) => {
    const segments = byOid.get(table.oid) ?? [];
    if (table.dataExcluded === undefined) {
      assertTableCovered(`${table.schema}.${table.name}`, segments);
    }
    return {
      ...table,
      format: segments[0]?.format ?? 'text',
      ...contentOf(segments),
      rawBytes: sum(segments, ({ rawBytes }) => rawBytes),
      storedBytes: sum(segments, ({ storedBytes }) => storedBytes),
    };
  });
}

function largeObjectsOf(
  units: readonly CompletedUnit[],
  placed: readonly Placed[],
): Manifest['largeObjects'] {
  const isMetadata = (slice: LargeObjectSlice) => slice.by === 'metadata';
  const planned = units
    .flatMap(({ planned: { slices } }) => slices)
    .filter((slice) => slice.of === 'large-objects');
  const dumped = placed.flatMap(({ slice, segment }) =>
    slice.of === 'large-objects' ? [{ slice, segment }] : [],
  );
  const part = (what: string, isPart: (slice: LargeObjectSlice) => boolean) => {
    const own = dumped.filter(({ slice }) => isPart(slice));
    assertOidsCovered(
      what,
      planned.filter(isPart).map(rangeOf),
      own.map(({ slice }) => rangeOf(slice)),
    );
    return contentOf(own.map(({ segment }) => segment));
  };
  const data = part('large objects', (slice) => !isMetadata(slice));
  const metadata = part('owners and rights of the large objects', isMetadata);
  return { count: metadata.rows, data, metadata };
}

const rangeOf = ({ fromOid, toOid }: LargeObjectSlice) => ({ fromOid, toOid });

function contentOf(segments: Segment[]) {
  return {
    rows: sum(segments, ({ rows }) => rows),
    fingerprint: segments.reduce(
      (total, { fingerprint }) => addFingerprints(total, fingerprint),
      emptyFingerprint,
    ),
    segments,
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
