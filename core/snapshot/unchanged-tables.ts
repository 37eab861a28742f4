/**
 * Are the tables of the snapshot still those that their names stand for?
 *
 * COPY takes a name and finds the table by the newest catalogs. A lock on the table holds off what is done to the table,
 * but ALTER SCHEMA … RENAME asks for none: two schemas that change places put other tables behind the same names, whose
 * rows the snapshot does not see. So it is asked before the first COPY and after the last one. (A change that was taken
 * back in between is not seen.)
 */
import { HoldfastError } from '../contract/errors.ts';
import { quotedTable } from '../copy/copy-statement.ts';
import type { Session } from '../postgres/session.ts';

interface TableName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/**
 * pg_class is read by the snapshot; to_regclass and pg_relation_filenode look at what is now.
 *
 * @param session in the run's snapshot
 * @throws TableChangedError
 */
export async function requireUnchanged(
  session: Session,
  tables: readonly TableName[],
): Promise<void> {
  if (tables.length === 0) return;
  const changed = await session.query<{ name: string; oid: number; was: number; is: number }>(
    `SELECT given.name, given.oid, c.relfilenode AS was, pg_catalog.pg_relation_filenode(given.oid) AS is
       FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.text[]))
         AS given (oid, name)
       LEFT JOIN pg_catalog.pg_class c ON c.oid = given.oid
      WHERE c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(given.oid)
         OR pg_catalog.to_regclass(given.name) IS DISTINCT FROM given.oid::pg_catalog.regclass`,
    [tables.map(({ oid }) => oid), tables.map(quotedTable)],
  );
  if (changed.length === 0) return;
  throw new HoldfastError(
    'TableChangedError',
    `Truncated, rewritten, renamed or dropped since the snapshot: ${changed.map(({ name }) => name).join(', ')}.`,
    { evidence: { tables: changed } },
  );
}
