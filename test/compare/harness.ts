/** A restored database with the record of its restore, as the compare states find it. */
import { randomBytes } from 'node:crypto';
import { planComparisons } from '../../core/compare/plan-comparisons.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { type RestoreRun, restoreInputSchema } from '../../core/contract/restore.ts';
import { targetLeaseOf } from '../../core/restore/target-lease.ts';
import { takeNamedLease } from '../../core/run/named-lease.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { type Harness, requestedBy } from '../backup/harness.ts';
import type { TestDatabase } from '../support/postgres.ts';

export interface ComparedRun {
  readonly deps: Deps;
  readonly run: RestoreRun;
  readonly manifest: Manifest;
  readonly units: number;
}

/** @param target a database that was restored from the backup already */
export async function restoredRun(
  source: Harness,
  backupId: string,
  target: TestDatabase,
  input: Record<string, unknown> = {},
): Promise<ComparedRun> {
  const { manifest, sha256 } = await loadManifest(source.deps, 'shop', backupId);
  const deps: Deps = { ...source.deps, connectionOf: async () => target.settings };
  const runId = `compare-test-${randomBytes(4).toString('hex')}`;
  const { host, port } = target.settings;
  const planned: RestoreRun = {
    runId,
    input: restoreInputSchema.parse({
      // A name of its own: the lease is on the name that was asked for.
      ...{ target: 'target', database: runId, requestedBy },
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
    server: { host, port, version: '18', versionNum: 180_000 },
    workDatabase: target.name,
    finalDatabase: target.name,
    previousDatabase: null,
    preflight: [],
    estimate: { seconds: 1, rawBytes: 1, readBytes: 1 },
    units: 1,
    fence: 1,
  };
  const holder = { runId, leaseSeconds: 300, heldBy: requestedBy };
  const { fence } = await takeNamedLease(deps, targetLeaseOf(planned), holder);
  const run = { ...planned, fence };
  await putJson(deps.workspace, workspaceKeys.restore(runId), run);
  const units = planComparisons(manifest, run);
  for (const unit of units) {
    const key = workspaceKeys.restorePart(runId, 'comparisons', unit.unit);
    await putJson(deps.workspace, key, unit);
  }
  return { deps, run, manifest, units: units.length };
}
