/** `holdfast verify`: reads backups back and says whether they are what was dumped. */
import { Command, Option } from 'commander';
import type { VerifyReport } from '../../core/contract/catalogue.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { choiceSchema } from '../../core/contract/restore.ts';
import { listCatalogue, unlistedBackups } from '../../core/evidence/catalogue.ts';
import { type Place, placeOfChoice } from '../../core/restore/choose-backup.ts';
import { verifyBackup } from '../../core/verify/verify-backup.ts';
import { exitCodes } from '../exit-codes.ts';
import {
  addJobs,
  addJson,
  addKey,
  addVaultOrBucket,
  jobsOf,
  pastMoment,
  type VaultOptions,
} from '../options.ts';
import { describeVerdict } from '../output/describe-verdict.ts';
import { openProgress } from '../output/progress.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import { type ReadableStore, readStore } from '../read-vault.ts';
import { who } from '../who.ts';

interface VerifyOptions extends VaultOptions {
  readonly source?: string;
  readonly quick?: boolean;
  readonly all?: boolean;
  readonly since?: string;
  readonly jobs?: number;
}

export function verifyCommand(setExitCode: SetExitCode): Command {
  const command = new Command('verify')
    .description(
      'Read a backup back: decrypt, decompress, recount, compare fingerprints and signature.',
    )
    .argument('[backup]', 'id of a backup, the beginning of one, or "latest" (the default)')
    .option('--source <name>', 'only backups of this source')
    .option('--quick', 'sizes and hashes of the stored bytes only: nothing is decrypted')
    .addOption(new Option('--all', 'every backup of the vault').conflicts('since'))
    .option('--since <time>', 'every backup taken since: 2026-11-21, or 7d, 24h, 90m ago')
    .addHelpText(
      'after',
      `
Examples:
  holdfast verify latest --vault /backups/shop
  holdfast verify --all --quick --vault /backups/shop
  holdfast verify --since 7d --vault /backups/shop --json
  holdfast verify --all --vault s3://BUCKET

Exit code 3 and a list of objects and tables when something is damaged.`,
    )
    .action((wanted: string | undefined, options: VerifyOptions) =>
      verify(wanted, options, setExitCode),
    );
  return addJson(addJobs(addKey(addVaultOrBucket(command))));
}

async function verify(
  wanted: string | undefined,
  options: VerifyOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const since = options.since && pastMoment('--since', options.since, new Date());
  if (wanted !== undefined && (options.all || since)) {
    throw new HoldfastError('UsageError', 'A backup was named together with --all or --since.', {
      hint: 'Name one backup, or leave the name out.',
    });
  }
  const store = await readStore(options);
  const unreadable: string[] = [];
  const entries =
    since || options.all
      ? await entriesSince(store, options.source, since || undefined, unreadable)
      : [await placeNamed(store, wanted, options.source)];
  if (entries.length + unreadable.length === 0) {
    throw new HoldfastError(
      'BackupNotFoundError',
      'There is no such backup: nothing was verified.',
      {
        hint: 'See `holdfast list`; an empty list where backups were taken means that catalog/ was lost.',
      },
    );
  }
  const reports: VerifyReport[] = [];
  for (const entry of entries) {
    const report = await verifyOne(store, entry, options);
    reports.push(report);
    if (!options.json) print(describeVerdict(report));
  }
  const isDamaged = unreadable.length > 0 || reports.some(({ verdict }) => verdict === 'damaged');
  if (isDamaged) setExitCode(exitCodes.damaged);
  if (options.json && (since || options.all)) {
    printJson({ verdict: isDamaged ? 'damaged' : 'intact', backups: reports, unreadable });
  } else if (options.json) printJson(reports[0]);
}

/** One whose manifest cannot be trusted, too: to say so is what verifying is for. */
const placeNamed = (
  { vault, marker, keyRing }: ReadableStore,
  backup: string | undefined,
  source: string | undefined,
): Promise<Place> =>
  placeOfChoice(
    { vault, vaultId: marker.vaultId, keyRing },
    choiceSchema.parse({ backup, source }),
  );

async function verifyOne(
  store: ReadableStore,
  { source, backupId }: Place,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const progress = openProgress();
  try {
    return await verifyBackup(
      {
        vault: store.vault,
        vaultId: store.marker.vaultId,
        keyRing: store.keyRing,
        ...(store.record !== undefined && { record: store.record }),
        now: () => new Date(),
        progress: progress.onProgress,
      },
      {
        source,
        backupId,
        depth: options.quick ? 'quick' : 'full',
        concurrency: jobsOf(options),
        by: who(),
      },
    );
  } finally {
    progress.end();
  }
}

/** An entry of the catalogue that cannot be read is damage, and no reason to leave the others unseen. */
async function entriesSince(
  store: ReadableStore,
  source: string | undefined,
  since: Date | undefined,
  unreadable: string[],
): Promise<Place[]> {
  const entries: Place[] = [];
  const onDamaged = (key: string, error: Error) => {
    unreadable.push(key);
    printLine(`DAMAGED: the catalogue's ${key} cannot be read. ${error.message}`);
  };
  for await (const entry of listCatalogue(store.vault, { ...sourceQuery(source), onDamaged })) {
    if (since === undefined || new Date(entry.snapshotAt) >= since) entries.push(entry);
  }
  // Its time is not known without an entry: it is told whatever `since` says.
  for (const { source: of, backupId } of await unlistedBackups(store.vault, sourceQuery(source))) {
    unreadable.push(`backups/${of}/${backupId}/`);
    printLine(
      `DAMAGED: ${backupId} was published, and the catalogue does not list it any more. Somebody took its entry away; its objects may be whole (docs/restore.md opens them by hand).`,
    );
  }
  return entries;
}

const sourceQuery = (source: string | undefined) => (source === undefined ? {} : { source });
