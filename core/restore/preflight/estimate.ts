/** What a restore reads, and how long it takes by measured rates: an order of magnitude, said before it begins. */
import type { Manifest } from '../../contract/manifest.ts';
import type { RestoreInput, RestoreRun } from '../../contract/restore.ts';
import { chooseTables } from '../into/choose-tables.ts';

/** Plain bytes per second that COPY takes over several connections on a small server (bench/restore.ts). */
const loadBytesPerSecond = 60e6;
/** Indexes and constraints take about as long again as half of the load. */
const indexFactor = 0.5;
/** The comparison reads everything once more, without storing it. */
const compareBytesPerSecond = 200e6;
/** Databases, definitions and looks at the catalogs. */
const leastSeconds = 3;

/** @throws PatternMatchesNothingError, UsageError for a selection that means nothing */
export function estimateOf(
  manifest: Manifest,
  { selection, mode }: Pick<RestoreInput, 'selection' | 'mode'>,
): RestoreRun['estimate'] {
  const definitions = manifest.schema.map(({ segment }) => segment);
  const isAll = mode !== 'into' || selection.schemas.length + selection.tables.length === 0;
  const tables = isAll
    ? manifest.tables
    : chooseTables(manifest, selection).flatMap((index) => manifest.tables[index] ?? []);
  const segments = [
    ...tables.flatMap((table) => table.segments),
    ...(isAll
      ? [...manifest.largeObjects.data.segments, ...manifest.largeObjects.metadata.segments]
      : []),
  ];
  const rawBytes = segments.reduce((sum, one) => sum + one.rawBytes, 0);
  const readBytes = [...segments, ...definitions].reduce((sum, one) => sum + one.storedBytes, 0);
  const seconds =
    leastSeconds +
    (rawBytes / loadBytesPerSecond) * (1 + indexFactor) +
    rawBytes / compareBytesPerSecond;
  return { seconds: Math.ceil(seconds), rawBytes, readBytes };
}
