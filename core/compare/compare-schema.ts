/**
 * The state CompareSchema: everything of the restored database but its rows, and the sum of what was found.
 *
 * Invariants: what was found is written down before it becomes an error; a restore goes on to its cutover only when every
 * compare unit has its record and nothing differs that is not expected. Mode `into` restores rows alone, so only these
 * are compared. Settings and rights of the database itself are given at the cutover and are compared by
 * `compareDatabases` (compare-database.ts).
 */
import { type ZodType, z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import { type Warning, warningSchema } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import {
  type Comparison,
  compareUnitSchema,
  comparisonSchema,
  type Difference,
  type RestoreRun,
} from '../contract/restore.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { readRefused } from '../restore/builds/refused.ts';
import { entriesOf, manifestOf } from '../restore/definitions.ts';
import { duringRestore } from '../restore/during-restore.ts';
import { readFact, writeFact } from '../restore/restore-run.ts';
import { onDatabase } from '../restore/target-session.ts';
import { taskSecondsOf } from '../run/task-time.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { BackupSide } from './backup-side.ts';
import { askedDifferences } from './compare-definitions.ts';
import { compareWithoutRows } from './compare-sides.ts';
import { movedLeavesFact, movedLeavesSchema } from './compare-unit.ts';
import { openLiveSide } from './live-side.ts';
import { mergeRoots } from './merge-roots.ts';
import { withHiddenSubscriptions, withRefused } from './not-restored.ts';
import { compareViews } from './stale-views.ts';

/** Of `taskSeconds`, for amcheck: definitions and catalogs need the rest. */
const shareForIndexes = 0.5;

/** Named in the message; all of them are in the report. */
const namedInMessage = 5;

/** @throws RestoreDifferentError naming the first differences; PermissionDeniedError, SchemaDumpError … */
export async function compareSchema(
  deps: Deps,
  { runId }: InputOf<'CompareSchema'>,
): Promise<OutputOf<'CompareSchema'>> {
  return duringRestore(deps, runId, 'compare', async (run) => {
    const rows = await readUnits(deps, runId);
    const earlier = await readFact(deps.workspace, runId, 'comparison', comparisonSchema);
    const found = earlier ?? (await compareRest(deps, run, rows.units));
    const all = [...rows.differences, ...found.differences];
    const real = all.filter(({ isExpected }) => !isExpected);
    if (real.length > 0) throw different(run, real);
    return { differences: all.length };
  });
}

/** In addition to the records of the units; written once. */
async function compareRest(deps: Deps, run: RestoreRun, units: number): Promise<Comparison> {
  const leaves = await readMovedLeaves(deps, run.runId, units);
  const merged = mergeRoots(leaves);
  const rest = run.input.mode === 'into' ? [] : await compareTarget(deps, run, units);
  const comparison = { tables: merged.tables, differences: [...rest, ...merged.differences] };
  return writeFact(deps.workspace, run.runId, 'comparison', comparisonSchema, comparison);
}

async function compareTarget(deps: Deps, run: RestoreRun, units: number): Promise<Difference[]> {
  const { roles, options, target } = run.input;
  const manifest = await manifestOf(deps, run);
  const backup = new BackupSide(deps, manifest, (section) => entriesOf(deps, run, section));
  const settings = onDatabase(await deps.connectionOf(target), run.workDatabase);
  const applicationName = applicationNameOf(run.runId, 'compare-schema');
  const live = await openLiveSide(settings, {
    ...{ applicationName, jobs: options.jobs },
    indexCheckMs: taskSecondsOf(deps, options) * 1000 * shareForIndexes,
  });
  try {
    const parts = (await hasLargeObjects(deps, run, units)) ? 'metadata' : 'all';
    const found = await compareWithoutRows(backup, live, manifest.filters, { roles, parts });
    const refused = withRefused(found, await readRefused(deps.workspace, run.runId));
    const known = (await live.isSuperuser())
      ? refused
      : withHiddenSubscriptions(refused, await live.subscriptions()).map(withEnforcedKeys);
    const { materializedViews = [] } = manifest.inventory;
    const views = compareViews(materializedViews, await live.materializedViews(materializedViews));
    await warn(deps, run, [...views.warnings, ...notChecked(live.uncheckedIndexes)]);
    return [...askedDifferences(roles), ...known, ...views.differences];
  } finally {
    await live.close();
  }
}

/** They are the last unit, in which their data was compared; a plan without it leaves that to us. */
async function hasLargeObjects(deps: Deps, { runId }: RestoreRun, units: number): Promise<boolean> {
  if (units === 0) return false;
  const key = workspaceKeys.restorePart(runId, 'comparisons', units - 1);
  return (await getJson(deps.workspace, compareUnitSchema, key))?.largeObjects === true;
}

const notChecked = (indexes: number): Warning[] =>
  indexes === 0
    ? []
    : [
        {
          code: 'indexes-not-checked',
          message: `${indexes} b-tree indexes were not checked by amcheck: the time was over.`,
          hint: 'They were built from rows that were compared. Run bt_index_check over them when there is time.',
        },
      ];

async function warn(deps: Deps, run: RestoreRun, warnings: readonly Warning[]): Promise<void> {
  if (warnings.length === 0) return;
  const fact = 'warnings-compare';
  await writeFact(deps.workspace, run.runId, fact, z.array(warningSchema), [...warnings]);
}

/** Only a superuser may switch a foreign key off: enforced where the source did not is named, and safe. */
const withEnforcedKeys = (difference: Difference): Difference =>
  difference.kind === 'validity' && difference.object.startsWith('foreign key ')
    ? { ...difference, isExpected: true }
    : difference;

/** @throws InternalError when a unit has no record: rows that nobody has looked at are not equal */
async function readUnits(
  deps: Deps,
  runId: string,
): Promise<{ units: number; differences: Difference[] }> {
  const differences: Difference[] = [];
  let units = 0;
  for await (const _ of deps.workspace.list(workspaceKeys.restoreParts(runId, 'comparisons'))) {
    const compared = await readRecord(deps, runId, units, comparisonSchema);
    differences.push(...compared.differences);
    units += 1;
  }
  return { units, differences };
}

async function readRecord<T>(
  deps: Deps,
  runId: string,
  unit: number,
  schema: ZodType<T>,
): Promise<T> {
  const key = workspaceKeys.restorePart(runId, 'compared', unit);
  const record = await getJson(deps.workspace, schema, key);
  if (record !== undefined) return record;
  throw new HoldfastError('InternalError', `Restore ${runId} has no ${key}: not all was compared.`);
}

async function readMovedLeaves(deps: Deps, runId: string, units: number) {
  const all = [];
  for (let unit = 0; unit < units; unit += 1) {
    const fact = movedLeavesFact(unit);
    all.push(...((await readFact(deps.workspace, runId, fact, movedLeavesSchema)) ?? []));
  }
  return all;
}

function different(run: RestoreRun, differences: readonly Difference[]): HoldfastError {
  const named = differences
    .slice(0, namedInMessage)
    .map(
      ({ kind, object, left, right }) => `${kind}: ${object} (backup: ${left}; target: ${right})`,
    );
  const more = differences.length - named.length;
  const list = `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
  const count = differences.length === 1 ? 'one difference' : `${differences.length} differences`;
  return new HoldfastError(
    'RestoreDifferentError',
    `Database ${JSON.stringify(run.workDatabase)} is not what ${run.backup.backupId} holds: ${count}: ${list}.`,
    { evidence: { differences: differences.slice(0, namedInMessage) } },
  );
}
