/**
 * Scans the tables of one compare unit, or the large objects, as far as the time goes.
 *
 * Invariant: what an attempt had no time for is written down with what it had done, and the next one goes on from there;
 * a piece is counted once.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import { fingerprintSchema, type Manifest, type TableEntry } from '../contract/manifest.ts';
import { type Slice, sliceSchema } from '../contract/plan.ts';
import { compareUnitSchema, type RestoreRun } from '../contract/restore.ts';
import type { TableSlice } from '../copy/copy-statement.ts';
import { readLargeObjects } from '../inventory/large-objects.ts';
import { cutTable } from '../plan/cut-slices.ts';
import { cutLargeObjects } from '../plan/large-object-slices.ts';
import type { Session } from '../postgres/session.ts';
import { bookkeepingSchemaOf } from '../restore/progress.ts';
import { readFact, writeFact } from '../restore/restore-run.ts';
import { openTarget } from '../restore/target-session.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { findTables } from './find-tables.ts';
import { scanPieces } from './scan-lanes.ts';

/** Sessions for a table that is larger than two units: others of the Map have come to their end by then. */
const mostLanes = 4;

/** null: large objects. */
const tableSchema = z.int().nullable();

const doneSchema = z.strictObject({
  table: tableSchema,
  rows: z.int(),
  fingerprint: fingerprintSchema,
});
/** What is left of a unit whose time was over. */
const partSchema = z.strictObject({
  done: z.array(doneSchema),
  todo: z.array(z.strictObject({ table: tableSchema, slice: sliceSchema })),
  missing: z.array(z.strictObject({ table: z.int(), why: z.string() })),
  openTables: z.array(z.int()),
  hasLargeObjects: z.boolean(),
});
export type Part = z.infer<typeof partSchema>;
type Piece = Part['todo'][number];

export interface UnitWork {
  readonly deps: Deps;
  readonly run: RestoreRun;
  readonly manifest: Manifest;
  readonly unit: number;
  readonly signal: AbortSignal;
  /** As performance.now(): after it no piece is begun. */
  readonly isOverAt: number;
}

/** @returns everything that is done so far, and what is still to do */
export async function scanUnit(work: UnitWork): Promise<Part> {
  const { deps, run, unit } = work;
  const factOf = (part: number) => `compared-${unit}-part-${part}`;
  let number = 0;
  let before: Part | undefined;
  for (;;) {
    const found = await readFact(deps.workspace, run.runId, factOf(number), partSchema);
    if (found === undefined) break;
    before = found;
    number += 1;
  }
  const after = await scan(work, before ?? (await planPieces(work)));
  if (after.todo.length === 0) return after;
  return writeFact(deps.workspace, run.runId, factOf(number), partSchema, after);
}

async function planPieces({ deps, run, manifest, unit }: UnitWork): Promise<Part> {
  const key = workspaceKeys.restorePart(run.runId, 'comparisons', unit);
  const planned = await getJson(deps.workspace, compareUnitSchema, key);
  if (planned === undefined) {
    throw new HoldfastError('InternalError', `Restore ${run.runId} has no ${key}.`);
  }
  await using session = await openTarget(deps, run, `compare-${unit}`, 'worker');
  const entries = planned.tables.map((table) => ({ table, entry: entryOf(manifest, table) }));
  const isStaged = run.input.mode === 'into';
  const { facts, openTables } = await findTables(
    session,
    entries.map(({ table, entry }) =>
      isStaged ? { schema: bookkeepingSchemaOf(run), name: `t${table}` } : entry,
    ),
  );
  const part: Part = {
    done: [],
    todo: [],
    missing: [],
    openTables: [...openTables],
    hasLargeObjects: planned.largeObjects === true,
  };
  if (planned.largeObjects === true) {
    const facts = await readLargeObjects(session);
    const slices = await cutLargeObjects(session, facts, run.input.options.unitBytes);
    for (const slice of slices.filter(isData)) part.todo.push({ table: null, slice });
  }
  for (const [index, { table, entry }] of entries.entries()) {
    const found = facts[index];
    const lacking = entry.columns.filter((column) => !found?.table.columns.includes(column));
    if (found === undefined) part.missing.push({ table, why: 'no such table' });
    else if (lacking.length > 0) {
      part.missing.push({ table, why: `no column ${lacking.join(', ')}` });
    } else {
      const planned = { ...found.table, columns: entry.columns };
      for (const slice of cutTable({ ...found, table: planned }, run.input.options.unitBytes)) {
        part.todo.push({ table, slice: { ...(slice as TableSlice), format: entry.format } });
      }
    }
  }
  return part;
}

const isData = (slice: Slice) => slice.of === 'large-objects' && slice.by !== 'metadata';

async function scan({ deps, run, unit, signal, isOverAt }: UnitWork, part: Part): Promise<Part> {
  const done = [...part.done];
  const estimated = part.todo.reduce((sum, { slice }) => sum + slice.estimatedBytes, 0);
  const isLarge = estimated > 2 * run.input.options.unitBytes;
  const todo = await scanPieces<Piece>(part.todo, {
    sliceOf: ({ slice }) => slice,
    lanes: isLarge ? Math.min(mostLanes, run.input.options.jobs) : 1,
    open: () => openTransaction(deps, run, unit),
    openTables: new Set(part.openTables),
    onPiece: ({ table, slice }, { rows, fingerprint, rawBytes }) => {
      done.push({ table, rows, fingerprint });
      const name = slice.of === 'table' ? `${slice.schema}.${slice.name}` : 'large objects';
      deps.progress({ state: 'CompareUnit', unit, table: name, rawBytes, rows });
    },
    isOver: () => performance.now() > isOverAt,
    signal,
  });
  return { ...part, done, todo };
}

async function openTransaction(deps: Deps, run: RestoreRun, unit: number): Promise<Session> {
  const session = await openTarget(deps, run, `compare-${unit}`, 'worker');
  await session.query('BEGIN');
  return session;
}

export function entryOf(manifest: Manifest, table: number): TableEntry {
  const entry = manifest.tables[table];
  if (entry !== undefined) return entry;
  throw new HoldfastError('InternalError', `The manifest has no table ${table}.`);
}
