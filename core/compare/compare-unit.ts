/**
 * The state CompareUnit: the rows of some restored tables, or the data of the large objects, read back from the target, against the manifest.
 *
 * Invariant: the record of a unit is written once, when all of its tables were read from end to end.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { Manifest, TableEntry } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import {
  type Comparison,
  comparedTableSchema,
  comparisonSchema,
  type Difference,
  type RestoreRun,
} from '../contract/restore.ts';
import { addFingerprints, emptyFingerprint } from '../fingerprint/fingerprint.ts';
import { manifestOf } from '../restore/definitions.ts';
import { duringRestore } from '../restore/during-restore.ts';
import { writeFact } from '../restore/restore-run.ts';
import { taskSecondsOf } from '../run/task-time.ts';
import { unitLabel } from '../run/unit-label.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { dataOfLargeObjects } from './compare-large-objects.ts';
import { type ComparedLeaf, isEqual, rowsDifference } from './merge-roots.ts';
import { entryOf, type Part, scanUnit } from './scan-unit.ts';
import { displayName } from './table-name.ts';

/** Of `taskSeconds`: after it no piece is begun. One of 256 MB takes seconds. */
const shareForPieces = 0.9;
/** Partitions that differ by themselves: CompareSchema looks at them together. */
export const movedLeavesSchema = z.array(comparedTableSchema.extend({ root: z.string() }));
export const movedLeavesFact = (unit: number): string => `compared-leaves-${unit}`;

/** @throws RowSecurityError, CopyFailedError, ConnectionLostError …; a difference is a result */
export async function compareUnit(
  deps: Deps,
  { runId, unit }: InputOf<'CompareUnit'>,
): Promise<OutputOf<'CompareUnit'>> {
  const startedMs = performance.now();
  return duringRestore(deps, runId, 'compare', async (run, signal) => {
    const key = workspaceKeys.restorePart(runId, 'compared', unit);
    const earlier = await getJson(deps.workspace, comparisonSchema, key);
    if (earlier !== undefined) return outputOf(earlier);
    const manifest = await manifestOf(deps, run);
    const isOverAt = startedMs + taskSecondsOf(deps, run.input.options) * 1000 * shareForPieces;
    const part = await scanUnit({ deps, run, manifest, unit, signal, isOverAt });
    if (part.todo.length > 0) return { isDone: false, tables: 0, differences: 0 };
    return outputOf(await conclude(deps, run, manifest, unit, part));
  });
}

const outputOf = ({ tables, differences }: Comparison): OutputOf<'CompareUnit'> => ({
  of:
    unitLabel([...tables.map(({ table }) => table), ...differences.map(({ object }) => object)]) ||
    'large objects',
  isDone: true,
  tables: tables.length,
  differences: differences.length,
});

async function conclude(
  deps: Deps,
  run: RestoreRun,
  manifest: Manifest,
  unit: number,
  part: Part,
): Promise<Comparison> {
  const missing = new Map(part.missing.map(({ table, why }) => [table, why]));
  const sums = new Map<number, { rows: number; fingerprint: string }>();
  let largeObjects = { rows: 0, fingerprint: emptyFingerprint };
  for (const { table, rows, fingerprint } of part.done) {
    if (table === null) {
      largeObjects = {
        rows: largeObjects.rows + rows,
        fingerprint: addFingerprints(largeObjects.fingerprint, fingerprint),
      };
      continue;
    }
    const sum = sums.get(table) ?? { rows: 0, fingerprint: emptyFingerprint };
    sums.set(table, {
      rows: sum.rows + rows,
      fingerprint: addFingerprints(sum.fingerprint, fingerprint),
    });
  }
  const leaves = [...sums].map(([table, sum]) => leafOf(entryOf(manifest, table), sum));
  const moved = leaves.filter((leaf) => leaf.root !== null && !isEqual(leaf));
  const settled = leaves.filter((leaf) => leaf.root === null || isEqual(leaf));
  const comparison: Comparison = {
    tables: settled.map(({ root: _, ...table }) => table),
    differences: [
      ...[...missing].map(([table, why]) => missingDifference(entryOf(manifest, table), why)),
      ...settled.filter((table) => !isEqual(table)).map(rowsDifference),
      ...(part.hasLargeObjects ? largeObjectsDifference(manifest, largeObjects) : []),
    ],
  };
  if (moved.length > 0) {
    const leavesToWrite = moved as z.infer<typeof movedLeavesSchema>;
    const fact = movedLeavesFact(unit);
    await writeFact(deps.workspace, run.runId, fact, movedLeavesSchema, leavesToWrite);
  }
  return record(deps, workspaceKeys.restorePart(run.runId, 'compared', unit), comparison);
}

/** The first one counts. */
async function record(deps: Deps, key: string, comparison: Comparison): Promise<Comparison> {
  try {
    await putJson(deps.workspace, key, comparison, { ifNoneMatch: '*' });
    return comparison;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    return (await getJson(deps.workspace, comparisonSchema, key)) ?? comparison;
  }
}

const leafOf = (
  entry: TableEntry,
  found: { readonly rows: number; readonly fingerprint: string },
): ComparedLeaf => ({
  table: displayName(entry),
  rows: entry.rows,
  fingerprint: entry.fingerprint,
  targetRows: found.rows,
  targetFingerprint: found.fingerprint,
  root: entry.root === undefined ? null : displayName(entry.root),
});

/** As CompareSchema words it of two sides. */
function largeObjectsDifference(
  { largeObjects: { data } }: Manifest,
  found: { readonly rows: number; readonly fingerprint: string },
): Difference[] {
  if (data.rows === found.rows && data.fingerprint === found.fingerprint) return [];
  const words = ({ rows, fingerprint }: typeof found) =>
    `${rows} pages, fingerprint ${fingerprint}`;
  return [
    {
      ...{ kind: 'large-objects', object: dataOfLargeObjects },
      ...{ left: words(data), right: words(found), isExpected: false },
    },
  ];
}

const missingDifference = (entry: TableEntry, why: string): Difference => ({
  kind: 'rows',
  object: displayName(entry),
  left: `${entry.rows} rows`,
  right: why,
  isExpected: false,
});
