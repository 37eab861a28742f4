/** What is in the database and will not come back as it is. */
import { majorOf } from '../../postgres/server-version.ts';
import type { Session } from '../../postgres/session.ts';
import { type CheckDefinition, listed, ok, plural, warning } from '../check.ts';

/** pg_dump leaves invalid indexes out. A partitioned index is invalid as long as a partition lacks its part. */
export const invalidIndexes: CheckDefinition<Session> = {
  id: 'invalid-indexes',
  title: 'Invalid indexes',
  async look(session) {
    const rows = await session.query<{ name: string; isPartitioned: boolean }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname !~ '^pg_'
        ORDER BY 1`,
    );
    if (rows.length === 0) return ok('All indexes are valid.');
    return warning(
      `${plural(rows.length, 'index', 'indexes')} invalid, left out of the backup: ` +
        `${listed(rows.map(({ name }) => name))}.`,
      'REINDEX INDEX CONCURRENTLY them, or drop them.',
    );
  },
};

export const encoding: CheckDefinition<Session> = {
  id: 'encoding',
  title: 'Encoding',
  async look(session) {
    const [row] = await session.query<{ name: string }>(
      'SELECT pg_encoding_to_char(encoding) AS name FROM pg_database WHERE datname = current_database()',
    );
    if (row?.name !== 'SQL_ASCII') return ok(`The database is encoded in ${row?.name}.`);
    return warning(
      'The database is SQL_ASCII: the server checks no encoding, and bytes that are no UTF-8 may be in it.',
      'Restore it into SQL_ASCII only, or convert its rows to UTF8 once.',
    );
  },
};

/** Sort order changed beneath the indexes (a newer libc or ICU): rows are not found, duplicates get in. */
export const collationVersions: CheckDefinition<Session> = {
  id: 'collation-versions',
  title: 'Versions of collations',
  async look(session) {
    const ofDatabase =
      majorOf(session.serverVersionNum) >= 15
        ? `UNION ALL SELECT 'the database', datcollversion, pg_database_collation_actual_version(oid)
             FROM pg_database WHERE datname = current_database()`
        : '';
    const rows = await session.query<{ name: string; recorded: string; actual: string }>(
      `SELECT name, recorded, actual
         FROM (SELECT format('%I.%I', n.nspname, c.collname), c.collversion, pg_collation_actual_version(c.oid)
                 FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                WHERE c.collversion IS NOT NULL ${ofDatabase}) AS v(name, recorded, actual)
        WHERE recorded <> actual
        ORDER BY 1`,
    );
    if (rows.length === 0)
      return ok('The collations have the versions with which the indexes were built.');
    const names = rows.map(({ name, recorded, actual }) => `${name} (${recorded}, now ${actual})`);
    return warning(
      `${plural(rows.length, 'collation')} changed beneath the indexes: ${listed(names)}.`,
      'REINDEX what sorts by them, then ALTER DATABASE/COLLATION … REFRESH VERSION. A unique constraint may hold ' +
        'duplicates, with which a restore fails.',
    );
  },
};
