/** Sessions of the target server: the same connection settings for every database of it. */
import type { Deps } from '../contract/deps.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { openSession, type Session, type SessionPurpose } from '../postgres/session.ts';

export const onDatabase = (settings: ConnectionSettings, database: string): ConnectionSettings => ({
  ...settings,
  database,
});

/**
 * A session in the database that is being restored.
 * @param what as for `applicationNameOf`: at most 20 bytes
 */
export async function openTarget(
  deps: Pick<Deps, 'connectionOf'>,
  run: Pick<RestoreRun, 'runId' | 'input' | 'workDatabase'>,
  what: string,
  purpose: SessionPurpose = 'writer',
): Promise<Session> {
  const settings = await deps.connectionOf(run.input.target);
  const applicationName = applicationNameOf(run.runId, what);
  return openSession(onDatabase(settings, run.workDatabase), { applicationName, purpose });
}

/** A session in the database that the connection itself names: where databases are created, renamed and dropped. */
export async function openMaintenance(
  deps: Pick<Deps, 'connectionOf'>,
  run: Pick<RestoreRun, 'runId' | 'input'>,
  what: string,
): Promise<Session> {
  const settings = await deps.connectionOf(run.input.target);
  return openSession(settings, {
    applicationName: applicationNameOf(run.runId, what),
    purpose: 'writer',
  });
}
