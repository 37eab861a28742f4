/** A backup of a database, and restores of it whose PlanRestore has been there. */
import { randomBytes } from 'node:crypto';
import type { Deps } from '../../core/contract/deps.ts';
import { type RestoreRun, restoreInputSchema } from '../../core/contract/restore.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { targetLeaseOf } from '../../core/restore/target-lease.ts';
import { takeNamedLease } from '../../core/run/named-lease.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { type Harness, requestedBy } from '../backup/harness.ts';

/** The newest backup of the harness's database; makes one when there is none. */
export async function newestBackup(harness: Harness): Promise<string> {
  const before = await harness.catalogue();
  if (before.length === 0) await harness.runHere();
  const [entry] = before.length === 0 ? await harness.catalogue() : before;
  if (entry === undefined) throw new Error('The backup is not in the catalogue.');
  return entry.backupId;
}

export interface PlannedRestore {
  readonly run: RestoreRun;
  /** `connectionOf` gives the target server's maintenance database. */
  readonly deps: Deps;
}

/** `run.json` and the lease, as PlanRestore leaves them. */
export async function planRestoreHere(
  harness: Harness,
  input: Record<string, unknown> = {},
  more: Partial<RestoreRun> = {},
): Promise<PlannedRestore> {
  const { settings } = harness.database;
  const deps: Deps = {
    ...harness.deps,
    connectionOf: async (): Promise<ConnectionSettings> => ({ ...settings, database: 'postgres' }),
  };
  const backupId = await newestBackup(harness);
  const { manifest, sha256 } = await loadManifest(deps, 'shop', backupId);
  const random = randomBytes(4).toString('hex');
  const workDatabase = `${manifest.inventory.database.name}_restore_${random}`;
  const planned: RestoreRun = {
    runId: `restore-${random}`,
    input: restoreInputSchema.parse({
      ...{ target: 'target', requestedBy, database: workDatabase },
      ...input,
    }),
    startedAt: new Date().toISOString(),
    backup: {
      source: 'shop',
      backupId,
      manifestSha256: sha256,
      database: manifest.inventory.database.name,
      snapshotAt: manifest.snapshot.instant,
      serverVersionNum: manifest.source.serverVersionNum,
    },
    server: { host: settings.host, port: settings.port, version: '18', versionNum: 180_000 },
    workDatabase,
    finalDatabase: workDatabase,
    previousDatabase: null,
    preflight: [],
    estimate: { seconds: 1, rawBytes: 1, readBytes: 1 },
    units: 0,
    fence: 1,
    ...more,
  };
  const { fence } = await takeNamedLease(deps, targetLeaseOf(planned), {
    runId: planned.runId,
    leaseSeconds: 300,
    heldBy: requestedBy,
  });
  const run = { ...planned, fence };
  await putJson(deps.workspace, workspaceKeys.restore(run.runId), run);
  return { run, deps };
}
