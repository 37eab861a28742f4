/** What hangs on the database that is to be replaced: sessions, prepared transactions, replication. */
import { listed, plural } from '../../doctor/check.ts';
import { identifier } from '../../schema/sql-text.ts';
import { holdsDatabase, isWorker, mayEnd } from '../cutover/connected-sessions.ts';
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

/** A rename waits 5 s for them and fails: they are ended by nobody but who has started them. */
export const backgroundWorkers: PreflightCheck<ServerTarget> = {
  check: 'background-workers',
  modes: ['swap'],
  async look({ session, names: { finalDatabase } }) {
    const rows = await session.query<{ pid: number; type: string }>(
      `SELECT a.pid, a.backend_type AS type FROM pg_catalog.pg_stat_activity a
        WHERE a.datname = $1 AND ${isWorker('a')} ORDER BY a.pid`,
      [finalDatabase],
    );
    const name = JSON.stringify(finalDatabase);
    if (rows.length === 0) return ok(`No background worker is at work in ${name}.`);
    return failed(
      `${plural(rows.length, 'background worker')} in ${name}: ${listed(rows.map(({ type, pid }) => `${type} (pid ${pid})`))}. With one the database cannot be renamed.`,
      'Of a subscription: ALTER SUBSCRIPTION … DISABLE. Of an extension: wait for their end or stop it (pg_cron: another cron.database_name, and a restart of the server).',
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
    const subscriptions = await session.query<{ name: string; isEnabled: boolean }>(
      `SELECT s.subname AS name, s.subenabled AS "isEnabled" FROM pg_catalog.pg_subscription s
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
    const enabled = subscriptions.filter(({ isEnabled }) => isEnabled);
    if (enabled.length > 0) {
      const disable = enabled.map(({ name }) => `ALTER SUBSCRIPTION ${identifier(name)} DISABLE`);
      return failed(
        `${parts.join(' and ')}: while a subscription is enabled its worker is at work in the database, which cannot be renamed.`,
        `In ${JSON.stringify(finalDatabase)}: ${disable.join('; ')}. They stay with it when it is put aside; make them anew on the restored one.`,
      );
    }
    return warning(
      `${parts.join(' and ')} stay with the database that is put aside.`,
      'Make them anew on the restored one, and drop the old ones: a slot that nobody reads keeps WAL for ever.',
    );
  },
};
