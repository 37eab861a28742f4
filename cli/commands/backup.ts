/** `holdfast backup`: one database, or with --all-databases each of a server under one set id. */
import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import type { BackupReport } from '../../core/contract/catalogue.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { tierSchema } from '../../core/contract/manifest.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { askBackup } from '../ask-backup.ts';
import { backupInputOf } from '../aws/backup-input.ts';
import { cancelBy, type Deployment, deploymentOf, executionIn } from '../aws/deployment.ts';
import { executionName } from '../aws/execution-name.ts';
import { refuseOnlyOnAws } from '../aws/only-here.ts';
import { connectionOf, databasesOf } from '../connect.ts';
import { exitCodes } from '../exit-codes.ts';
import { addLabel, gitLabels } from '../labels.ts';
import { openStore } from '../open.ts';
import {
  addDatabase,
  addDetach,
  addFilters,
  addJobs,
  addJson,
  addKey,
  addVault,
  filtersOf,
} from '../options.ts';
import { describeReport } from '../output/describe-report.ts';
import { renderError } from '../output/errors.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import { checkedSourceName, slugOf, sourceNames } from '../source-name.ts';
import { type BackupOptions, type Taking, takeBackup } from '../take-backup.ts';

export function backupCommand(setExitCode: SetExitCode): Command {
  const command = new Command('backup')
    .description('Back a database up. Without arguments, on a terminal, it asks.')
    .argument('[source]', 'with --env: which source of the environment')
    .option('--source <name>', 'file it under this name (default: from the name of the database)')
    .option(
      '--label <key=value>',
      'a label (repeatable; git.branch and git.commit are added)',
      addLabel,
    )
    .addOption(
      new Option('--tier <tier>', 'retention class').choices(tierSchema.options).default('manual'),
    )
    .option('--all-databases', 'every database of the server: one backup each, one set id')
    .addOption(
      new Option(
        '--on-blocked-ddl <policy>',
        'when a schema change waits behind the backup: give way, or end it',
      )
        .choices(['fail', 'cancel-waiter'])
        .default('fail'),
    );
  addDetach(addFilters(addJobs(addDatabase(addKey(addVault(command))))));
  return addJson(command)
    .addHelpText(
      'after',
      `
Examples:
  holdfast backup
  holdfast backup --vault /backups/shop --database postgresql://app@localhost/shop
  holdfast backup --vault /backups/shop --label release=1.2 --exclude-table-data 'audit.*' --json
  PGHOST=db PGUSER=admin PGDATABASE=postgres holdfast backup --vault /backups/all --all-databases
  holdfast --env prod backup shop
  holdfast --env prod backup shop --label release=1.2 --detach

Passwords are better kept in PGPASSWORD or ~/.pgpass than in the URL: command lines can be seen by others.
Ctrl-C ends the run in order: it is recorded as failed (holdfast list --failed) and no lock stays.
With --env an execution of the deployment is started and followed; Ctrl-C then ends the following alone.`,
    )
    .action(async (source: string | undefined, options: BackupOptions, own: Command) => {
      const deployment = await deploymentOf(options);
      if (deployment) return backupOnAws(deployment, source, options, own, setExitCode);
      refuseOnlyOnAws(own);
      if (source !== undefined) throw sourceOnlyOnAws(source);
      return backup(await completed(options), setExitCode);
    });
}

async function backupOnAws(
  deployment: Deployment,
  argument: string | undefined,
  options: BackupOptions,
  own: Command,
  setExitCode: SetExitCode,
): Promise<void> {
  const input = await backupInputOf(deployment, argument, options, own);
  const name = executionName(input.source, options.tier, new Date());
  const { runOnAws } = await import('../aws/run-execution.ts');
  const execution = executionIn(deployment, 'backup', name);
  await runOnAws(execution, input, cancelBy(deployment.said, name), options, setExitCode);
}

const sourceOnlyOnAws = (source: string): HoldfastError =>
  new HoldfastError('UsageError', `${JSON.stringify(source)}: sources are named with --env.`, {
    hint: `On this machine give --database URL, and --source ${slugOf(source)} if it is to be filed under that name; on AWS holdfast --env NAME backup ${source}.`,
  });

/** Asks only when nothing at all was given and somebody is there to answer. */
async function completed(options: BackupOptions): Promise<BackupOptions> {
  const isBare = process.argv.length <= 3;
  if (!(isBare && process.stdin.isTTY && process.stderr.isTTY)) return options;
  return { ...options, ...(await askBackup()) };
}

async function backup(options: BackupOptions, setExitCode: SetExitCode): Promise<void> {
  const source = options.source === undefined ? undefined : checkedSourceName(options.source);
  const connection = connectionOf(options);
  const store = await openStore(options);
  const taking: Taking = {
    store,
    options,
    filters: filtersOf(options),
    labels: { ...(await gitLabels()), ...options.label },
  };
  if (options.allDatabases) return backupAll(taking, connection, source, setExitCode);
  const report = await takeBackup(taking, {
    connection,
    source: source ?? slugOf(connection.database),
    isSourceNamed: source !== undefined,
  });
  if (options.json) printJson(report);
  else print(describeReport(report));
}

interface FailedDatabase {
  readonly database: string;
  readonly error: { readonly name: string; readonly message: string; readonly hint: string };
}

/** One that fails does not keep the others from being backed up; an interruption does. */
async function backupAll(
  taking: Taking,
  connection: ConnectionSettings,
  prefix: string | undefined,
  setExitCode: SetExitCode,
): Promise<void> {
  const { options } = taking;
  const databases = await databasesOf(connection);
  const names = sourceNames(databases, prefix);
  const setId = `set-${randomBytes(6).toString('hex')}`;
  const backups: BackupReport[] = [];
  const failed: FailedDatabase[] = [];
  for (const [database, source] of names) {
    printLine(`Database ${JSON.stringify(database)} as source ${source}`);
    try {
      const report = await takeBackup(taking, {
        connection: { ...connection, database },
        source,
        isSourceNamed: false,
        setId,
      });
      backups.push(report);
      if (!options.json) print(describeReport(report));
    } catch (error) {
      const rendered = renderError(error);
      printLine(rendered.text);
      failed.push({ database, error: rendered.json });
      if (error instanceof HoldfastError && error.name === 'RunAbortedError') break;
    }
  }
  if (options.json) printJson({ setId, backups, failed });
  else print(`Set ${setId}: ${backups.length} of ${names.size} databases backed up.`);
  if (failed.length > 0) setExitCode(exitCodes.failed);
}
