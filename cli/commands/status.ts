/** `holdfast status`: how old the newest backup is that can be counted on, of each source, and whether that is enough. */
import { Command } from 'commander';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { SourceStatus } from '../../core/contract/functions.ts';
import { namesOfSources } from '../../core/sentinel/sentinel.ts';
import { sourceStatus } from '../../core/sentinel/source-status.ts';
import { exitCodes } from '../exit-codes.ts';
import { openStore } from '../open.ts';
import { addJson, addKey, addVault, type VaultOptions } from '../options.ts';
import { describeStatus } from '../output/describe-status.ts';
import { print, printJson } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';

interface StatusOptions extends VaultOptions {
  readonly source?: string;
  readonly rpo?: string;
}

export function statusCommand(setExitCode: SetExitCode): Command {
  const command = new Command('status')
    .description('Tell how old the newest sealed, verified and proven backup of each source is.')
    .option('--source <name>', 'only this source')
    .option('--rpo <age>', 'how old the newest verified backup may be: 90m, 24h, 7d')
    .addHelpText(
      'after',
      `
Examples:
  holdfast status --vault /backups/shop
  holdfast status --vault /backups/shop --source shop --rpo 26h --json

Only whole backups count, and only by signed manifests and records. Exit code 3 when a source
has no verified backup within --rpo: for a monitor, or a job that tells you.`,
    )
    .action((options: StatusOptions) => tellStatus(options, setExitCode));
  return addJson(addKey(addVault(command)));
}

async function tellStatus(options: StatusOptions, setExitCode: SetExitCode): Promise<void> {
  const rpoSeconds = options.rpo === undefined ? null : secondsOf(options.rpo);
  const { vault, marker, keyRing } = await openStore(options);
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
  else print(describeStatus(sources));
}

/** @throws UsageError */
function secondsOf(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const seconds = { m: 60, h: 3_600, d: 86_400 }[unit ?? ''] ?? 0;
  if (Number(amount) * seconds > 0) return Number(amount) * seconds;
  throw new HoldfastError('UsageError', `--rpo ${JSON.stringify(text)} is not an age.`, {
    hint: 'Write a number and m, h or d: 90m, 24h, 7d.',
  });
}
