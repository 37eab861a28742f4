/** The state NoteSafetyBackup: which backup of the replaced database there is, for the report and for a restore that goes on. */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { Workspace } from '../vault/vault.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { duringRestore } from './during-restore.ts';
import { recordRestoreSpan } from './phases.ts';
import { writeFact } from './restore-run.ts';
import { readSafety, type SafetyBackup, safetySchema, takingFact } from './safety-request.ts';

/** The newest; `undefined` when none was taken. */
export async function readSafetyBackup(
  workspace: Workspace,
  runId: string,
): Promise<SafetyBackup | undefined> {
  const safety = await readSafety(workspace, runId);
  return safety?.noted ?? safety?.earlier.at(-1);
}

/** @throws BackupNotFoundError, SignatureInvalidError when the backup is not what the execution said */
export async function noteSafetyBackup(
  deps: Deps,
  { runId, backupId }: InputOf<'NoteSafetyBackup'>,
): Promise<OutputOf<'NoteSafetyBackup'>> {
  return duringRestore(deps, runId, 'safetyBackup', async () => {
    const safety = await readSafety(deps.workspace, runId);
    if (safety === undefined) {
      throw new HoldfastError('InternalError', `Restore ${runId} asked for no safety backup.`);
    }
    const { source } = safety.request;
    const { manifest } = await loadManifest(deps, source, backupId);
    const fact = takingFact('safety', safety.taking);
    const noted = await writeFact(deps.workspace, runId, fact, safetySchema, { source, backupId });
    // The other execution took the time of this part.
    const from = new Date(manifest.startedAt);
    await recordRestoreSpan(deps, runId, 'safetyBackup', { from, to: deps.now() });
    return { backupId: noted.backupId };
  });
}
