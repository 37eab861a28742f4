/** The target server: its version, whether it can be written to, and room for the sessions of the restore. */
import { listed } from '../../doctor/check.ts';
import {
  majorOf,
  newestMajor,
  oldestMajor,
  requireSupportedServer,
} from '../../postgres/server-version.ts';
import { failed, isClient, ok, type PreflightCheck, type ServerTarget } from './check.ts';

export const serverVersion: PreflightCheck<ServerTarget> = {
  check: 'server-version',
  async look({ session, manifest: { source } }) {
    const version = requireSupportedServer(session);
    const [here, there] = [majorOf(session.serverVersionNum), majorOf(source.serverVersionNum)];
    if (here >= there) {
      return ok(`The server is PostgreSQL ${version}; the backup is of ${source.serverVersion}.`);
    }
    return failed(
      `The server is PostgreSQL ${here}; the backup is of ${there}, whose definitions an older server does not understand.`,
      `Restore to PostgreSQL ${there} or newer (supported are ${oldestMajor} to ${newestMajor}).`,
    );
  },
};

export const serverWritable: PreflightCheck<ServerTarget> = {
  check: 'server-writable',
  async look({ session }) {
    const [row] = await session.query<{ standby: boolean; readOnly: string }>(
      `SELECT pg_catalog.pg_is_in_recovery() AS standby,
              (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'default_transaction_read_only') AS "readOnly"`,
    );
    if (row?.standby === true) {
      return failed(
        'The server is a standby: nothing can be written to it.',
        'Name the primary server in --target.',
      );
    }
    return ok(
      row?.readOnly === 'on'
        ? 'The server can be written to (default_transaction_read_only is on and is set off in our sessions).'
        : 'The server can be written to.',
    );
  },
};

/** One for the control of the run, one to spare for its looks at what is being built. */
const extraSessions = 2;

interface ConnectionsRow {
  max: number;
  reserved: number;
  used: number;
  roleLimit: number;
  roleUsed: number;
  isSuperuser: boolean;
}

export const freeConnections: PreflightCheck<ServerTarget> = {
  check: 'connections',
  async look({ session, input }) {
    const [row] = await session.query<ConnectionsRow>(
      `SELECT pg_catalog.current_setting('max_connections')::pg_catalog.int4 AS max,
              pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4
                + coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::pg_catalog.int4 AS reserved,
              (SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_stat_activity a
                WHERE ${isClient('a')}) AS used,
              (SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_stat_activity
                WHERE usename = current_user) AS "roleUsed",
              rolconnlimit AS "roleLimit", rolsuper AS "isSuperuser"
         FROM pg_catalog.pg_roles WHERE rolname = current_user`,
    );
    if (row === undefined) return ok('The server does not tell how many connections are free.');
    // Our own session here is closed before the restore opens its own.
    const onServer = row.max - (row.isSuperuser ? 0 : row.reserved) - (row.used - 1);
    const ofRole =
      row.roleLimit === -1 || row.isSuperuser
        ? Number.POSITIVE_INFINITY
        : row.roleLimit - (row.roleUsed - 1);
    const free = Math.max(0, Math.min(onServer, ofRole));
    const needed = input.options.jobs + extraSessions;
    const seen = `${free} connections are free; ${input.options.jobs} jobs need up to ${needed}.`;
    if (free >= needed) return ok(seen);
    const limits = [
      ...(onServer < needed ? [`max_connections is ${row.max}`] : []),
      ...(ofRole < needed ? [`the role may have ${row.roleLimit}`] : []),
    ];
    return failed(
      `${seen.slice(0, -1)} (${listed(limits)}).`,
      free > extraSessions
        ? `Use --jobs ${free - extraSessions} or fewer, or end other sessions.`
        : 'End other sessions, or raise max_connections (needs a restart).',
    );
  },
};
