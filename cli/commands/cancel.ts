/** `holdfast cancel`: ends a backup, restore or drill from beside it, and cleans up after one whose process has died. */
import { Command } from 'commander';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { type Cancelled, cancelRun } from '../../core/run/cancel.ts';
import { type CleanedUp, cleanUp } from '../../core/run/clean-up.ts';
import { type FoundRun, findMachine } from '../../core/run/find-machine.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { type Deployment, deploymentOf } from '../aws/deployment.ts';
import { refuseOnlyHere } from '../aws/only-here.ts';
import { connectionOf, namesDatabase } from '../connect.ts';
import { exitCodes } from '../exit-codes.ts';
import { openStore } from '../open.ts';
import {
  addDatabase,
  addJson,
  addKey,
  addVault,
  type DatabaseOptions,
  type VaultOptions,
} from '../options.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import { addTarget, namesTarget, type TargetOptions, targetConnectionOf } from '../target.ts';
import { who } from '../who.ts';

type CancelOptions = VaultOptions & DatabaseOptions & TargetOptions;

export function cancelCommand(setExitCode: SetExitCode): Command {
  const command = new Command('cancel')
    .description('End a run, and clean up after one that was killed.')
    .argument(
      '<run>',
      'id of a backup, restore or drill, or the beginning of one; with --env its name or ARN',
    )
    .addHelpText(
      'after',
      `
Examples:
  holdfast cancel 20261121t042100z-0123abcd --vault /backups/shop
  holdfast cancel 20261121t0421 --vault /backups/shop --database postgresql://app@localhost/shop
  holdfast cancel 20261121t0530 --vault /backups/shop --target postgresql://admin@localhost
  holdfast --env prod cancel shop-manual-20261121t042100z

A run that lives ends in order by itself, as by Ctrl-C. Only for one whose process has died, or that could
not take away what it had made, the server is needed: --database for a backup, --target for a restore or a
drill. What a restore had half made is dropped; one that comes after its cutover is kept. With --env the
execution is stopped, and the deployment cleans up after it.`,
    )
    .action(async (wanted: string, options: CancelOptions, own: Command) => {
      const deployment = await deploymentOf(options);
      if (deployment === undefined) return cancel(wanted, options, setExitCode);
      refuseOnlyHere(own);
      return cancelOnAws(deployment, wanted, options, setExitCode);
    });
  return addJson(addTarget(addDatabase(addKey(addVault(command)))));
}

async function cancelOnAws(
  deployment: Deployment,
  wanted: string,
  options: CancelOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const { cancelExecution } = await import('../aws/cancel-execution.ts');
  const { cleaned, ...run } = await cancelExecution(deployment, wanted);
  if (cleaned !== null && cleaned.troubles.length > 0) setExitCode(exitCodes.failed);
  if (options.json) return printJson({ ...run, cleaned });
  const notes = [
    ...(cleaned?.cleaned ?? []).map((line) => `  ${line}`),
    ...(cleaned?.troubles ?? []).map((line) => `! ${line}`),
  ];
  print([`The ${run.machine} ${run.runId} ${howItEnded(run.how, run.state)}`, ...notes].join('\n'));
}

const howItEnded = (how: 'over' | 'ended', state: string): string =>
  how === 'over' ? `had ended before: ${state}.` : `has ended: ${state}.`;

async function cancel(
  wanted: string,
  options: CancelOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const { workspace, root, keyFile } = await openStore(options);
  const run = await findMachine({ workspace }, wanted);
  const { user, host } = who();
  const deps = { workspace, now: () => new Date() };
  const cancelled = await cancelRun(deps, run, `${user} on ${host}`, (until) =>
    printLine(`Waiting for ${run.runId} to end; should its process have died, until ${until}.`),
  );
  const cleaned =
    cancelled.how === 'dead' || cancelled.hasLeft
      ? await cleanUpHere({ vaultDirectory: root, keyFile }, run, cancelled, options)
      : undefined;
  if (cleaned !== undefined && cleaned.troubles.length > 0) setExitCode(exitCodes.failed);
  if (options.json) printJson({ ...run, ...cancelled, cleaned: cleaned ?? null });
  else print(describe(run, cancelled, cleaned));
}

/** @throws UsageError when the server is not named, or is another one than the run's */
async function cleanUpHere(
  store: { readonly vaultDirectory: string; readonly keyFile: string },
  { machine, runId }: FoundRun,
  { how, server }: Cancelled,
  options: CancelOptions,
): Promise<CleanedUp> {
  const isBackup = machine === 'backup';
  const option = isBackup ? '--database' : '--target';
  if (!(isBackup ? namesDatabase(options) : namesTarget(options))) {
    const why =
      how === 'dead'
        ? `The process of ${machine} ${runId} has died`
        : `The ${machine} ${runId} could not take away what it had made`;
    throw new HoldfastError('UsageError', `${why}; to clean up after it, its server is needed.`, {
      hint: `Give ${option} postgresql://user@host:port/name.`,
    });
  }
  const connection = isBackup ? connectionOf(options) : targetConnectionOf(options);
  requireSame(connection, server, runId, option);
  const { deps }: { deps: Deps } = await openLocalDeps({ ...store, connection });
  return cleanUp(deps, { machine, runId });
}

function requireSame(
  { host, port }: ConnectionSettings,
  server: Cancelled['server'],
  runId: string,
  option: string,
): void {
  if (server === null || (server.host === host && server.port === port)) return;
  throw new HoldfastError(
    'UsageError',
    `${runId} worked on ${server.host}:${server.port}; ${option} names ${host}:${port}.`,
    { hint: 'Name the server as it was named for the run.' },
  );
}

function describe(run: FoundRun, { how, state }: Cancelled, cleaned?: CleanedUp): string {
  const what = `${run.machine} ${run.runId}`;
  const howEnded =
    how === 'dead'
      ? `The process of ${what} had died.`
      : `The ${what} ${howItEnded(how, String(state))}`;
  if (cleaned === undefined) return howEnded;
  return [
    `${howEnded} Cleaned up after it:`,
    ...cleaned.cleaned.map((line) => `  ${line}`),
    ...cleaned.troubles.map((line) => `! ${line}`),
  ].join('\n');
}
