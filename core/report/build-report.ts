/**
 * The report of a restore: everything its states have written, put together.
 *
 * Invariant: a report says only what was recorded. It is `identical` when the comparison came to its end and found no
 * difference that is not expected; a restore that ended before that is `not-compared`.
 */

import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import type { Manifest, Warning } from '../contract/manifest.ts';
import {
  type Difference,
  type RestoreReport,
  type RestoreRun,
  restoreReportSchema,
} from '../contract/restore.ts';
import { maskTexts } from '../mask-secrets.ts';
import type { Merged } from '../restore/cutover/database-facts.ts';
import type { Failure } from '../run/failure.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { loadManifest } from '../verify/open-backup.ts';
import {
  readChecks,
  readComparison,
  readCutover,
  readLoaded,
  readSafety,
  readTimeline,
  readWarnings,
} from './facts.ts';

export interface Ending {
  readonly state: RestoreReport['state'];
  readonly finishedAt: string;
  readonly error?: ReportedFailure;
  /** After a failure: what was ended, dropped and opened again. */
  readonly cleaned?: readonly string[];
}

/** `evidence.troubles`: what could not be cleared away, as FailRestore tells it. */
export type ReportedFailure = Pick<Failure, 'error' | 'message' | 'hint'> & {
  readonly evidence?: Failure['evidence'];
};

/** Code of the warning that the target is not quite as it was. */
export const leftBehind = 'left-behind';

/** Without a key the manifest is not read. */
export type ReportDeps = Pick<Deps, 'workspace' | 'vault' | 'vaultId'> &
  Partial<Pick<Deps, 'keyRing'>>;

/** @throws errors of the workspace. A manifest that cannot be read any more is left out of the sums. */
export async function buildRestoreReport(
  deps: ReportDeps,
  run: RestoreRun,
  ending: Ending,
): Promise<RestoreReport> {
  const { runId, input, backup, server } = run;
  const [timeline, loaded, comparison, safety, cutover, checks, warnings, manifest] =
    await Promise.all([
      readTimeline(deps, runId),
      readLoaded(deps, runId),
      readComparison(deps, runId),
      readSafety(deps, runId),
      readCutover(deps, runId),
      readChecks(deps, runId),
      readWarnings(deps, runId),
      manifestOf(deps, run),
    ]);
  const isSuccess = ending.state === 'succeeded';
  const merged = input.mode === 'into' ? (cutover?.merged ?? []) : undefined;
  const kept = (merged ?? []).flatMap(keptRows);
  const report: RestoreReport = {
    runId,
    kind: input.dryRun ? 'dry-run' : 'restore',
    state: ending.state,
    verdict: verdictOf(comparison, kept, isSuccess || input.mode !== 'into'),
    mode: input.mode,
    backupId: backup.backupId,
    source: backup.source,
    sourceDatabase: backup.database,
    snapshotAt: backup.snapshotAt,
    server: `${server.host}:${server.port}, PostgreSQL ${server.version}`,
    database: isSuccess ? (cutover?.database ?? run.finalDatabase) : null,
    previousDatabase: isSuccess ? (cutover?.previousDatabase ?? run.previousDatabase) : null,
    safetyBackupId: safety?.backupId ?? null,
    startedAt: run.startedAt,
    finishedAt: ending.finishedAt,
    tables: tablesOf(manifest, comparison, merged),
    rows: rowsOf(loaded, comparison, merged),
    readBytes:
      loaded.readBytes +
      (manifest === undefined ? 0 : definitionBytes(manifest, run, { timeline })),
    rawBytes: loaded.rawBytes,
    rtoMs: between(run.startedAt, usableAt(timeline, ending)),
    rpoMs: between(backup.snapshotAt, run.startedAt),
    objectives: input.objectives,
    phases: Object.fromEntries(timeline.map(({ part, from, to }) => [part, between(from, to)])),
    timeline,
    preflight: run.preflight,
    comparedTables: comparison.tables,
    differences: [...comparison.differences, ...kept],
    ...(merged === undefined ? {} : { merged }),
    checks,
    warnings: [...warnings, ...troublesOf(ending.error)],
    ...(ending.cleaned?.length ? { cleaned: [...ending.cleaned] } : {}),
    error:
      ending.error === undefined
        ? null
        : {
            name: ending.error.error,
            message: ending.error.message,
            hint: ending.error.hint,
          },
    page: pageOf(deps, runId),
  };
  // Messages of servers and answers to checks are quoted: what looks like a secret does not get into a file.
  return maskTexts(restoreReportSchema.parse(report));
}

