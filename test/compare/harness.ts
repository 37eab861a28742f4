/** A restored database with the record of its restore, as the compare states find it. */
import { planComparisons } from '../../core/compare/plan-comparisons.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import type { RestoreRun } from '../../core/contract/restore.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import type { Harness } from '../backup/harness.ts';
import { planRun } from '../restore/planned-run.ts';
import { unique } from '../restore/shared-server.ts';
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
  const manifest = await source.manifest(backupId);
  const deps: Deps = { ...source.deps, connectionOf: async () => target.settings };
  const run = await planRun(deps, manifest, {
    // A name of its own: the lease is on the name that was asked for.
    input: { database: unique('compared'), ...input },
    workDatabase: target.name,
  });
  const units = planComparisons(manifest, run);
  for (const unit of units) {
    const key = workspaceKeys.restorePart(run.runId, 'comparisons', unit.unit);
    await putJson(deps.workspace, key, unit);
  }
  return { deps, run, manifest, units: units.length };
}
