/** `holdfast list`: the published backups, newest first; with --failed the runs that left none. */
import { Command } from 'commander';
import {
  type CatalogueEntry,
  evidenceKindSchema,
  type Outcome,
  outcomeSchema,
} from '../../core/contract/catalogue.ts';
import { listCatalogue } from '../../core/evidence/catalogue.ts';
import { getJson } from '../../core/vault/json.ts';
import { vaultKeys, workspaceKeys } from '../../core/vault/keys.ts';
import type { Vault, Workspace } from '../../core/vault/vault.ts';
import { exitCodes } from '../exit-codes.ts';
import { addJson, addVaultOrBucket, addWorkspace, type VaultOptions } from '../options.ts';
import { formatBytes, formatCount, formatTime } from '../output/format.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import { renderTable } from '../output/table.ts';
import type { SetExitCode } from '../program.ts';
import { readVault, readWorkspace } from '../read-vault.ts';

interface ListOptions extends VaultOptions {
  readonly source?: string;
  readonly failed?: boolean;
}

export function listCommand(setExitCode: SetExitCode): Command {
  const command = new Command('list')
    .description('List the backups of a vault, newest first.')
    .option('--source <name>', 'only backups of this source')
    .option('--failed', 'the runs that failed and left no backup, and why')
    .addHelpText(
      'after',
      `
Examples:
  holdfast list --vault /backups/shop
  holdfast list --vault /backups/shop --source shop --json
  holdfast list --vault /backups/shop --failed
  holdfast list --vault s3://BUCKET`,
    )
    .action(async (options: ListOptions) => {
      if (options.failed) await listFailed(await readWorkspace(options), options);
      else await listBackups((await readVault(options)).vault, options, setExitCode);
    });
  return addJson(addWorkspace(addVaultOrBucket(command)));
}

async function listBackups(
  vault: Vault,
  options: ListOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const entries: CatalogueEntry[] = [];
  const query = {
    ...(options.source === undefined ? {} : { source: options.source }),
    onDamaged: (key: string, error: Error) => {
      printLine(`Left out: the entry ${key} cannot be read. ${error.message}`);
      setExitCode(exitCodes.failed);
    },
  };
  for await (const entry of listCatalogue(vault, query)) entries.push(entry);
  const rows = await Promise.all(
    entries.map(async (entry) => ({ entry, seen: await lookedAt(vault, entry) })),
  );
  if (options.json) return printJson(rows.map(({ entry, seen }) => ({ ...entry, ...seen })));
  if (entries.length === 0) return print('There is no backup in this vault yet.');
  print(
    renderTable(
      [
        { title: 'BACKUP', of: ({ entry }) => entry.backupId },
        { title: 'DATABASE', of: ({ entry }) => entry.database },
        { title: 'SNAPSHOT OF', of: ({ entry }) => formatTime(entry.snapshotAt) },
        { title: 'TIER', of: ({ entry }) => entry.tier },
        { title: 'SCOPE', of: ({ entry }) => entry.scope },
        { title: 'TABLES', align: 'right', of: ({ entry }) => formatCount(entry.tables) },
        { title: 'ROWS', align: 'right', of: ({ entry }) => formatCount(entry.rows) },
        { title: 'SIZE', align: 'right', of: ({ entry }) => formatBytes(entry.rawBytes) },
        { title: 'STORED', align: 'right', of: ({ entry }) => formatBytes(entry.storedBytes) },
        { title: 'WARNINGS', align: 'right', of: ({ entry }) => String(entry.warnings || '-') },
        { title: 'LAST LOOK', of: ({ seen: { lastLook } }) => inWords(lastLook) },
        {
          title: 'PROVEN',
          of: ({ seen: { provenAt } }) => (provenAt ? formatTime(provenAt) : '-'),
        },
      ],
      rows,
    ),
  );
}

interface LookedAt {
  /** The last verdict of all. */
  readonly lastLook: 'verified' | 'proven' | 'damaged' | null;
  /** When a drill last restored it and found it identical. */
  readonly provenAt: string | null;
}

/** By the names of the records; `holdfast show` reads them and checks their signatures. */
async function lookedAt(vault: Vault, entry: CatalogueEntry): Promise<LookedAt> {
  let seen: LookedAt = { lastLook: null, provenAt: null };
  for await (const { key } of vault.list(vaultKeys.evidenceOf(entry.source, entry.backupId))) {
    const [, time = '', name] = /([^/]*?)-[^/]*-([a-z]+)\.json$/.exec(key) ?? [];
    const kind = evidenceKindSchema.safeParse(name).data;
    if (kind !== 'verified' && kind !== 'proven' && kind !== 'damaged') continue;
    seen = { lastLook: kind, provenAt: kind === 'proven' ? fromCompact(time) : seen.provenAt };
  }
  return seen;
}

/** `20261121T042100123Z`, in older records without milliseconds, as an ISO time. */
const fromCompact = (time: string): string =>
  time.replace(
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})?Z$/,
    (_, year, month, day, hour, minute, second, milli = '000') =>
      `${year}-${month}-${day}T${hour}:${minute}:${second}.${milli}Z`,
  );

const inWords = (look: LookedAt['lastLook']): string =>
  look === 'damaged' ? 'DAMAGED' : (look ?? '-');

async function listFailed(workspace: Workspace, options: ListOptions): Promise<void> {
  const failed: Outcome[] = [];
  for await (const key of workspace.list(workspaceKeys.runs)) {
    if (!key.endsWith('/outcome.json')) continue;
    const outcome = await getJson(workspace, outcomeSchema, key);
    if (outcome?.state !== 'failed') continue;
    if (options.source === undefined || outcome.source === options.source) failed.push(outcome);
  }
  failed.sort((a, b) => (a.finishedAt < b.finishedAt ? 1 : -1));
  if (options.json) return printJson(failed);
  if (failed.length === 0) return print('No failed run is on record.');
  print(
    renderTable(
      [
        { title: 'ENDED', of: ({ finishedAt }) => formatTime(finishedAt) },
        { title: 'SOURCE', of: ({ source }) => source ?? '-' },
        { title: 'RUN', of: ({ runId }) => runId },
        { title: 'ERROR', of: ({ error }) => error ?? '-' },
        { title: 'MESSAGE', of: ({ message }) => message ?? '-' },
      ],
      failed,
    ),
  );
}
