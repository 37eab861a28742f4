/** `holdfast drill`: restores a backup into a scratch database, compares all of it, and signs what came of it. */
import { Command } from 'commander';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { readReport } from '../../core/report/write-report.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { type DrillRequest, runDrill } from '../../local/engine/run-drill.ts';
import { cancelBy, deploymentOf, executionIn } from '../aws/deployment.ts';
import { executionName } from '../aws/execution-name.ts';
import { refuseOnlyOnAws } from '../aws/only-here.ts';
import { type DrillFlags, drillInputOf } from '../aws/restore-input.ts';
import { exitCodeOfDrill } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { addLabel } from '../labels.ts';
import { type OpenStore, openStore } from '../open.ts';
import {
  addDetach,
  addJobs,
  addJson,
  addKey,
  addVault,
  jobsOf,
  type VaultOptions,
} from '../options.ts';
import { describeRecovery } from '../output/describe-recovery.ts';
import { openProgress } from '../output/progress.ts';
import { print, printJson } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import {
  addCheckOptions,
  addObjectives,
  addRoleOptions,
  checksOf,
  choiceOf,
  objectivesOf,
  rolesOf,
} from '../restore-options.ts';
import { addTarget, targetConnectionOf, targetName } from '../target.ts';
import { who } from '../who.ts';

interface DrillOptions extends VaultOptions, DrillFlags {
  readonly detach?: boolean;
}

export function drillCommand(setExitCode: SetExitCode): Command {
  const command = new Command('drill')
    .description('Prove a backup: restore it to a scratch database, compare everything, drop it.')
    .argument('[backup]', 'id of a backup, the beginning of one, or "latest" (the default)')
    .option('--source <name>', 'of which source, when the vault has several')
    .option('--at <time>', 'the newest backup at or before: 2026-11-21T04:00:00Z, or 7d, 24h ago')
    .option('--label <key=value>', 'the newest backup with this label (repeatable)', addLabel)
    .option('--keep', 'keep the scratch database to look at it');
  addDetach(
    addJobs(addTarget(addKey(addVault(addObjectives(addCheckOptions(addRoleOptions(command))))))),
  );
  return addJson(command)
    .addHelpText(
      'after',
      `
Examples:
  holdfast drill --vault /backups/shop --target postgresql://admin@scratch-server
  holdfast drill latest --rto 4h --rpo 24h --vault /backups/shop --target postgresql://admin@localhost
  holdfast --env prod drill --source shop
  holdfast --env prod --dr drill --source shop --target exercise
  holdfast drill --check 'has orders=SELECT count(*) > 0 FROM public.orders' --json

The scratch database is called <name>_drill_<id> and is dropped whatever comes of it, unless --keep.
What came of it is signed in the vault: "proven" or "damaged". A drill that failed for a reason of the
target (no room, no rights, a check of yours) says nothing about the backup.
Exit code 3 when the backup is damaged, 1 when the drill failed otherwise.
With --env an execution of the deployment is started and followed; its target is that of the scheduled drills.`,
    )
    .action(async (backup: string | undefined, options: DrillOptions, own: Command) => {
      const deployment = await deploymentOf(options);
      if (deployment === undefined) {
        refuseOnlyOnAws(own);
        return drill(backup, options, setExitCode);
      }
      const input = await drillInputOf(deployment, backup, options, own);
      const name = executionName(options.source, 'drill', new Date());
      const { runOnAws } = await import('../aws/run-execution.ts');
      const execution = executionIn(deployment, 'drill', name);
      await runOnAws(execution, input, cancelBy(deployment.said, name), options, setExitCode);
    });
}

async function drill(
  backup: string | undefined,
  options: DrillOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const input: DrillRequest = {
    target: targetName,
    choice: choiceOf(backup, options),
    roles: rolesOf(options),
    checks: await checksOf(options),
    objectives: objectivesOf(options),
    keepScratch: options.keep === true,
    requestedBy: who(),
  };
  const connection = targetConnectionOf(options);
  const store = await openStore(options);
  const report = await reportOf(store, options, connection, input);
  if (options.json) printJson(report);
  else print(describeRecovery(report));
  setExitCode(exitCodeOfDrill(report));
}

/** Of a drill that failed, too: what it found is a result. @throws when it came to no backup */
async function reportOf(
  store: OpenStore,
  options: DrillOptions,
  connection: ReturnType<typeof targetConnectionOf>,
  input: DrillRequest,
): Promise<RestoreReport> {
  const progress = openProgress();
  using interruption = onInterrupt(
    (text) => progress.note(text),
    'The scratch database was dropped. Nothing was recorded about the backup.',
  );
  const runId = newRunId();
  try {
    return await runDrill({
      vaultDirectory: store.root,
      keyFile: store.keyFile,
      connection,
      input,
      jobs: jobsOf(options),
      runId,
      signal: interruption.signal,
      onProgress: progress.onProgress,
    });
  } catch (error) {
    const report = await readReport(store, runId);
    if (report === undefined) throw error;
    return report;
  } finally {
    progress.end();
  }
}
