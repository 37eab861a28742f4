/** The questions of a `holdfast restore` without arguments, on a terminal, with the list of backups in view. */
import * as prompts from '@clack/prompts';
import type { CatalogueEntry } from '../core/contract/catalogue.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import type { RestoreMode } from '../core/contract/restore.ts';
import { listCatalogue } from '../core/evidence/catalogue.ts';
import { answered, askVault, output, required } from './ask.ts';
import { openVaultOf } from './open.ts';
import { formatBytes, formatTime, plural, printable } from './output/format.ts';
import type { RestoreOptions } from './restore-options.ts';
import { namesTarget } from './target.ts';

type Answers = Pick<RestoreOptions, 'mode'> & Partial<RestoreOptions>;

/** Longer lists are for `holdfast list` and an id. */
const shownAtMost = 30;

/** @throws UsageError when the person leaves with Ctrl-C or Escape; BackupNotFoundError for an empty vault */
export async function askRestore(given: RestoreOptions): Promise<Answers> {
  prompts.intro('Restore a backup', { output });
  const vault = await askVault();
  const chosen = await askWhich(vault);
  const target = namesTarget(given) && (await isNamedTargetWanted()) ? {} : await askTarget();
  const mode = answered(
    await prompts.select<RestoreMode>({
      message: 'How?',
      output,
      options: [
        { value: 'new', label: 'Into a new database', hint: 'touches no other' },
        { value: 'swap', label: 'In the place of a database', hint: 'the old one is kept aside' },
        { value: 'into', label: 'Some tables into a database that exists' },
      ],
    }),
  );
  const answers: Answers = {
    vault,
    backup: chosen.backupId,
    source: chosen.source,
    ...target,
    mode,
    ...(await askWhere(mode, chosen)),
  };
  prompts.outro('Looking whether it can work.', { output });
  return answers;
}

async function askWhich(folder: string): Promise<CatalogueEntry> {
  const { vault } = await openVaultOf({ vault: folder });
  const entries: CatalogueEntry[] = [];
  for await (const entry of listCatalogue(vault, { onDamaged: () => undefined })) {
    entries.push(entry);
    if (entries.length === shownAtMost) break;
  }
  if (entries.length === 0) {
    throw new HoldfastError('BackupNotFoundError', `There is no backup in ${folder} yet.`, {
      hint: 'Take one with `holdfast backup`, or name another vault.',
    });
  }
  return answered(
    await prompts.select<CatalogueEntry>({
      message: 'Which backup?',
      output,
      maxItems: 12,
      options: entries.map((entry) => ({
        value: entry,
        label: `${formatTime(entry.snapshotAt)}  ${printable(entry.database)}${entry.scope === 'partial' ? '  PARTIAL' : ''}`,
        hint: `${entry.backupId}, ${plural(entry.tables, 'table')}, ${plural(entry.rows, 'row')}, ${formatBytes(entry.rawBytes)}`,
      })),
    }),
  );
}

const isNamedTargetWanted = async (): Promise<boolean> =>
  answered(
    await prompts.confirm({
      message: 'Restore to the server that the environment names?',
      output,
    }),
  );

const askTarget = async () => ({
  target: answered(
    await prompts.text({
      message: 'To which server? (a password is better kept in PGPASSWORD or ~/.pgpass)',
      output,
      placeholder: 'postgresql://admin@localhost:5432',
      validate: required,
    }),
  ),
});

async function askWhere(
  mode: RestoreMode,
  { database }: CatalogueEntry,
): Promise<Partial<Answers>> {
  const text = async (message: string, initialValue: string) =>
    answered(await prompts.text({ message, output, initialValue, validate: required })).trim();
  if (mode === 'new')
    return { name: await text('What shall the new database be called?', `${database}_restored`) };
  const name = await text('Which database?', database);
  if (mode === 'swap') return { name };
  const tables = await text(
    'Which tables? (patterns as in pg_dump, separated by blanks)',
    'public.*',
  );
  const onConflict = answered(
    await prompts.select<'error' | 'skip' | 'replace'>({
      message: 'What of a row whose primary key is there already?',
      output,
      options: [
        { value: 'error', label: 'Stop', hint: 'nothing is changed' },
        { value: 'skip', label: 'Leave the row that is there' },
        { value: 'replace', label: 'Put the row of the backup in its place' },
      ],
    }),
  );
  return { name, table: tables.split(/\s+/), onConflict };
}
