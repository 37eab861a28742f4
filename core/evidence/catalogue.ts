/**
 * The catalogue: one small entry per published backup, under keys whose order is newest first.
 *
 * Invariant: a backup without an entry is not published and is never chosen. Entries are not signed: what they say serves
 * lists for people, and which backup is meant is decided by manifests (core/restore/choose-backup.ts).
 */
import { type CatalogueEntry, catalogueEntrySchema } from '../contract/catalogue.ts';
import { HoldfastError } from '../contract/errors.ts';
import { decodeJson } from '../vault/json.ts';
import { timeOfReverse, vaultKeys } from '../vault/keys.ts';
import type { Vault } from '../vault/vault.ts';

export interface CatalogueQuery {
  readonly source?: string;
  /** Told of an entry that cannot be read, which is then left out; without it that is an error. */
  readonly onDamaged?: (key: string, error: HoldfastError) => void;
}

/** What the key of an entry tells: nothing of it is signed, and the id is that of the manifest or leads nowhere. */
export interface ListedBackup {
  readonly key: string;
  readonly source: string;
  readonly backupId: string;
  /** The time that the key sorts by: that of the snapshot, in an honest catalogue. */
  readonly listedAt: Date;
}

/** Entries of one source or of all, newest snapshot first. Only keys are held; entries are read as they are asked for. */
export async function* listCatalogue(
  vault: Vault,
  query: CatalogueQuery = {},
): AsyncGenerator<CatalogueEntry> {
  for (const key of await keysOf(vault, query.source)) {
    const entry = await readEntry(vault, key, query.onDamaged);
    if (entry !== undefined) yield entry;
  }
}

/** The same by their keys: no entry is read. */
export async function listedBackups(vault: Vault, source?: string): Promise<ListedBackup[]> {
  return (await keysOf(vault, source)).flatMap((key) => {
    const [, of, time, backupId] = /^catalog\/([^/]+)\/(\d{14})-(.+)\.json$/.exec(key) ?? [];
    if (of === undefined || time === undefined || backupId === undefined) return [];
    return [{ key, source: of, backupId, listedAt: timeOfReverse(time) }];
  });
}

/** What the catalogue says of one backup; undefined when it says nothing that can be read. */
export async function entryOf(
  vault: Vault,
  { source, backupId }: Pick<ListedBackup, 'source' | 'backupId'>,
): Promise<CatalogueEntry | undefined> {
  const listed = await listedBackups(vault, source);
  const found = listed.find((one) => one.backupId === backupId);
  return found && readEntry(vault, found.key, () => undefined);
}

async function keysOf(vault: Vault, source: string | undefined): Promise<string[]> {
  const root = source === undefined ? vaultKeys.catalogueRoot : vaultKeys.catalogueOf(source);
  const keys: string[] = [];
  for await (const { key } of vault.list(root)) keys.push(key);
  const nameOf = (key: string) => key.slice(key.lastIndexOf('/') + 1);
  return keys.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
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
