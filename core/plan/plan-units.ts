/**
 * The state PlanUnits: reads the catalogs in the run's snapshot and cuts the work into units.
 *
 * Invariant: `inventory.json` is written when all units are, and what belongs to it is never planned twice: a retry
 * that finds it only finishes what follows, so manifest and SQL texts agree. It is clear text: no secret is in it.
 */
import type { Deps } from '../contract/deps.ts';
import type { Filters } from '../contract/filters.ts';
import type { MaterializedView } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import {
  type InventoryRecord,
  inventoryRecordSchema,
  type Run,
  type Slice,
  type Unit,
  unitSchema,
} from '../contract/plan.ts';
import { inParallel } from '../in-parallel.ts';
import { hideCustomSettings } from '../inventory/hide-custom-settings.ts';
import { readCatalogs } from '../inventory/inventory.ts';
import { readLargeObjects } from '../inventory/large-objects.ts';
import { readMaterializedViews } from '../inventory/materialized-views.ts';
import {
  readSequenceValues,
  requireReadableSequences,
  selectSequences,
} from '../inventory/sequences.ts';
import { readTables } from '../inventory/tables.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { globalsSql } from '../schema/globals.ts';
import { sequencesSql } from '../schema/sequences.ts';
import { writeTextSection } from '../schema/text-section.ts';
import { importSnapshot } from '../snapshot/import-snapshot.ts';
import { readRun, readSnapshot } from '../snapshot/marks.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { cutTable } from './cut-slices.ts';
import { cutLargeObjects } from './large-object-slices.ts';
import { matchPatterns } from './match-patterns.ts';
import { packUnits, type UnitPlan } from './pack-units.ts';
import { planWarnings } from './plan-warnings.ts';
import { selectTables, takesLargeObjects, takesTable } from './select-tables.ts';

type PlanDeps = Pick<
  Deps,
  'vault' | 'vaultId' | 'workspace' | 'keyRing' | 'connectionOf' | 'progress'
>;

/** Small files: enough at once to hide the time of an fsync or of a request. */
const writesAtOnce = 16;

/**
 * Needs the snapshot (HoldSnapshot) and `schema.json` (DumpSchema). Safe to call again.
 *
 * @throws PatternMatchesNothingError, PermissionDeniedError (sequences, large objects), SnapshotLostError,
 * SchemaMovedError when a sequence is gone
 */
export async function planUnits(
  deps: PlanDeps,
  { runId }: InputOf<'PlanUnits'>,
): Promise<OutputOf<'PlanUnits'>> {
  const run = await readRun(deps.workspace, runId);
  const key = workspaceKeys.inventory(runId);
  const earlier = await getJson(deps.workspace, inventoryRecordSchema, key);
  const { record, estimatedBytes } =
    earlier === undefined
      ? await makePlan(deps, run)
      : { record: earlier, estimatedBytes: await sumOfUnits(deps, runId, earlier.units) };
  const { sections } = run.input.filters;
  if (sections !== 'schema') {
    await writeTextSection(deps, run, 'sequences', sequencesSql(record.inventory.sequences));
  }
  deps.progress({ state: 'PlanUnits', expectedBytes: estimatedBytes });
  return {
    units: Array.from({ length: record.units }, (_, unit) => unit),
    tables: record.tables.length,
    estimatedBytes,
  };
}

