/** `holdfast restore`: a backup into a new database, in the place of one, or tables of it into one that exists. */
import { Command, Option } from 'commander';
import { restoreModeSchema } from '../../core/contract/restore.ts';
import { askRestore } from '../ask-restore.ts';
import { cancelBy, deploymentOf, executionIn } from '../aws/deployment.ts';
import { executionName } from '../aws/execution-name.ts';
import { refuseOnlyOnAws } from '../aws/only-here.ts';
import { restoreInputOf } from '../aws/restore-input.ts';
import { isTerminal } from '../confirm.ts';
import { exitCodes } from '../exit-codes.ts';
import { addLabel } from '../labels.ts';
import { openStore } from '../open.ts';
import { addDetach, addJobs, addJson, addKey, addVault } from '../options.ts';
import { describeDryRun, describeRestore } from '../output/describe-restore.ts';
import { print, printJson } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import {
  addCheckOptions,
  addObjectives,
  addRoleOptions,
  type RestoreOptions,
  repeated,
  requestOf,
} from '../restore-options.ts';
import { restoreTo } from '../restore-to.ts';
import { addTarget, targetConnectionOf } from '../target.ts';

export function restoreCommand(setExitCode: SetExitCode): Command {
  const command = new Command('restore')
    .description('Restore a backup, and compare the result with it before anybody uses it.')
    .argument('[backup]', 'id of a backup, the beginning of one, or "latest" (the default)')
    .option('--name <db>', 'database to create, replace or write into')
    .addOption(
      new Option(
        '--mode <mode>',
        'new: a database of its own; swap: in the place of one, which is kept aside; into: tables into one that exists',
      )
        .choices(restoreModeSchema.options)
        .default('new'),
    )
    .option('--source <name>', 'of which source, when the vault has several')
    .option('--at <time>', 'the newest backup at or before: 2026-11-21T04:00:00Z, or 7d, 24h ago')
    .option('--label <key=value>', 'the newest backup with this label (repeatable)', addLabel)
    .option('-n, --schema <pattern>', 'into: only these schemas (repeatable)', repeated)
    .option('-t, --table <pattern>', 'into: only these tables (repeatable)', repeated)
    .option('--where <sql>', 'into: only these rows of the one table')
    .addOption(
      new Option(
        '--on-conflict <what>',
        'into: what becomes of a row whose key is there already',
      ).choices(['error', 'skip', 'replace']),
    )
    .option('--as <table>', 'into: the one table under another name, to look at it first')
    .option('--into-schema <schema>', 'into: all tables in this schema, to look at them first')
    .option('--allow-orphans', 'into: accept rows that break a foreign key (made NOT VALID)')
    .option('--no-safety-backup', 'no backup of what is replaced (by default one is taken first)')
    .option('--disconnect', 'swap: end the sessions of the database that is replaced')
    .option('--before-cutover <command>', 'run when all is well and before the names change')
    .option('--after-cutover <command>', 'run when the restored database can be used')
    .option('--dry-run', 'say whether it can work and how long it takes; touch nothing')
    .option('--yes', 'replace without asking');
  addDetach(
    addJobs(addTarget(addKey(addVault(addObjectives(addCheckOptions(addRoleOptions(command))))))),
  );
  return addJson(command)
    .addHelpText('after', examples)
    .action(async (backup: string | undefined, options: RestoreOptions, own: Command) => {
      const deployment = await deploymentOf(options);
      if (deployment === undefined) {
        refuseOnlyOnAws(own);
        return restore(backup, options, setExitCode);
      }
      const input = await restoreInputOf(deployment, backup, options, own);
      const name = executionName(options.source, 'restore', new Date());
      const { runOnAws } = await import('../aws/run-execution.ts');
      const execution = executionIn(deployment, 'restore', name);
      await runOnAws(execution, input, cancelBy(deployment.said, name), options, setExitCode);
    });
}

const examples = `
Examples:
  holdfast restore
  holdfast restore --vault /backups/shop --target postgresql://admin@localhost --name shop_copy
  holdfast restore --at 24h --vault /backups/shop --target postgresql://admin@localhost --dry-run
  holdfast restore shop-20261121T0400 --mode swap --disconnect --target postgresql://admin@localhost/shop
  holdfast restore --mode into --table orders --on-conflict skip --target postgresql://admin@localhost/shop
  holdfast restore --mode into --table orders --as orders_then --target postgresql://admin@localhost/shop
  holdfast --env prod restore --source shop --target scratch --name shop_then --at 24h
  holdfast --env prod restore --source shop --target shop-admin --name shop --mode into --table orders
  holdfast restore --check 'has orders=SELECT count(*) > 0 FROM orders' --rto 4h --rpo 24h --json

Before anything is touched a list says what would fail; a failure later leaves the target as it was.
The same command again goes on with a restore that was killed.
Exit code 3 when what was restored is not what was backed up.
With --env an execution of the deployment is started and followed, also in the other Region with --dr.`;

async function restore(
  backup: string | undefined,
  given: RestoreOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  // Asks only when nothing at all was given and somebody is there to answer.
  const isBare = process.argv.length <= 3 && isTerminal();
  const options = isBare ? { ...given, ...(await askRestore(given)) } : given;
  const request = await requestOf(options.backup ?? backup, options);
  // Wrong use of the command line is said before the vault is looked for.
  targetConnectionOf(options);
  const store = await openStore(options);
  const report = await restoreTo(store, options, request);
  if (options.json) printJson(report);
  else print(report.kind === 'dry-run' ? describeDryRun(report) : describeRestore(report));
  if (report.preflight.some(({ verdict }) => verdict === 'failed')) setExitCode(exitCodes.failed);
}
