/** `holdfast status`: how old the newest backup is that can be counted on, of each source, and whether that is enough. */
import { Command } from 'commander';
import { namesOfSources } from '../../core/sentinel/sentinel.ts';
import { type StatusDeps, sourceStatus } from '../../core/sentinel/source-status.ts';
import { type Deployment, deploymentOf, sourceIn } from '../aws/deployment.ts';
import { exitCodes } from '../exit-codes.ts';
import { addJson, addKey, addVaultOrBucket, type VaultOptions } from '../options.ts';
import { describeRunning, describeStatus } from '../output/describe-status.ts';
import { renderError } from '../output/errors.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import { isKept, type JudgedStatus, judge, promisedOf } from '../promises.ts';
import { readStore } from '../read-vault.ts';
import { secondsOf } from '../restore-options.ts';

interface StatusOptions extends VaultOptions {
  readonly source?: string;
  readonly rpo?: number;
}

export function statusCommand(setExitCode: SetExitCode): Command {
  const command = new Command('status')
    .description('Tell how old the newest sealed, verified and proven backup of each source is.')
    .option('--source <name>', 'only this source')
    .option(
      '--rpo <time>',
      'how old the newest verified backup may be: 90m, 24h, 7d (with --env: as its file says)',
      (text) => secondsOf('--rpo', text),
    )
    .addHelpText(
      'after',
      `
Examples:
  holdfast status --vault /backups/shop
  holdfast status --vault /backups/shop --source shop --rpo 26h --json
  holdfast --env prod status

Only whole backups count, none of tier safety, and only by signed manifests and records. Exit
code 3 when a source has no verified backup within --rpo: for a monitor, or a job that tells you.
With --env every source is measured against its objectives: rpoHours (else 3 hours where
backups are hourly, 30 where they are daily), provenDays (else 9 where drills are scheduled),
and a copy in the other Region within the hour. It also says what runs now.`,
    )
    .action((options: StatusOptions) => tellStatus(options, setExitCode));
  return addJson(addKey(addVaultOrBucket(command)));
}

async function tellStatus(options: StatusOptions, setExitCode: SetExitCode): Promise<void> {
  const deployment = await deploymentOf(options);
  const { vault, marker, keyRing } = await readStore(options);
  const deps = { vault, vaultId: marker.vaultId, keyRing, now: () => new Date() };
  const sources: JudgedStatus[] = [];
  for (const name of await namesToTell(deps, deployment, options.source)) {
    const promised = promisedOf(name, deployment, options.rpo);
    sources.push(judge(await sourceStatus(deps, name, promised), promised));
  }
  // A vault without any backup keeps no promise.
  const isEmpty = sources.length === 0 && options.rpo !== undefined;
  if (isEmpty || !sources.every(isKept)) setExitCode(exitCodes.damaged);
  if (options.json) printJson(sources);
  else {
    print(describeStatus(sources));
    if (deployment !== undefined) await tellRunning(deployment);
  }
}

/** Those of the environment, and those of which the vault has backups. @throws UsageError for one that neither has */
async function namesToTell(
  deps: StatusDeps,
  deployment: Deployment | undefined,
  wanted: string | undefined,
): Promise<readonly string[]> {
  if (deployment === undefined && wanted !== undefined) return [wanted];
  const promised = deployment?.environment.sources.map(({ name }) => name) ?? [];
  const all = [...new Set([...promised, ...(await namesOfSources(deps))])].sort();
  if (deployment === undefined || wanted === undefined) return all;
  return [all.includes(wanted) ? wanted : sourceIn(deployment, wanted)];
}

/** Of a deployment; who may read the vault need not have the right to see executions. */
async function tellRunning(deployment: Deployment): Promise<void> {
  const [{ runningIn }, { sfnClient }] = await Promise.all([
    import('../aws/find-execution.ts'),
    import('../aws/run-clients.ts'),
  ]);
  try {
    const running = await runningIn(await sfnClient(deployment.place.region), deployment);
    print(describeRunning(running, deployment.said));
  } catch (error) {
    printLine(`What runs now cannot be told. ${renderError(error).text}`);
  }
}
