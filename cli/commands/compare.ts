/** `holdfast compare`: two sides, each a backup or a live database, and everything in which they differ. */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { Command } from 'commander';
import { BackupSide } from '../../core/compare/backup-side.ts';
import { compareSides } from '../../core/compare/compare-sides.ts';
import { openLiveSide } from '../../core/compare/live-side.ts';
import type { Side } from '../../core/compare/side.ts';
import { choiceSchema } from '../../core/contract/restore.ts';
import { applicationNameOf } from '../../core/postgres/application-name.ts';
import { chooseBackup } from '../../core/restore/choose-backup.ts';
import { resolveConnection } from '../../local/connection/resolve-connection.ts';
import { exitCodes } from '../exit-codes.ts';
import {
  addJobs,
  addJson,
  addKey,
  addVaultOrBucket,
  jobsOf,
  type VaultOptions,
} from '../options.ts';
import { describeComparison } from '../output/describe-comparison.ts';
import { openProgress } from '../output/progress.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import { readStore } from '../read-vault.ts';

interface CompareOptions extends VaultOptions {
  readonly source?: string;
  readonly rows?: boolean;
  readonly jobs?: number;
}

export function compareCommand(setExitCode: SetExitCode): Command {
  const command = new Command('compare')
    .description(
      'Compare two sides, each a backup or a live database: definitions, rows, settings.',
    )
    .argument('<left>', 'id of a backup, the beginning of one, "latest", or postgresql://…')
    .argument('<right>', 'the same, of the other side')
    .option('--source <name>', 'only backups of this source')
    .option('--rows', 'name the rows that differ, by their primary keys')
    .addHelpText(
      'after',
      `
Examples:
  holdfast compare latest postgresql://app@localhost/shop --vault /backups/shop
  holdfast compare shop-20261120T0400 latest --vault /backups/shop --rows
  holdfast compare postgresql://app@old/shop postgresql://app@new/shop --jobs 8 --json

Reads only, each database in one snapshot. What a newer server prints differently of the same
definition is listed as expected and is no difference. Exit code 3 when the sides differ.`,
    )
    .action((left: string, right: string, options: CompareOptions) =>
      compare([left, right], options, setExitCode),
    );
  return addJson(addJobs(addKey(addVaultOrBucket(command))));
}

async function compare(
  named: readonly [string, string],
  options: CompareOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const startedMs = performance.now();
  const progress = openProgress();
  const sides: Side[] = [];
  try {
    for (const name of named) sides.push(await openSide(name, options, named.filter(isUrl).length));
    const [left, right] = sides as [Side, Side];
    const comparison = await compareSides(left, right, {
      withKeys: options.rows === true,
      onBytes: ({ schema, name }, rawBytes, rows) =>
        progress.onProgress({ state: 'CompareUnit', table: `${schema}.${name}`, rawBytes, rows }),
    });
    progress.end();
    const compared = {
      left: { kind: left.kind, name: left.label },
      right: { kind: right.kind, name: right.label },
      durationMs: Math.round(performance.now() - startedMs),
      ...comparison,
    };
    if (comparison.verdict === 'different') setExitCode(exitCodes.damaged);
    if (options.json) printJson(compared);
    else print(describeComparison(compared));
  } finally {
    progress.end();
    for (const side of sides) await side.close();
  }
}

/** A connection string; ids of backups have no colon and no equals sign. */
const isUrl = (name: string): boolean => /^postgres(ql)?:\/\//.test(name) || name.includes('=');

/** @param databases how many of the two are live: they share the jobs */
async function openSide(name: string, options: CompareOptions, databases: number): Promise<Side> {
  if (isUrl(name)) {
    const env = process.env;
    const settings = resolveConnection({ url: name, env, home: homedir(), warn: printLine });
    const run = `compare-${randomBytes(4).toString('hex')}`;
    return openLiveSide(settings, {
      applicationName: applicationNameOf(run, 'read'),
      jobs: Math.max(1, Math.ceil(jobsOf(options) / databases)),
    });
  }
  const store = await readStore(options);
  const deps = { vault: store.vault, vaultId: store.marker.vaultId, keyRing: store.keyRing };
  const choice = choiceSchema.parse({ backup: name, source: options.source });
  const { manifest } = await chooseBackup(deps, choice);
  return new BackupSide(deps, manifest);
}
