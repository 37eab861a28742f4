/**
 * Collations that the data relies on, with the version that the catalog recorded and the one of the library now.
 * When they differ, indexes of the source may be in a wrong order already; on a target with another version a restore
 * builds them anew.
 */
import type { Inventory } from '../contract/manifest.ts';
import type { Session } from '../postgres/session.ts';
import { providerName } from './database.ts';

type Collation = Inventory['collations'][number];

/** Those of columns, indexes and types of the user, the user's own, and as `pg_catalog.default` the database's. */
export async function readCollations(session: Session): Promise<Collation[]> {
  // Before 15 the database's own collation had no version.
  const [recorded, actual] =
    session.serverVersionNum >= 150000
      ? ['d.datcollversion', 'pg_catalog.pg_database_collation_actual_version(d.oid)']
      : ['NULL', 'NULL'];
  const provider = session.serverVersionNum >= 150000 ? 'd.datlocprovider' : `'c'`;
  const rows = await session.query<Collation>(`
    WITH used AS (
      SELECT attcollation AS oid FROM pg_catalog.pg_attribute
       WHERE attrelid >= 16384 AND NOT attisdropped AND attcollation <> 0
      UNION SELECT pg_catalog.unnest(indcollation) FROM pg_catalog.pg_index WHERE indexrelid >= 16384
      UNION SELECT typcollation FROM pg_catalog.pg_type WHERE oid >= 16384
      UNION SELECT rngcollation FROM pg_catalog.pg_range WHERE rngtypid >= 16384
      UNION SELECT oid FROM pg_catalog.pg_collation WHERE oid >= 16384
    )
    SELECT n.nspname AS schema, c.collname AS name, c.collprovider AS provider,
           c.collversion AS "recordedVersion",
           pg_catalog.pg_collation_actual_version(c.oid) AS "actualVersion"
      FROM used JOIN pg_catalog.pg_collation c ON c.oid = used.oid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
     WHERE c.collprovider <> 'd'
    UNION ALL
    SELECT 'pg_catalog', 'default', ${provider}, ${recorded}, ${actual}
      FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
     ORDER BY 1, 2`);
  return rows.map((row) => ({ ...row, provider: providerName(row.provider) }));
}
