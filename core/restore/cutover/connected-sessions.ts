/** Who is connected to a database that is to be renamed, and ending them. Never their queries: those hold values. */
import { HoldfastError } from '../../contract/errors.ts';
import { applicationNamePrefixOf } from '../../postgres/application-name.ts';
import type { Session } from '../../postgres/session.ts';

export interface ConnectedSession {
  readonly pid: number;
  readonly user: string;
  readonly applicationName: string;
}

/** Terminating takes milliseconds; a session that is deep in I/O a little longer. */
const endTimeoutMs = 5_000;
/** In a message; evidence has all of them. */
const namedAtMost = 10;

/** Sessions of clients and replication, by pid; not the server's own workers, which a rename sends away by itself. */
export function connectedTo(session: Session, databaseOid: number): Promise<ConnectedSession[]> {
  return session.query<ConnectedSession>(
    `SELECT pid, coalesce(usename, '?') AS "user", application_name AS "applicationName"
       FROM pg_catalog.pg_stat_activity
      WHERE datid = $1 AND backend_type IN ('client backend', 'walsender') AND pid <> pg_catalog.pg_backend_pid()
      ORDER BY pid`,
    [databaseOid],
  );
}

/** @param runId when given: only sessions of this run */
export async function endConnected(
  session: Session,
  databaseOid: number,
  runId?: string,
): Promise<void> {
  const prefix = runId === undefined ? '' : applicationNamePrefixOf(runId);
  await session.query(
    `SELECT pg_catalog.pg_terminate_backend(pid, ${endTimeoutMs}) FROM pg_catalog.pg_stat_activity
      WHERE datid = $1 AND backend_type IN ('client backend', 'walsender') AND pid <> pg_catalog.pg_backend_pid()
        AND pg_catalog.starts_with(application_name, $2)`,
    [databaseOid, prefix],
  );
}

/** Our own sessions are ended, others are let live. @throws TargetInUseError when there are others */
export async function requireUnused(
  session: Session,
  database: { readonly oid: number; readonly name: string },
  runId: string,
): Promise<void> {
  await endConnected(session, database.oid, runId);
  const others = await connectedTo(session, database.oid);
  if (others.length > 0) throw inUse(database.name, others);
}

export function inUse(database: string, sessions: readonly ConnectedSession[]): HoldfastError {
  const named = sessions
    .slice(0, namedAtMost)
    .map(
      ({ pid, user, applicationName }) =>
        `pid ${pid} (user ${user}${applicationName === '' ? '' : `, ${applicationName}`})`,
    );
  const more = sessions.length > namedAtMost ? ` and ${sessions.length - namedAtMost} more` : '';
  const count = sessions.length === 1 ? '1 session is' : `${sessions.length} sessions are`;
  return new HoldfastError(
    'TargetInUseError',
    `${count} connected to database ${JSON.stringify(database)}: ${named.join(', ')}${more}.`,
    { evidence: { database, sessions: sessions.slice(0, 100) } },
  );
}