async function makePlan(
  deps: PlanDeps,
  run: Run,
): Promise<{ record: InventoryRecord; estimatedBytes: number }> {
  const { runId, input } = run;
  const snapshot = await readSnapshot(deps.workspace, runId);
  const settings = await deps.connectionOf(input.source);
  await using session = await openSession(settings, {
    applicationName: applicationNameOf(runId, 'plan'),
    purpose: 'worker',
  });
  // Sizes are asked under a lock. Nobody watches yet: who waited here behind an ALTER that waits for the holders would
  // wait for ever.
  await session.query("SELECT pg_catalog.set_config('lock_timeout', $1, false)", [
    String(input.options.lockSeconds * 1_000),
  ]);
  await importSnapshot(session, snapshot);
  const { plan, sequences, ...found } = await readSnapshotOf(session, run);
  // Ends the transaction; the run's advisory lock stays until the session ends.
  await session.query('COMMIT');
  const values = await readSequenceValues(session, sequences);
  await writeUnits(deps, runId, plan.units);
  // Encrypted, with every value, and before the record: a retry that finds the record finds this too.
  if (input.filters.sections !== 'data') {
    await writeTextSection(deps, run, 'globals', globalsSql(found.inventory));
  }
  const record: InventoryRecord = {
    inventory: { ...hideCustomSettings(found.inventory), sequences: values },
    tables: found.tables,
    units: plan.units.length,
    chunkBytes: plan.chunkBytes,
    warnings: found.warnings,
  };
  await putJson(deps.workspace, workspaceKeys.inventory(runId), record);
  return { record, estimatedBytes: plan.estimatedBytes };
}

async function readSnapshotOf(session: Session, run: Run) {
  const { filters, options } = run.input;
  const selected = await selectTables(session, filters);
  const chosen = new Set(selected.map(({ oid }) => oid));
  const sequences = await selectSequences(session, filters, chosen);
  requireReadableSequences(session, sequences);
  const inventory = await readCatalogs(session);
  const facts = await readTables(session, selected);
  const largeObjects = takesLargeObjects(filters) ? await readLargeObjects(session) : undefined;
  const cut = async (chunkBytes: number): Promise<Slice[]> => {
    const slices: Slice[] = facts.flatMap((table) => cutTable(table, chunkBytes));
    if (largeObjects === undefined) return slices;
    return slices.concat(await cutLargeObjects(session, largeObjects, chunkBytes));
  };
  const sizes = facts.map(({ table, bytes }) => (table.dataExcluded === undefined ? bytes : 0));
  const totalBytes = sizes.reduce((sum, bytes) => sum + bytes, largeObjects?.bytes ?? 0);
  const plan = await packUnits(cut, { aimBytes: options.chunkBytes, totalBytes });
  return {
    inventory: { ...inventory, materializedViews: await readViews(session, filters) },
    sequences,
    plan,
    tables: facts.map(({ table }) => table),
    warnings: await planWarnings(session, selected, sequences),
  };
}

/** Those that the backup's definitions refresh: without data, or of excluded tables, pg_dump writes no REFRESH. */
async function readViews(session: Session, filters: Filters): Promise<MaterializedView[]> {
  if (filters.sections !== 'all') return [];
  const matched = await matchPatterns(session, filters);
  return readMaterializedViews(
    session,
    (view) => !matched.excludeTableData.has(view.oid) && takesTable(view, filters, matched),
  );
}

/** What an attempt that died left behind may be more units than there are now: those go first. */
async function writeUnits(deps: PlanDeps, runId: string, units: UnitPlan['units']): Promise<void> {
  const keys = units.map((_, unit) => workspaceKeys.unit(runId, unit, 0));
  const wanted = new Set(keys);
  for await (const key of deps.workspace.list(`runs/${runId}/units/`)) {
    if (!wanted.has(key)) await deps.workspace.delete(key);
  }
  await inParallel(units, writesAtOnce, async (slices, unit) => {
    const body: Unit = { unit, part: 0, slices: [...slices] };
    await putJson(deps.workspace, workspaceKeys.unit(runId, unit, 0), body);
  });
}

async function sumOfUnits(deps: PlanDeps, runId: string, count: number): Promise<number> {
  const sums = await inParallel(Array.from({ length: count }), writesAtOnce, async (_, unit) => {
    const key = workspaceKeys.unit(runId, unit, 0);
    const planned = await getJson(deps.workspace, unitSchema, key);
    return planned?.slices.reduce((sum, slice) => sum + slice.estimatedBytes, 0) ?? 0;
  });
  return sums.reduce((total, bytes) => total + bytes, 0);
}
