/**
 * Takes one backup out of a vault, before its time.
 *
 * Invariants: nothing is deleted unless everything may be (an object under a lock keeps all); the catalogue entry goes
 * first, so that a deletion that stops midway leaves nothing listed; evidence stays, as a record that there was a backup.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { inParallel } from '../in-parallel.ts';
import { vaultKeys } from '../vault/keys.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { listCatalogue } from './catalogue.ts';

type DeleteDeps = Pick<Deps, 'vault' | 'vaultId' | 'keyRing' | 'now'>;

export interface DeletedBackup {
  readonly backupId: string;
  readonly objects: number;
  readonly storedBytes: number;
}

const callsAtOnce = 16;

/**
 * @param options.mayBeLast the last full backup of a source goes only when this is said
 * @throws BackupNotFoundError; ObjectLockedError naming the object and until when; UsageError for the last full one
 */
export async function deleteBackup(
  deps: DeleteDeps,
  { source, backupId }: { readonly source: string; readonly backupId: string },
  options: { readonly mayBeLast?: boolean } = {},
): Promise<DeletedBackup> {
  const { manifest } = await loadManifest(deps, source, backupId, { isFresh: true });
  if (options.mayBeLast !== true) await requireAnotherFullOne(deps, source, backupId);
  const keys: string[] = [];
  let storedBytes = 0;
  for await (const object of deps.vault.list(vaultKeys.backup(source, backupId))) {
    keys.push(object.key);
    storedBytes += object.storedBytes;
  }
  await inParallel(keys, callsAtOnce, (key) => requireUnlocked(deps, key));
  await deps.vault.delete(
    vaultKeys.catalogue(source, new Date(manifest.snapshot.instant), backupId),
  );
  const last = [vaultKeys.signature(source, backupId), vaultKeys.manifest(source, backupId)];
  const data = keys.filter((key) => !last.includes(key));
  await inParallel(data, callsAtOnce, (key) => deps.vault.delete(key));
  for (const key of last) await deps.vault.delete(key);
  return { backupId, objects: keys.length, storedBytes };
}

async function requireAnotherFullOne(
  deps: DeleteDeps,
  source: string,
  backupId: string,
): Promise<void> {
  for await (const entry of listCatalogue(deps.vault, { source, onDamaged: () => undefined })) {
    if (entry.backupId !== backupId && entry.scope === 'full') return;
  }
  throw new HoldfastError('UsageError', `${backupId} is the last full backup of ${source}.`, {
    hint: 'Take another one first, or say that it may be the last.',
  });
}

async function requireUnlocked(deps: DeleteDeps, key: string): Promise<void> {
  try {
    const { retainUntil, hasLegalHold } = await deps.vault.head(key);
    const isRetained = retainUntil !== undefined && retainUntil > deps.now();
    if (!isRetained && !hasLegalHold) return;
    const until = isRetained ? `until ${retainUntil.toISOString()}` : 'by a legal hold';
    throw new HoldfastError('ObjectLockedError', `${key} is locked ${until}; nothing was deleted.`);
  } catch (error) {
    if (!isHoldfastError(error, 'ObjectNotFoundError')) throw error;
  }
}