type Compared = Awaited<ReturnType<typeof readComparison>>;

/** Mode `into` with `skip`: rows that were there already and are other ones than the backup's. */
function keptRows({ table, rows, different }: Merged): Difference[] {
  if (different === 0) return [];
  const differ = different === 1 ? '1 of them differs' : `${different} of them differ`;
  return [
    {
      kind: 'rows',
      object: table,
      left: `${rows} in the backup`,
      right: `${differ}: existing rows were kept, as --on-conflict skip says`,
      isExpected: true,
    },
  ];
}

/** Partitions count one by one, although some are compared as their root. */
const tablesOf = (
  manifest: Manifest | undefined,
  { isWhole, tables }: Compared,
  merged: readonly Merged[] | undefined,
) => merged?.length ?? (isWhole ? manifest?.totals.tables : undefined) ?? tables.length;

/** Those that are there now, as the comparison counted them; those that were loaded when it did not come to that. */
const rowsOf = (
  loaded: { rows: number },
  { isWhole, tables }: Compared,
  merged: readonly Merged[] | undefined,
) =>
  merged?.reduce((sum, { written }) => sum + written, 0) ??
  (isWhole ? tables.reduce((sum, { targetRows }) => sum + targetRows, 0) : loaded.rows);

export const pageOf = (deps: Pick<Deps, 'workspace'>, runId: string): string =>
  `${deps.workspace.location}/${workspaceKeys.restorePage(runId)}`;

/**
 * @param kept what was asked for, and yet not what the backup has
 * @param isThere what was compared stands; in mode `into` it was beside the tables, and is gone after a failure
 */
function verdictOf(
  { isWhole, differences }: Compared,
  kept: readonly Difference[],
  isThere: boolean,
): RestoreReport['verdict'] {
  if (kept.length > 0 || differences.some(({ isExpected }) => !isExpected)) return 'different';
  return isWhole && isThere ? 'identical' : 'not-compared';
}

const troublesSchema = z.array(z.string());

function troublesOf(error: ReportedFailure | undefined): Warning[] {
  const troubles = troublesSchema.safeParse(error?.evidence?.troubles).data ?? [];
  return troubles.map((message) => ({
    code: leftBehind,
    message,
    hint: 'Look at the target server: this was not cleared away by the restore itself.',
  }));
}

/** The database can be used when the cutover is done; what follows is paperwork. */
const usableAt = (timeline: RestoreReport['timeline'], ending: Ending): string =>
  (ending.state === 'succeeded' && timeline.find(({ part }) => part === 'cutover')?.to) ||
  ending.finishedAt;

const between = (from: string, to: string): number =>
  Math.max(0, Date.parse(to) - Date.parse(from));

/** Each section is read whole, by the part that runs it. */
const readBy: Readonly<Record<Manifest['schema'][number]['name'], string>> = {
  globals: 'create',
  'pre-data': 'create',
  sequences: 'load',
  'post-data': 'build',
};

/** In an existing database only what belongs to the chosen tables is made, found in these two. */
const readInto: Readonly<Record<string, string>> = { 'pre-data': 'create', 'post-data': 'create' };

function definitionBytes(
  { schema }: Manifest,
  { input }: RestoreRun,
  { timeline }: Pick<RestoreReport, 'timeline'>,
): number {
  const parts: Readonly<Record<string, string>> = input.mode === 'into' ? readInto : readBy;
  return schema
    .filter(({ name }) => timeline.some(({ part }) => part === parts[name]))
    .reduce((sum, { segment }) => sum + segment.storedBytes, 0);
}

/** A failed restore may be one whose manifest is the trouble. */
const manifestOf = async ({ keyRing, ...deps }: ReportDeps, { backup }: RestoreRun) =>
  keyRing &&
  loadManifest({ ...deps, keyRing }, backup.source, backup.backupId).then(
    ({ manifest }) => manifest,
    () => undefined,
  );
