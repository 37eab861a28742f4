/** What hangs on the database that is to be replaced: sessions, prepared transactions, replication. */
import { listed, plural } from '../../doctor/check.ts';
import { holdsDatabase, mayEnd } from '../cutover/connected-sessions.ts';
import { failed, ok, type PreflightCheck, type ServerTarget, warning } from './check.ts';

interface SessionRow {
  who: string;
  sessions: number;
  mayEnd: boolean;
}

/** Only the number counts at the rename; now is the time to say it, before hours of loading. */
export const connectedSessions: PreflightCheck<ServerTarget> = {
  check: 'sessions',
  modes: ['swap'],
  async look({ session, input, names: { finalDatabase } }) {
    const prepared = await session.query<{ gid: string }>(
      'SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = $1 ORDER BY gid',
      [finalDatabase],
    );
    if (prepared.length > 0) {
      return failed(
        `${plural(prepared.length, 'prepared transaction')} in ${JSON.stringify(finalDatabase)}: ${listed(prepared.map(({ gid }) => gid))}. With one the database cannot be renamed.`,
        'COMMIT PREPARED or ROLLBACK PREPARED each of them.',
      );
    }
    const rows = await session.query<SessionRow>(
      `SELECT pg_catalog.format('%s (%s)', a.usename, coalesce(nullif(a.application_name, ''), 'no name')) AS who,
              pg_catalog.count(*)::pg_catalog.int4 AS sessions,
              pg_catalog.bool_and(${mayEnd('a')}) AS "mayEnd"
         FROM pg_catalog.pg_stat_activity a
        WHERE a.datname = $1 AND ${holdsDatabase('a')} AND a.pid <> pg_catalog.pg_backend_pid()
        GROUP BY 1 ORDER BY 2 DESC, 1`,
      [finalDatabase],
    );
    const count = rows.reduce((sum, { sessions }) => sum + sessions, 0);
    if (count === 0) return ok(`Nobody is connected to ${JSON.stringify(finalDatabase)}.`);
    const seen = `${plural(count, 'session')} on ${JSON.stringify(finalDatabase)}: ${listed(rows.map(({ who, sessions }) => `${sessions} of ${who}`))}.`;
    if (!input.disconnect) {
      return failed(
        seen,
        'Stop the applications, or let Holdfast end the sessions with --disconnect.',
      );
    }
    if (rows.every(({ mayEnd }) => mayEnd)) {
      return warning(
        `${seen} They will be ended at the cutover.`,
        'Applications must connect again.',
      );
    }
    return failed(
      `${seen} The role may not end all of them.`,
      'GRANT pg_signal_backend TO the role (for those of superusers: restore as a superuser), or stop the applications.',
    );
  },
};

export const replication: PreflightCheck<ServerTarget> = {
  check: 'replication',
  modes: ['swap'],
  async look({ session, names: { finalDatabase } }) {
    const slots = await session.query<{ name: string }>(
      'SELECT slot_name AS name FROM pg_catalog.pg_replication_slots WHERE database = $1 ORDER BY 1',
      [finalDatabase],
    );
    const subscriptions = await session.query<{ name: string }>(
      `SELECT s.subname AS name FROM pg_catalog.pg_subscription s
         JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = $1 ORDER BY 1`,
      [finalDatabase],
    );
    const parts = [
      ...(slots.length === 0
        ? []
        : [
            `${plural(slots.length, 'replication slot')} (${listed(slots.map(({ name }) => name))})`,
          ]),
      ...(subscriptions.length === 0
        ? []
        : [
            `${plural(subscriptions.length, 'subscription')} (${listed(subscriptions.map(({ name }) => name))})`,
          ]),
    ];
    if (parts.length === 0) return ok('No replication slot or subscription hangs on the database.');
    return warning(
      `${parts.join(' and ')} stay with the database that is put aside.`,
      'Make them anew on the restored one, and drop the old ones: a slot that nobody reads keeps WAL for ever.',
    );
  },
};
