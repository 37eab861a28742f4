/**
 * What the states of a restore have written about themselves, as the report wants it.
 *
 * Invariant: what is missing is empty, never an error: a restore that failed early has a report too.
 */
import { z } from 'zod';
import {
  databaseDifferencesFact,
  databaseDifferencesSchema,
} from '../compare/database-after-cutover.ts';
import type { Deps } from '../contract/deps.ts';
import { type Warning, warningSchema } from '../contract/manifest.ts';
import {
  type Comparison,
  comparisonSchema,
  type OwnCheckResult,
  type RestoreReport,
} from '../contract/restore.ts';
import { cutoverDoneSchema } from '../restore/cutover/database-facts.ts';
import { type LoadedUnit, loadedUnitSchema } from '../restore/load/loaded-record.ts';
import { readSafetyBackup } from '../restore/note-safety-backup.ts';
import { readRestoreSpans } from '../restore/phases.ts';
import { readFact } from '../restore/restore-run.ts';
import { readCheckResults } from '../restore/run-checks.ts';
import { getAllJson } from '../vault/json.ts';
import { type RestorePart, workspaceKeys } from '../vault/keys.ts';

type FactDeps = Pick<Deps, 'workspace'>;
export type Timeline = RestoreReport['timeline'];

const warningsSchema = z.array(warningSchema);

export const readSafety = (deps: FactDeps, runId: string) =>
  readSafetyBackup(deps.workspace, runId);

export const readCutover = (deps: FactDeps, runId: string) =>
  readFact(deps.workspace, runId, 'cutover', cutoverDoneSchema);

export const readTimeline = async (deps: FactDeps, runId: string): Promise<Timeline> =>
  [...(await readRestoreSpans(deps.workspace, runId))].map(([part, span]) => ({ part, ...span }));

/** Rows, plain bytes and stored bytes of the load units that were finished. */
export async function readLoaded(
  deps: FactDeps,
  runId: string,
): Promise<Pick<LoadedUnit, 'rows' | 'rawBytes' | 'readBytes'>> {
  const units = await readParts(deps, runId, 'loaded', loadedUnitSchema);
  const sum = (of: (unit: LoadedUnit) => number) =>
    units.reduce((total, unit) => total + of(unit), 0);
  return {
    rows: sum(({ rows }) => rows),
    rawBytes: sum(({ rawBytes }) => rawBytes),
    readBytes: sum(({ readBytes }) => readBytes),
  };
}

/** All findings, those of the cutover too; `isWhole`: the comparison came to its end. */
export async function readComparison(
  deps: FactDeps,
  runId: string,
): Promise<Comparison & { readonly isWhole: boolean }> {
  const units = await readParts(deps, runId, 'compared', comparisonSchema);
  const whole = await readFact(deps.workspace, runId, 'comparison', comparisonSchema);
  const all = whole === undefined ? units : [...units, whole];
  const database = await readFact(
    deps.workspace,
    runId,
    databaseDifferencesFact,
    databaseDifferencesSchema,
  );
  return {
    tables: all.flatMap(({ tables }) => tables),
    differences: [...all.flatMap(({ differences }) => differences), ...(database ?? [])],
    isWhole: whole !== undefined,
  };
}

export const readChecks = async (deps: FactDeps, runId: string): Promise<OwnCheckResult[]> =>
  (await readCheckResults(deps.workspace, runId)) ?? [];

/** Each state that warns has a fact of its own. */
export async function readWarnings(deps: FactDeps, runId: string): Promise<Warning[]> {
  const prefix = workspaceKeys.restoreFacts(runId, 'warnings-');
  return (await getAllJson(deps.workspace, warningsSchema, prefix)).flat();
}

const readParts = <T>(deps: FactDeps, runId: string, kind: RestorePart, schema: z.ZodType<T>) =>
  getAllJson(deps.workspace, schema, workspaceKeys.restoreParts(runId, kind));
