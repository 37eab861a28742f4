/**
 * What a restore reads, and how long it takes by measured rates: an order of magnitude, said before it begins.
 *
 * The rates are those of `npm run bench -- restore` with 600 MB on a calm machine: two cores that serve both the client
 * and the server, two jobs, three indexes a table (docs/performance.md). Of 529 MB of COPY text the load took 4.1 s, the
 * indexes and ANALYZE 4.2 s, the comparison 2.3 s.
 */
import type { Manifest } from '../../contract/manifest.ts';
import type { RestoreInput, RestoreRun } from '../../contract/restore.ts';
import { chooseTables } from '../into/choose-tables.ts';

/** Plain bytes per second that COPY takes over two connections. */
const loadBytesPerSecond = 130e6;
/** Indexes, constraints and statistics take about as long again. */
const indexFactor = 1;
/** The comparison reads everything once more, without storing it. */
const compareBytesPerSecond = 230e6;
/** Processes, databases, definitions and looks at the catalogs. */
const leastSeconds = 1;

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
