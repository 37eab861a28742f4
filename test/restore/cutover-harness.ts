/** A backup of a small shop, and restores of it that stand right before their cutover. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { type RestoreRun, restoreInputSchema } from '../../core/contract/restore.ts';
import { openSession } from '../../core/postgres/session.ts';
import { createBookkeeping } from '../../core/restore/progress.ts';
import { targetLeaseOf } from '../../core/restore/target-lease.ts';
import { takeNamedLease } from '../../core/run/named-lease.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { requestedBy } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';

export const unique = (name: string): string => `${name}_${randomBytes(4).toString('hex')}`;

/** Rows of one statement, as superuser, in any database of the shared server. */
export async function onServer<T extends pg.QueryResultRow>(
  database: string,
  sql: string,
  values?: unknown[],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: urlOf(database) });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

export function urlOf(database: string): string {
  const { port, password } = inject('postgres');
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** The deps of a backup's harness, with the server's maintenance database as the target. */
export const targetDeps = (deps: Deps, more: Partial<Deps> = {}): Deps => ({
  ...deps,
  connectionOf: async () => sharedSettings('postgres'),
  ...more,
});

export interface RunRequest {
  readonly input?: Record<string, unknown>;
  readonly workDatabase: string;
  readonly finalDatabase: string;
  readonly previousDatabase?: string | null;
}

/** `run.json` and the lease, as PlanRestore leaves them. */
export async function planRun(
  deps: Deps,
  manifest: Manifest,
  request: RunRequest,
): Promise<RestoreRun> {
  const { source, backupId } = { source: manifest.source.name, backupId: manifest.backupId };
  const { sha256 } = await loadManifest(deps, source, backupId);
  const runId = unique('restore-test');
  const database = request.finalDatabase;
  const input = restoreInputSchema.parse({
    ...{ target: 'target', requestedBy, database },
    ...request.input,
  });
  const server = { host: '127.0.0.1', port: inject('postgres').port, version: '18', versionNum: 1 };
  const planned: RestoreRun = {
    runId,
    input,
    startedAt: new Date().toISOString(),
    backup: {
      source,
      backupId,
      manifestSha256: sha256,
      database: manifest.inventory.database.name,
      snapshotAt: manifest.snapshot.instant,
      serverVersionNum: manifest.source.serverVersionNum,
    },
    server,
    workDatabase: request.workDatabase,
    finalDatabase: request.finalDatabase,
    previousDatabase: request.previousDatabase ?? null,
    preflight: [],
    estimate: { seconds: 1, rawBytes: 1, readBytes: 1 },
    units: 1,
    fence: 1,
  };
  const { fence } = await takeNamedLease(deps, targetLeaseOf(planned), {
    runId,
    leaseSeconds: 300,
    heldBy: requestedBy,
  });
  const run = { ...planned, fence };
  await putJson(deps.workspace, workspaceKeys.restore(runId), run);
  return run;
}

/** A database under the working name, with the bookkeeping of the run in it and a table `restored`. */
export async function makeWorkDatabase(run: RestoreRun): Promise<void> {
  await onServer(
    'postgres',
    `CREATE DATABASE ${pg.escapeIdentifier(run.workDatabase)} TEMPLATE template0`,
  );
  await onServer(run.workDatabase, "CREATE TABLE restored AS SELECT 'from the backup' AS what");
  await using session = await openSession(sharedSettings(run.workDatabase), {
    applicationName: 'test',
    purpose: 'writer',
  });
  await createBookkeeping(session, run);
}

export async function databases(names: readonly (string | null)[]): Promise<string[]> {
  const rows = await onServer<{ name: string }>(
    'postgres',
    'SELECT datname AS name FROM pg_database WHERE datname = ANY ($1) ORDER BY 1',
    [names],
  );
  return rows.map(({ name }) => name);
}

export async function dropDatabases(names: readonly (string | null)[]): Promise<void> {
  for (const name of await databases(names)) {
    await onServer('postgres', `DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  }
}
