/** What others do at this moment that a backup would wait for, or that would make it hurt others. */
import type { Session } from '../../postgres/session.ts';
import { withoutLiterals } from '../../postgres/without-rows.ts';
import { type CheckDefinition, listed, ok, plural, problem, warning } from '../check.ts';

interface LockRow {
  pid: number | null;
  table: string;
  granted: boolean;
  gid: string | null;
  query: string | null;
}

/** Only ACCESS EXCLUSIVE conflicts with ACCESS SHARE, which is what a backup takes. */
export const blockingLocks: CheckDefinition<Session> = {
  id: 'blocking-locks',
  title: 'Locks that block a backup',
  async look(session) {
    const rows = await session.query<LockRow>(
      `SELECT DISTINCT l.pid, format('%I.%I', n.nspname, c.relname) AS "table", l.granted, x.gid,
              left(a.query, 80) AS query
         FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_stat_activity a ON a.pid = l.pid
         LEFT JOIN pg_prepared_xacts x ON l.virtualtransaction = '-1/' || x.transaction
        WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p')
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND n.nspname !~ '^pg_'
        ORDER BY 1, 2`,
    );
    if (rows.length === 0) return ok('Nobody holds or awaits an exclusive lock on a table.');
    const held = rows.map(({ pid, table, granted, gid, query }) => {
      const who =
        pid === null ? `prepared transaction ${gid ?? '(of another name)'}` : `process ${pid}`;
      return `${who} ${granted ? 'holds' : 'awaits'} ${table}${query === null ? '' : ` (${withoutLiterals(query)})`}`;
    });
    return problem(
      `${plural(rows.length, 'exclusive lock')}: ${listed(held)}.`,
      'Let it end before the backup, or end it: SELECT pg_terminate_backend(pid), ROLLBACK PREPARED for a prepared one.',
    );
  },
};

/** Five minutes: longer than any request of an application, shorter than most reports. */
const longSeconds = 300;

export function longTransactions(seconds = longSeconds): CheckDefinition<Session> {
  return {
    id: 'long-transactions',
    title: 'Long-running transactions',
    async look(session) {
      const rows = await session.query<{
        pid: number;
        age: number;
        state: string | null;
        query: string | null;
      }>(
        `SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::int4 AS age, state,
                left(query, 80) AS query
           FROM pg_stat_activity
          WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            AND clock_timestamp() - xact_start >= make_interval(secs => $1)
          ORDER BY xact_start`,
        [seconds],
      );
      if (rows.length === 0) return ok(`No transaction is older than ${seconds} s.`);
      const names = rows.map(
        ({ pid, age, state, query }) =>
          `process ${pid} for ${age} s, ${state} (${withoutLiterals(query ?? '')})`,
      );
      return warning(
        `${plural(rows.length, 'transaction')} older than ${seconds} s: ${listed(names)}.`,
        'A schema change that waits behind one of them makes the backup wait as well; commit or end it first.',
      );
    },
  };
}
