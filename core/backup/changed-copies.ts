/**
 * Copies of the older backups that Publish has held or released in this run. Their tags and holds change long after their
 * own ReplicateUnits looked at them: a change that S3 loses would leave the copy of a held backup to its old tier, and it
 * would expire.
 *
 * Invariant: a copy that is missing is told, and is no fault of the backup of this run.
 */
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { Run } from '../contract/plan.ts';
import { inParallel } from '../in-parallel.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { entryKeyOf, keysOf } from './keep-objects.ts';
import { keepCopy } from './replica-copy.ts';

/** 10,000 objects × 6 calls of 30 ms, so many at once: two minutes. */
const objectsAtOnce = 16;

/** @throws what a vault throws; never ReplicaBehindError */
export async function keepChangedCopies(deps: Deps, run: Run): Promise<void> {
  for (const backupId of await changedIn(deps, run)) {
    const { manifest } = await loadManifest(deps, run.input.source, backupId, { isFresh: true });
    const keys = [entryKeyOf(manifest), ...keysOf(manifest)];
    const missing: string[] = [];
    await inParallel(keys, objectsAtOnce, async (key) => {
      try {
        await keepCopy(deps, key);
      } catch (error) {
        if (!isHoldfastError(error, 'ReplicaBehindError')) throw error;
        missing.push(key);
      }
    });
    if (missing.length === 0) continue;
    const message = `${missing.length} of ${keys.length} objects of the older backup ${backupId} are not at the replica; first: ${missing.sort()[0]}`;
    deps.progress({ state: 'RecordReplica', message });
  }
}

/** By the notes that `hold` and `release` leave of their work (keep-objects.ts). */
async function changedIn({ workspace }: Deps, { runId, backupId }: Run): Promise<string[]> {
  const found = new Set<string>();
  for await (const key of workspace.list(workspaceKeys.publishSteps(runId))) {
    const changed = /\/(?:hold|release)-([^/]+)\.json$/.exec(key)?.[1];
    // Its own objects were looked at one by one.
    if (changed !== undefined && changed !== backupId) found.add(changed);
  }
  return [...found];
}
