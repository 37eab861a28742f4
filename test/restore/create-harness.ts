/** A backup of a database, and restores of it whose PlanRestore has been there. */
import type { Deps } from '../../core/contract/deps.ts';
import type { RestoreRun } from '../../core/contract/restore.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import type { Harness } from '../backup/harness.ts';
import { newestBackup, planRun } from './planned-run.ts';
import { unique } from './shared-server.ts';

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
  const manifest = await harness.manifest(await newestBackup(harness));
  const workDatabase = unique(`${manifest.inventory.database.name}_restore`);
  const names = { workDatabase, finalDatabase: workDatabase };
  const run = await planRun(deps, manifest, { input, ...names, ...more });
  return { run, deps };
}
