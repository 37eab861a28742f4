/** `holdfast guard -- COMMAND`: a safety backup, the command, and when it fails the database as it was before. */
import { Command, Option } from 'commander';
import type { BackupReport } from '../../core/contract/catalogue.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { requirePassed } from '../../core/restore/preflight/require-passed.ts';
import type { RestoreRequest } from '../../local/engine/run-restore.ts';
import { confirmed } from '../confirm.ts';
import { connectionOf } from '../connect.ts';
import { gitLabels } from '../labels.ts';
import { type OpenStore, openStore } from '../open.ts';
import {
  addDatabase,
  addJobs,
  addJson,
  addKey,
  addVault,
  type DatabaseOptions,
  filtersOf,
  type VaultOptions,
} from '../options.ts';
import { describeReport } from '../output/describe-report.ts';
import { describeRestore } from '../output/describe-restore.ts';
import { type RenderedError, renderError } from '../output/errors.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import { restoreOn } from '../restore-to.ts';
import { runGuarded } from '../run-guarded.ts';
import { checkedSourceName, slugOf } from '../source-name.ts';
import { takeBackup } from '../take-backup.ts';
import { maintenanceOf, targetName } from '../target.ts';
import { who } from '../who.ts';

interface GuardOptions extends VaultOptions, DatabaseOptions {
  readonly db?: string;
  readonly source?: string;
  readonly jobs?: number;
  readonly disconnect?: boolean;
  readonly yes?: boolean;
}

export function guardCommand(setExitCode: SetExitCode): Command {
  const command = new Command('guard')
    .description(
      'Back a database up, run a command, and restore the database when the command fails.',
    )
    .argument('<command...>', 'the command, after --')
    .addOption(new Option('--db <url>', 'the same as --database').conflicts('database'))
    .option('--source <name>', 'file the backup under this name (default: from the database)')
    .option('--disconnect', 'end the sessions of the database when it must be restored')
    .option('--yes', 'do it without asking');
  addJobs(addDatabase(addKey(addVault(command))));
  return addJson(command)
    .addHelpText(
      'after',
      `
Examples:
  holdfast guard --vault /backups/shop --db postgresql://admin@localhost/shop -- npm run migrate
  holdfast guard --yes --disconnect --vault /backups/shop -- psql -v ON_ERROR_STOP=1 -f migration.sql shop

What it does: 1. a backup of the whole database, tier "safety"; 2. a look whether it could be restored: if not, the
command is not run; 3. the command, with your terminal and environment; 4. when its exit code is not 0: the backup is
restored beside, compared, and takes the name of the database. The database as the command left it is kept aside. The
exit code is that of the command.`,
    )
    .action((args: string[], options: GuardOptions) => guard(args, options, setExitCode));
}

async function guard(
  args: readonly string[],
  options: GuardOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const [program, ...rest] = args;
  if (program === undefined) throw new HoldfastError('UsageError', 'No command was given.');
  const source = options.source === undefined ? undefined : checkedSourceName(options.source);
  const database = options.db ?? options.database;
  const connection = connectionOf(database === undefined ? {} : { database });
  await confirmed(
    `Back ${JSON.stringify(connection.database)} up, run ${program}, and when that fails put the database as it was in its place?`,
    options,
  );
  const store = await openStore(options);
  const backup = await takeSafetyBackup(store, options, connection, source);
  if (!options.json) printLine(describeReport(backup));
  await requireWayBack(store, options, connection, backup);
  const { exitCode, error } = await runGuarded(
    [program, ...rest],
    { HOLDFAST_BACKUP_ID: backup.backupId },
    options.json === true,
  );
  setExitCode(exitCode);
  if (error !== undefined) printLine(renderError(error).text);
  // It was never run: there is nothing to take back.
  const outcome =
    exitCode === 0 || error !== undefined
      ? { restore: null, error: error === undefined ? null : renderError(error).json }
      : await restoreAfter(store, options, connection, backup, exitCode);
  if (options.json) {
    printJson({ exitCode, backupId: backup.backupId, ...outcome });
  } else if (exitCode === 0) {
    print(`The command ended well. Backup ${backup.backupId} has the database as it was before.`);
  }
}

const takeSafetyBackup = async (
  store: OpenStore,
  options: GuardOptions,
  connection: ConnectionSettings,
  source: string | undefined,
): Promise<BackupReport> =>
  takeBackup(
    {
      store,
      options: { ...options, tier: 'safety', onBlockedDdl: 'fail' },
      filters: filtersOf({}),
      labels: { ...(await gitLabels()), guard: 'before' },
    },
    {
      connection,
      source: source ?? slugOf(connection.database),
      isSourceNamed: source !== undefined,
    },
  );

const undoOf = (
  options: GuardOptions,
  connection: ConnectionSettings,
  { backupId, source }: BackupReport,
): RestoreRequest => ({
  target: targetName,
  choice: { source: source.name, backup: backupId },
  mode: 'swap',
  database: connection.database,
  // What the command left is kept aside as a database.
  safetyBackup: false,
  disconnect: options.disconnect === true,
  requestedBy: who(),
});

/** @throws PreflightFailedError when the command could not be taken back: then it is not run */
async function requireWayBack(
  store: OpenStore,
  options: GuardOptions,
  connection: ConnectionSettings,
  backup: BackupReport,
): Promise<void> {
  const undo = { ...undoOf(options, connection, backup), dryRun: true };
  const { preflight } = await restoreOn(store, options, maintenanceOf(connection), undo);
  requirePassed(preflight, 'The command was not run, because it could not be taken back. ');
}

/** The exit code stays that of the command, whatever becomes of the restore. */
async function restoreAfter(
  store: OpenStore,
  options: GuardOptions,
  connection: ConnectionSettings,
  backup: BackupReport,
  exitCode: number,
): Promise<{ restore: RestoreReport | null; error: RenderedError['json'] | null }> {
  const { backupId } = backup;
  printLine(`The command failed with exit code ${exitCode}: restoring ${backupId}.`);
  try {
    const undo = undoOf(options, connection, backup);
    const restore = await restoreOn(store, options, maintenanceOf(connection), undo);
    if (!options.json) print(describeRestore(restore));
    return { restore, error: null };
  } catch (error) {
    const rendered = renderError(error);
    printLine(rendered.text);
    printLine(
      `  The database is as the command left it. By hand: holdfast restore ${backupId} --mode swap`,
    );
    return { restore: null, error: rendered.json };
  }
}
