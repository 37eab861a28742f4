/**
 * What the states of a restore have written about themselves, as the report wants it.
 *
 * Invariant: what is missing is empty, never an error: a restore that failed early has a report too.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { type Warning, warningSchema } from '../contract/manifest.ts';
import {
  type Comparison,
  comparisonSchema,
  type OwnCheckResult,
  ownCheckResultSchema,
  type RestoreReport,
} from '../contract/restore.ts';
import { readFact } from '../restore/restore-run.ts';
import { getJson } from '../vault/json.ts';
import { type RestorePart, workspaceKeys } from '../vault/keys.ts';

type FactDeps = Pick<Deps, 'workspace'>;
export type Timeline = RestoreReport['timeline'];

/** In the order in which they run. */
export const reportParts = [
  'preflight',
  'safetyBackup',
  'create',
  'load',
  'build',
  'compare',
  'checks',
  'cutover',
] as const;

const count = z.int().nonnegative();
const spanSchema = z.looseObject({ from: z.iso.datetime(), to: z.iso.datetime() });
const safetySchema = z.looseObject({ backupId: z.string() });
const cutoverSchema = z.looseObject({
  database: z.string(),
  previousDatabase: z.string().nullable(),
});
/** Only what is summed: the state that writes it may keep more. */
const loadedSchema = z.looseObject({ rows: count, readBytes: count });
const warningsSchema = z.array(warningSchema);

export const readSafety = (deps: FactDeps, runId: string) =>
  readFact(deps.workspace, runId, 'safety', safetySchema);

export const readCutover = (deps: FactDeps, runId: string) =>
  readFact(deps.workspace, runId, 'cutover', cutoverSchema);

export async function readTimeline(deps: FactDeps, runId: string): Promise<Timeline> {
  const timeline: Timeline = [];
  for (const part of reportParts) {
    const span = await getJson(deps.workspace, spanSchema, workspaceKeys.restorePhase(runId, part));
    if (span !== undefined) timeline.push({ part, from: span.from, to: span.to });
  }
  return timeline;
}

/** Rows and stored bytes of the load units that were finished. */
export async function readLoaded(
  deps: FactDeps,
  runId: string,
): Promise<{ readonly rows: number; readonly readBytes: number }> {
  const units = await readParts(deps, runId, 'loaded', loadedSchema);
  const sum = (of: (unit: z.infer<typeof loadedSchema>) => number) =>
    units.reduce((total, unit) => total + of(unit), 0);
  return { rows: sum(({ rows }) => rows), readBytes: sum(({ readBytes }) => readBytes) };
}

/** All findings; `isWhole`: the comparison came to its end. */
export async function readComparison(
  deps: FactDeps,
  runId: string,
): Promise<Comparison & { readonly isWhole: boolean }> {
  const units = await readParts(deps, runId, 'compared', comparisonSchema);
  const whole = await readFact(deps.workspace, runId, 'comparison', comparisonSchema);
  const all = whole === undefined ? units : [...units, whole];
  return {
    tables: all.flatMap(({ tables }) => tables),
    differences: all.flatMap(({ differences }) => differences),
    isWhole: whole !== undefined,
  };
}

export const readChecks = async (deps: FactDeps, runId: string): Promise<OwnCheckResult[]> =>
  (await readFact(deps.workspace, runId, 'checks', z.array(ownCheckResultSchema))) ?? [];

/** Each state that warns has a fact of its own. */
export async function readWarnings(deps: FactDeps, runId: string): Promise<Warning[]> {
  const prefix = workspaceKeys.restoreFacts(runId, 'warnings-');
  return (await readAll(deps, prefix, warningsSchema)).flat();
}

const readParts = <T>(deps: FactDeps, runId: string, kind: RestorePart, schema: z.ZodType<T>) =>
  readAll(deps, workspaceKeys.restoreParts(runId, kind), schema);

async function readAll<T>(deps: FactDeps, prefix: string, schema: z.ZodType<T>): Promise<T[]> {
  const keys: string[] = [];
  for await (const key of deps.workspace.list(prefix)) keys.push(key);
  const found: T[] = [];
  for (const key of keys.sort()) {
    const value = await getJson(deps.workspace, schema, key);
    if (value !== undefined) found.push(value);
  }
  return found;
}
