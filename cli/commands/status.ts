/** `holdfast status`: how old the newest backup is that can be counted on, of each source, and whether that is enough. */
import { Command } from 'commander';
import type { SourceStatus } from '../../core/contract/functions.ts';
import { namesOfSources } from '../../core/sentinel/sentinel.ts';
import { sourceStatus } from '../../core/sentinel/source-status.ts';
import { deploymentOf } from '../aws/deployment.ts';
import { exitCodes } from '../exit-codes.ts';
import { addJson, addKey, addVaultOrBucket, type VaultOptions } from '../options.ts';
import { describeRunning, describeStatus } from '../output/describe-status.ts';
import { renderError } from '../output/errors.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
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
    .option('--rpo <time>', 'how old the newest verified backup may be: 90m, 24h, 7d', (text) =>
      secondsOf('--rpo', text),
    )
    .addHelpText(
      'after',
      `
Examples:
  holdfast status --vault /backups/shop
  holdfast status --vault /backups/shop --source shop --rpo 26h --json
  holdfast --env prod status --rpo 26h

Only whole backups count, and only by signed manifests and records. Exit code 3 when a source
has no verified backup within --rpo: for a monitor, or a job that tells you.
With --env it also says what runs now.`,
    )
    .action((options: StatusOptions) => tellStatus(options, setExitCode));
  return addJson(addKey(addVaultOrBucket(command)));
}

async function tellStatus(options: StatusOptions, setExitCode: SetExitCode): Promise<void> {
  const rpoSeconds = options.rpo ?? null;
  const { vault, marker, keyRing } = await readStore(options);
  const deps = { vault, vaultId: marker.vaultId, keyRing, now: () => new Date() };
  const names = options.source === undefined ? await namesOfSources(deps) : [options.source];
  const sources: SourceStatus[] = [];
  for (const name of names) {
    sources.push(await sourceStatus(deps, name, { rpoSeconds, hasReplica: false }));
  }
  // A vault without any backup keeps no promise.
  const isWithin = names.length > 0 && sources.every(({ isWithinRpo }) => isWithinRpo !== false);
  if (rpoSeconds !== null && !isWithin) setExitCode(exitCodes.damaged);
  if (options.json) printJson(sources);
  else {
    print(describeStatus(sources));
    await tellRunning(options);
  }
}

/** Of a deployment; who may read the vault need not have the right to see executions. */
async function tellRunning(options: StatusOptions): Promise<void> {
  const deployment = await deploymentOf(options);
  if (deployment === undefined) return;
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
