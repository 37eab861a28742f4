/** The state NoteSafetyBackup: which backup of the replaced database there is, for the report and for a restore that goes on. */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { backupInputSchema } from '../contract/plan.ts';
import type { Workspace } from '../vault/vault.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { duringRestore } from './during-restore.ts';
import { recordRestoreSpan } from './phases.ts';
import { readFact, writeFact } from './restore-run.ts';

const safetySchema = z.strictObject({ source: z.string(), backupId: z.string() });
export type SafetyBackup = z.infer<typeof safetySchema>;

/** `undefined` when none was taken. */
export const readSafetyBackup = (
  workspace: Workspace,
  runId: string,
): Promise<SafetyBackup | undefined> => readFact(workspace, runId, 'safety', safetySchema);

/** @throws BackupNotFoundError, SignatureInvalidError when the backup is not what the execution said */
export async function noteSafetyBackup(
  deps: Deps,
  { runId, backupId }: InputOf<'NoteSafetyBackup'>,
): Promise<OutputOf<'NoteSafetyBackup'>> {
  return duringRestore(deps, runId, 'safetyBackup', async () => {
    const request = await readFact(deps.workspace, runId, 'safety-request', backupInputSchema);
    if (request === undefined) {
      throw new HoldfastError('InternalError', `Restore ${runId} asked for no safety backup.`);
    }
    const { source } = request;
    const { manifest } = await loadManifest(deps, source, backupId);
    const noted = await writeFact(deps.workspace, runId, 'safety', safetySchema, {
      source,
      backupId,
    });
    // The other execution took the time of this part.
    const from = new Date(manifest.startedAt);
    await recordRestoreSpan(deps, runId, 'safetyBackup', { from, to: deps.now() });
    return { backupId: noted.backupId };
  });
}
