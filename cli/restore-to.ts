/** One restore, with its questions, the list of the preflight, progress and Ctrl-C: what `restore` and `guard` do. */
import { HoldfastError, isHoldfastError } from '../core/contract/errors.ts';
import { type RestoreReport, restoreInputSchema } from '../core/contract/restore.ts';
import type { ConnectionSettings } from '../core/postgres/connection.ts';
import { pageOf } from '../core/report/build-report.ts';
import { type ChosenBackup, chooseBackup } from '../core/restore/choose-backup.ts';
import { findRestoreRun } from '../core/restore/restore-run.ts';
import { findUnfinished } from '../core/restore/resume.ts';
import { newRunId } from '../local/engine/run-backup.ts';
import { type RestoreRequest, runRestore } from '../local/engine/run-restore.ts';
import { confirmed } from './confirm.ts';
import { onInterrupt } from './interrupt.ts';
import type { OpenStore } from './open.ts';
import { jobsOf } from './options.ts';
import { preflightLines } from './output/describe-preflight.ts';
import { formatTime } from './output/format.ts';
import { openProgress, type ProgressView } from './output/progress.ts';
import { type Target, type TargetOptions, targetOf } from './target.ts';

export interface RestoringOptions extends TargetOptions {
  readonly name?: string;
  readonly jobs?: number;
  readonly yes?: boolean;
}

/** @throws UsageError when it is not confirmed; as runRestore */
export async function restoreTo(
  store: OpenStore,
  options: RestoringOptions,
  request: RestoreRequest,
): Promise<RestoreReport> {
  const deps = { vault: store.vault, vaultId: store.marker.vaultId, keyRing: store.keyRing };
  const target = await targetOf(options, request.mode ?? 'new', options.name);
  const named = target.database === undefined ? {} : { database: target.database };
  const asked = restoreInputSchema.parse({ ...request, ...named });
  const about = { workspace: store.workspace, now: () => new Date() };
  const begun = await findUnfinished(about, asked, target.connection);
  const chosen = await chooseBackup(deps, {
    ...asked.choice,
    ...(begun === undefined ? {} : { meant: begun.backup.backupId }),
  });
  // What a person was shown and has confirmed is what is restored.
  const choice = { ...asked.choice, meant: chosen.entry.backupId };
  const input: RestoreRequest = { ...request, ...named, choice };
  if (replaces(input) && input.dryRun !== true) {
    await confirmed(describeReplacing(input, target, chosen), options);
  }
  return restoreOn(store, options, target.connection, input);
}

const replaces = ({ mode, selection }: RestoreRequest): boolean =>
  mode === 'swap' || (mode === 'into' && selection?.onConflict === 'replace');

function describeReplacing(
  { mode, database, safetyBackup }: RestoreRequest,
  { connection }: Target,
  { entry }: ChosenBackup,
): string {
  const name = JSON.stringify(database ?? entry.database);
  const where = `${name} on ${connection.host}:${connection.port}`;
  const what = `backup ${entry.backupId} (${formatTime(entry.snapshotAt)})`;
  const kept =
    safetyBackup === false ? 'No backup of it is taken.' : 'A backup of it is taken first.';
  return mode === 'swap'
    ? `Replace database ${where} by ${what}? ${kept} The old one is kept aside under another name.`
    : `Replace rows of database ${where} by those of ${what}? ${kept}`;
}

/** Without questions. @param connection of the server, to a database from which others can be renamed */
export async function restoreOn(
  store: OpenStore,
  options: Pick<RestoringOptions, 'jobs'>,
  connection: ConnectionSettings,
  input: RestoreRequest,
): Promise<RestoreReport> {
  const progress = openProgress();
  using interruption = onInterrupt(
    (text) => progress.note(text),
    'The target is as it was. Run it again when it suits.',
  );
  const runId = newRunId();
  // Of a dry run the list is the result, which is printed by itself.
  let shown = input.dryRun === true ? Promise.resolve() : undefined;
  try {
    return await runRestore({
      vaultDirectory: store.root,
      keyFile: store.keyFile,
      connection,
      input,
      jobs: jobsOf(options),
      runId,
      signal: interruption.signal,
      onProgress: (event) => {
        // The next state has begun (how much there is to load is told before): the list stands first.
        if (event.state !== 'PlanRestore' && event.expectedBytes === undefined) {
          shown ??= showPreflight(store, runId, progress).catch(() => undefined);
        }
        if (shown === undefined) progress.onProgress(event);
        else void shown.then(() => progress.onProgress(event));
      },
    });
  } catch (error) {
    throw withPage(store, error);
  } finally {
    await shown;
    progress.end();
  }
}

/** A restore that is gone on with has another id, and has shown its list when it began. */
async function showPreflight(
  { workspace }: OpenStore,
  runId: string,
  progress: ProgressView,
): Promise<void> {
  const found = await findRestoreRun(workspace, runId);
  for (const line of preflightLines(found?.preflight ?? [])) progress.note(line);
}

/** The error of a run that left a report, with the path of its page. */
export function withPage({ workspace }: Pick<OpenStore, 'workspace'>, error: unknown): unknown {
  if (!isHoldfastError(error)) return error;
  const { runId, report } = error.evidence;
  if (typeof runId !== 'string' || report === undefined) return error;
  return new HoldfastError(error.name, error.message, {
    hint: error.hint,
    evidence: { ...error.evidence, page: pageOf({ workspace }, runId) },
    cause: error,
  });
}
