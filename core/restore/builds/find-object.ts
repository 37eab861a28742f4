/** What the catalogs say about something that is built. */
import type { Build } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';

/** `invalid`: there, but unusable. What is only half done, as a foreign key before its validation, is `absent`. */
export type Found = 'absent' | 'invalid' | 'done';

interface Row {
  isDone: boolean;
}

const queries: Readonly<Record<string, string>> = {
  index: `
    SELECT i.indisvalid AND i.indisready AS "isDone"
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
  constraint: `
    SELECT k.convalidated AS "isDone"
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND k.conname = $2 AND c.relname = $3`,
  refresh: `
    SELECT c.relispopulated AS "isDone"
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'm'`,
};
/** Two domains of one schema may have constraints of one name: then all of them must be valid. */
const domainQuery = `
    SELECT pg_catalog.bool_and(k.convalidated) AS "isDone"
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_type t ON t.oid = k.contypid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = $1 AND k.conname = $2
    HAVING pg_catalog.count(*) > 0`;

export async function findObject(session: Session, { kind, object }: Build): Promise<Found> {
  if (object === null) return 'absent';
  const { schema, name, table } = object;
  const isOfTable = table !== null && kind !== 'index';
  const query = isOfTable ? queries['constraint'] : (queries[kind] ?? domainQuery);
  const [row] = await session.query<Row>(
    query as string,
    isOfTable ? [schema, name, table] : [schema, name],
  );
  if (row === undefined) return 'absent';
  if (row.isDone) return 'done';
  return kind === 'index' ? 'invalid' : 'absent';
}
