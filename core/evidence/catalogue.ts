/**
 * The catalogue: one small entry per published backup, under keys whose order is newest first.
 *
 * Invariant: a backup without an entry is not published and is never `latest`; a partial one never stands for a full one.
 */
import { type CatalogueEntry, catalogueEntrySchema } from '../contract/catalogue.ts';
import { HoldfastError } from '../contract/errors.ts';
import { decodeJson } from '../vault/json.ts';
import { vaultKeys } from '../vault/keys.ts';
import type { Vault } from '../vault/vault.ts';

export interface CatalogueQuery {
  readonly source?: string;
  /** Told of an entry that cannot be read, which is then left out; without it that is an error. */
  readonly onDamaged?: (key: string, error: HoldfastError) => void;
}

export interface BackupQuery extends CatalogueQuery {
  /** `latest` may be a partial backup. */
  readonly includePartial?: boolean;
}

/** Entries of one source or of all, newest snapshot first. Only keys are held; entries are read as they are asked for. */
export async function* listCatalogue(
  vault: Vault,
  query: CatalogueQuery = {},
): AsyncGenerator<CatalogueEntry> {
  const root =
    query.source === undefined ? vaultKeys.catalogueRoot : vaultKeys.catalogueOf(query.source);
  const keys: string[] = [];
  for await (const { key } of vault.list(root)) keys.push(key);
  const nameOf = (key: string) => key.slice(key.lastIndexOf('/') + 1);
  keys.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const key of keys) {
    const entry = await readEntry(vault, key, query.onDamaged);
    if (entry !== undefined) yield entry;
  }
}

/** Is this backup listed? Its keys are read only. */
export async function hasCatalogueEntry(
  vault: Vault,
  source: string,
  backupId: string,
): Promise<boolean> {
  for await (const { key } of vault.list(vaultKeys.catalogueOf(source))) {
    if (key.endsWith(`-${backupId}.json`)) return true;
  }
  return false;
}

/**
 * Backups of which there is a record "published" and no entry: the entry was taken away. Keys are read only; whoever
 * acts on it reads the signed record.
 */
export async function unlistedBackups(
  vault: Vault,
  query: Pick<CatalogueQuery, 'source'> = {},
): Promise<{ readonly source: string; readonly backupId: string }[]> {
  const root = query.source === undefined ? 'evidence/' : `evidence/${query.source}/`;
  const published = new Map<string, { source: string; backupId: string }>();
  for await (const { key } of vault.list(root)) {
    const [, source, backupId, name] = key.split('/');
    if (source !== undefined && backupId !== undefined && name?.endsWith('-published.json')) {
      published.set(backupId, { source, backupId });
    }
  }
  const catalogue =
    query.source === undefined ? vaultKeys.catalogueRoot : vaultKeys.catalogueOf(query.source);
  const entries = new Set<string>();
  for await (const { key } of vault.list(catalogue)) {
    entries.add(key.slice(key.lastIndexOf('/') + 1).replace(/^\d+-|\.json$/g, ''));
  }
  return [...published.values()].filter(({ backupId }) => !entries.has(backupId));
}

async function readEntry(
  vault: Vault,
  key: string,
  onDamaged: CatalogueQuery['onDamaged'],
): Promise<CatalogueEntry | undefined> {
  const body = await vault.get(key);
  try {
    return decodeJson(catalogueEntrySchema, body, key);
  } catch (error) {
    if (!(error instanceof HoldfastError) || onDamaged === undefined) throw error;
    onDamaged(key, error);
    return undefined;
  }
}

/**
 * The backup that a person means.
 * @param wanted `latest` (the newest full one that is no safety backup), a backup id, or the beginning of one
 * @throws BackupNotFoundError with ids that are near; UsageError when more than one is meant
 */
export async function findBackup(
  vault: Vault,
  wanted: string,
  query: BackupQuery = {},
): Promise<CatalogueEntry> {
  if (wanted === 'latest') return findLatest(vault, query);
  const matches: CatalogueEntry[] = [];
  const others: string[] = [];
  for await (const entry of listCatalogue(vault, query)) {
    if (entry.backupId === wanted) return entry;
    if (wanted !== '' && entry.backupId.startsWith(wanted)) matches.push(entry);
    else others.push(entry.backupId);
  }
  const only = matches[0];
  if (only !== undefined && matches.length === 1) return only;
  if (matches.length > 1) {
    throw new HoldfastError(
      'UsageError',
      `${JSON.stringify(wanted)} begins the ids of ${matches.length} backups: ${shortList(matches.map((m) => m.backupId))}.`,
      { hint: 'Give more of the id.' },
    );
  }
  throw notFound(`no backup ${JSON.stringify(wanted)}`, vault, near(wanted, others));
}

async function findLatest(vault: Vault, query: BackupQuery): Promise<CatalogueEntry> {
  let latest: CatalogueEntry | undefined;
  const sources = new Set<string>();
  const others: string[] = [];
  for await (const entry of listCatalogue(vault, query)) {
    sources.add(entry.source);
    // A safety backup holds the state that somebody wanted to get away from.
    const isAside = entry.tier === 'safety';
    if (isAside || (entry.scope === 'partial' && query.includePartial !== true)) {
      others.push(entry.backupId);
    } else latest ??= entry;
    if (latest !== undefined && query.source !== undefined) return latest;
  }
  if (sources.size > 1) {
    throw new HoldfastError(
      'UsageError',
      `"latest" of which source? This vault has ${shortList([...sources])}.`,
      { hint: 'Name the source, or the id of the backup.' },
    );
  }
  if (latest !== undefined) return latest;
  const of = query.source === undefined ? '' : ` of ${query.source}`;
  throw notFound(`no full backup${of}`, vault, others);
}

function notFound(what: string, vault: Vault, nearIds: readonly string[]): HoldfastError {
  const hint = nearIds.length === 0 ? 'The list is empty: take a backup first.' : undefined;
  return new HoldfastError('BackupNotFoundError', `There is ${what} in ${vault.location}.`, {
    hint: hint ?? `There is: ${shortList(nearIds)}. See \`holdfast list\`.`,
    evidence: { near: nearIds.slice(0, 3) },
  });
}

/** Ids that have a part of what was asked for, best first; else the newest. */
function near(wanted: string, ids: readonly string[]): string[] {
  const common = (id: string) => {
    let length = 0;
    while (length < wanted.length && id[length] === wanted[length]) length += 1;
    return id.includes(wanted) && wanted !== '' ? wanted.length + 1 : length;
  };
  return [...ids].sort((a, b) => common(b) - common(a)).slice(0, 3);
}

const shortList = (names: readonly string[]): string =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
