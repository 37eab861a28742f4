/** What the target has of the names that occur in the backup's definitions. Read once; names only. */
import type { Session } from '../../postgres/session.ts';
import type { TableName } from './placing.ts';

/** What the target has already. */
export interface Presence {
  schema(name: string): boolean;
  /** Tables, sequences, indexes, views. */
  relation(name: TableName): boolean;
  type(name: TableName): boolean;
  /** Of any arguments. */
  routine(name: TableName): boolean;
  collation(name: TableName): boolean;
  /** On this table. */
  constraint(table: TableName, name: string): boolean;
}

/** Of the schemas of users; extensions' too, because definitions may use them. */
export async function readPresence(session: Session): Promise<Presence> {
  const schemas = await keysOf(session, 'SELECT nspname AS a FROM pg_catalog.pg_namespace');
  const relations = await keysOf(session, namesOf('pg_class', 'relnamespace', 'relname'));
  const types = await keysOf(session, namesOf('pg_type', 'typnamespace', 'typname'));
  const routines = await keysOf(session, namesOf('pg_proc', 'pronamespace', 'proname'));
  const collations = await keysOf(session, namesOf('pg_collation', 'collnamespace', 'collname'));
  const constraints = await keysOf(
    session,
    `SELECT n.nspname AS a, c.relname AS b, k.conname AS c FROM pg_catalog.pg_constraint k
       JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`,
  );
  const has = (keys: ReadonlySet<string>) => (name: TableName) =>
    keys.has(keyOf(name.schema, name.name));
  return {
    schema: (name) => schemas.has(keyOf(name)),
    relation: has(relations),
    type: has(types),
    routine: has(routines),
    collation: has(collations),
    constraint: ({ schema, name }, constraint) => constraints.has(keyOf(schema, name, constraint)),
  };
}

const namesOf = (catalog: string, namespace: string, name: string): string =>
  `SELECT n.nspname AS a, x.${name} AS b FROM pg_catalog.${catalog} x
     JOIN pg_catalog.pg_namespace n ON n.oid = x.${namespace}
    WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')`;

async function keysOf(session: Session, sql: string): Promise<Set<string>> {
  const rows = await session.query<{ a: string; b?: string; c?: string }>(sql);
  return new Set(rows.map(({ a, b, c }) => keyOf(...[a, b, c].filter((x) => x !== undefined))));
}

const keyOf = (...names: string[]): string => JSON.stringify(names);
