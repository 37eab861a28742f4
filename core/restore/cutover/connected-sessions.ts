/** Who is connected to a database that is to be renamed, and ending them. Never their queries: those hold values. */
import { HoldfastError } from '../../contract/errors.ts';
import { applicationNamePrefixOf } from '../../postgres/application-name.ts';
import type { Session } from '../../postgres/session.ts';

export interface ConnectedSession {
  readonly pid: number;
  readonly user: string;
  readonly applicationName: string;
  /** Does the server let the role of our session end it? */
  readonly mayEnd: boolean;
}

/** Terminating takes milliseconds; a session that is deep in I/O a little longer. */
const endTimeoutMs = 5_000;
/** In a message; evidence has all of them. */
const namedAtMost = 10;

/**
 * SQL condition on pg_stat_activity: sessions of clients and of logical replication; not the server's own workers: a
 * rename sends autovacuum away by itself, for others see `isWorker`. A role without pg_read_all_stats sees no type of others' sessions; workers have no user.
 */
export const holdsDatabase = (alias: string): string =>
  `coalesce(${alias}.backend_type, 'client backend') IN ('client backend', 'walsender') AND ${alias}.usesysid IS NOT NULL`;

/**
 * SQL condition on pg_stat_activity: workers of subscriptions and of extensions (the launcher of pg_cron …), for which a
 * rename waits in vain.
 */
export const isWorker = (alias: string): string =>
  `${alias}.backend_type NOT IN ('client backend', 'walsender', 'autovacuum worker', 'parallel worker')`;

/** SQL condition on pg_stat_activity, as pg_terminate_backend asks it: those of superusers only superusers may end. */
export const mayEnd = (alias: string): string =>
  `((SELECT me.rolsuper FROM pg_catalog.pg_roles me WHERE me.rolname = current_user)
    OR (NOT coalesce((SELECT them.rolsuper FROM pg_catalog.pg_roles them WHERE them.oid = ${alias}.usesysid), false)
      AND (pg_catalog.pg_has_role(${alias}.usesysid, 'USAGE') OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'))))`;

const onDatabase = `a.datid = $1 AND ${holdsDatabase('a')} AND a.pid <> pg_catalog.pg_backend_pid()`;

/** By pid. */
export function connectedTo(session: Session, databaseOid: number): Promise<ConnectedSession[]> {
  return session.query<ConnectedSession>(
    `SELECT a.pid, coalesce(a.usename, '?') AS "user", coalesce(a.application_name, '') AS "applicationName",
            ${mayEnd('a')} AS "mayEnd"
       FROM pg_catalog.pg_stat_activity a WHERE ${onDatabase} ORDER BY a.pid`,
    [databaseOid],
  );
}

/**
 * Ends those that the role may end; others are left as they are.
 * @param runId when given: only sessions of this run, and what a safety backup left that was killed with its restore: the
 * lease on this database is ours, so no other one is at work
 */
export async function endConnected(
  session: Session,
  databaseOid: number,
  runId?: string,
): Promise<void> {
  const prefix = runId === undefined ? '' : applicationNamePrefixOf(runId);
  // In two steps: pg_terminate_backend must never be asked about one that it would refuse with an error.
  await session.query(
    `WITH found AS MATERIALIZED (
       SELECT a.pid FROM pg_catalog.pg_stat_activity a
        WHERE ${onDatabase} AND ${mayEnd('a')}
          AND (pg_catalog.starts_with(coalesce(a.application_name, ''), $2)
            OR a.application_name ~ '^holdfast/[^/]+-safety/'))
     SELECT pg_catalog.pg_terminate_backend(pid, ${endTimeoutMs}) FROM found`,
    [databaseOid, prefix],
  );
}

/**
 * Before anything of the database is closed: whoever may not be ended shall not notice anything.
 *
 * @param disconnect false: only our own sessions are ended, others are let live
 * @throws TargetInUseError when a rename would fail: by others without `disconnect`, by those that the role may not
 * end, by prepared transactions
 */
export async function requireUnused(
  session: Session,
  database: { readonly oid: number; readonly name: string },
  runId: string,
  disconnect: boolean,
): Promise<void> {
  await endConnected(session, database.oid, runId);
  const others = await connectedTo(session, database.oid);
  if (others.length > 0 && !disconnect) throw inUse(database.name, others);
  const lasting = others.filter((one) => !one.mayEnd);
  if (lasting.length > 0) throw mayNotEnd(database.name, lasting);
  const prepared = await session.query<{ gid: string }>(
    'SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = $1 ORDER BY gid',
    [database.name],
  );
  if (prepared.length > 0) throw hasPrepared(database.name, prepared.length);
}

const hasPrepared = (database: string, count: number) =>
  new HoldfastError(
    'TargetInUseError',
    `Database ${JSON.stringify(database)} has ${count === 1 ? '1 prepared transaction' : `${count} prepared transactions`}; with one it cannot be renamed.`,
    { hint: 'COMMIT PREPARED or ROLLBACK PREPARED each of them: see pg_prepared_xacts.' },
  );

export function mayNotEnd(database: string, sessions: readonly ConnectedSession[]): HoldfastError {
  const { message, evidence } = inUse(database, sessions);
  return new HoldfastError('TargetInUseError', `${message} The role may not end them.`, {
    hint: 'GRANT pg_signal_backend TO the role (for those of superusers: a superuser), or stop the applications.',
    evidence,
  });
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
