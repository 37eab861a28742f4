/**
 * Which tables are compared together: units of about `unitBytes` of rows, large tables alone.
 * Large objects are the last unit: they are read in as many parts as their time asks for.
 *
 * Invariant: every table that is restored and whose rows are in the backup is in one unit and in no other.
 */
import type { Manifest } from '../contract/manifest.ts';
import type { CompareUnit, RestoreRun } from '../contract/restore.ts';
import { chooseTables } from '../restore/into/choose-tables.ts';

/** A table costs some round trips even when it is empty. */
const bytesPerTable = 64 << 10;

/** In the order of the manifest's tables; units are numbered from 0. */
export function planComparisons(manifest: Manifest, run: Pick<RestoreRun, 'input'>): CompareUnit[] {
  const { mode, selection, options } = run.input;
  const chosen =
    mode === 'into' ? chooseTables(manifest, selection) : manifest.tables.map((_, index) => index);
  const packs: number[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  for (const index of chosen) {
    const table = manifest.tables[index];
    if (table === undefined || table.dataExcluded !== undefined) continue;
    const bytes = table.rawBytes + bytesPerTable;
    if (filled + bytes > options.unitBytes) {
      packs.push([]);
      filled = 0;
    }
    packs.at(-1)?.push(index);
    filled += bytes;
  }
  const units = packs.map((tables, unit): CompareUnit => ({ unit, tables }));
  if (mode === 'into' || manifest.largeObjects.count === 0) return units;
  return [...units, { unit: units.length, tables: [], largeObjects: true }];
}
