/** A backup that is in the vault without being in the catalogue: never finished, or never found intact. */
import { HoldfastError, isHoldfastError } from '../../contract/errors.ts';
import type { Choice } from '../../contract/restore.ts';
import { vaultKeys } from '../../vault/keys.ts';
import type { OpenDeps } from '../../verify/open-backup.ts';

/** @returns what to say of it; undefined when there is nothing of that name */
export async function unpublished(
  deps: OpenDeps,
  { backup, source }: Choice,
  near: string,
): Promise<HoldfastError | undefined> {
  const of = source ?? /^([a-z0-9][a-z0-9-]*)-\d{8}T/.exec(backup)?.[1];
  if (of === undefined) return undefined;
  for await (const { key } of deps.vault.list(vaultKeys.backup(of, backup).slice(0, -1))) {
    const backupId = key.split('/')[2] ?? '';
    const isSealed = await deps.vault.head(vaultKeys.manifest(of, backupId)).then(
      () => true,
      (error: unknown) => {
        if (isHoldfastError(error, 'ObjectNotFoundError')) return false;
        throw error;
      },
    );
    const why = isSealed
      ? 'was sealed and never published: its run ended before all of it was read back and found intact'
      : 'is unsealed: its run is still going on, or ended before it was whole';
    return new HoldfastError('BackupNotFoundError', `Backup ${backupId} ${why}.`, {
      hint: `It cannot be restored. ${near}`,
      evidence: { backupId, isSealed },
    });
  }
  return undefined;
}
