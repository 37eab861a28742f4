/**
 * The search path of the target database itself, while its own code runs: functions of CHECKs, defaults, generated columns
 * and indexes may name tables and functions without a schema. Our own statements name everything with its schema.
 */
import type { Session } from '../../postgres/session.ts';

/** In a transaction. After a failure it is set back by the rollback, also by one to an earlier savepoint. */
export async function withOwnSearchPath<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query(ownPathSql);
  const result = await work();
  await session.query(`SET LOCAL search_path = ''`);
  return result;
}

/** What ALTER DATABASE says for every role; else what a new session of this role has. */
const ownPathSql = `
  SELECT pg_catalog.set_config('search_path', coalesce(
    (SELECT pg_catalog.substr(one, pg_catalog.length('search_path=') + 1)
       FROM pg_catalog.pg_db_role_setting s
       JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = pg_catalog.current_database()
      CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS one
      WHERE s.setrole = 0 AND pg_catalog.starts_with(one, 'search_path=')),
    (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path')), true)`;
