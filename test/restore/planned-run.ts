/** A restore as PlanRestore leaves it, `run.json` and the lease on the target, and the backup for it. */
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { type RestoreRun, restoreInputSchema } from '../../core/contract/restore.ts';
import { targetLeaseOf } from '../../core/restore/target-lease.ts';
import { takeNamedLease } from '../../core/run/named-lease.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { type Harness, requestedBy } from '../backup/harness.ts';
import { unique } from './shared-server.ts';

/** The newest backup of the harness's database; makes one when there is none. */
export async function newestBackup(harness: Harness): Promise<string> {
  const before = await harness.catalogue();
  if (before.length === 0) await harness.runHere();
  const [entry] = before.length === 0 ? await harness.catalogue() : before;
  if (entry === undefined) throw new Error('The backup is not in the catalogue.');
  return entry.backupId;
}

/** The rest has values that a restore of one unit, of mode `new`, could have. */
export interface RunRequest extends Partial<Omit<RestoreRun, 'input' | 'fence'>> {
  readonly input?: Record<string, unknown>;
  readonly workDatabase: string;
}

/** @param deps `connectionOf` gives the target; its vault has the backup of the manifest */
export async function planRun(
  deps: Deps,
  manifest: Manifest,
  { input, ...request }: RunRequest,
): Promise<RestoreRun> {
  const { source, backupId } = { source: manifest.source.name, backupId: manifest.backupId };
  const { sha256 } = await loadManifest(deps, source, backupId);
  const { finalDatabase = request.workDatabase } = request;
  const target = 'target';
  const { host, port } = await deps.connectionOf(target);
  const planned: RestoreRun = {
    runId: unique('restore-test'),
    input: restoreInputSchema.parse({ target, requestedBy, database: finalDatabase, ...input }),
    startedAt: new Date().toISOString(),
    backup: {
      source,
      backupId,
      manifestSha256: sha256,
      database: manifest.inventory.database.name,
      snapshotAt: manifest.snapshot.instant,
      serverVersionNum: manifest.source.serverVersionNum,
    },
    server: { host, port, version: '18', versionNum: 180_000 },
    finalDatabase,
    previousDatabase: null,
    preflight: [],
    estimate: { seconds: 1, rawBytes: 1, readBytes: 1 },
    units: 1,
    fence: 1,
    ...request,
  };
  const { fence } = await takeNamedLease(deps, targetLeaseOf(planned), {
    runId: planned.runId,
    leaseSeconds: 300,
    heldBy: requestedBy,
  });
  const run = { ...planned, fence };
  await putJson(deps.workspace, workspaceKeys.restore(run.runId), run);
  return run;
}
