/**
 * The environment of the user's own commands (checks, hooks): how to reach a restored database, as libpq and most
 * programs read it. Invariant: it goes into the child's environment only; no word of it into a message or a record.
 */
import type { Deps } from '../contract/deps.ts';
import type { RestoreRun } from '../contract/restore.ts';

/** `DATABASE_URL`, `PGHOST`, …, and what the command may want to know of the restore. */
export async function restoredEnvironment(
  deps: Pick<Deps, 'connectionOf'>,
  run: Pick<RestoreRun, 'runId' | 'input' | 'backup'>,
  database: string,
): Promise<Record<string, string>> {
  const { host, port, user, password, sslMode } = await deps.connectionOf(run.input.target);
  const secret = await password();
  const credentials = [user, ...(secret === undefined ? [] : [secret])]
    .map(encodeURIComponent)
    .join(':');
  const isSocket = host.startsWith('/');
  const address = isSocket ? '' : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const query = new URLSearchParams({
    ...(isSocket ? { host, port: String(port) } : {}),
    sslmode: sslMode,
  });
  return {
    DATABASE_URL: `postgresql://${credentials}@${address}/${encodeURIComponent(database)}?${query}`,
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGSSLMODE: sslMode,
    ...(secret === undefined ? {} : { PGPASSWORD: secret }),
    HOLDFAST_RUN_ID: run.runId,
    HOLDFAST_BACKUP_ID: run.backup.backupId,
  };
}
