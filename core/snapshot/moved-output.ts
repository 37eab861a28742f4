/**
 * What the text of a row depends on besides the row: COPY prints labels of enums, attributes of composite types and names
 * behind reg* and aclitem values by the newest state of the catalogs, not by the snapshot, and no lock on a table holds
 * those still.
 *
 * Invariant: when nothing is found here after the last unit, every row was printed as it was in the snapshot. (A change
 * that was taken back again in between is not seen.)
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from '../postgres/session.ts';
import { reachableTypes } from './type-reach.ts';

/** A view of the catalogs as `key`, `value` and `label` for people. `$1` is an array of oids of types. */
interface Printed {
  readonly what: string;
  readonly sql: string;
  /** A type that is gone is in no table any more; a name behind a number may still be in one. */
  readonly mayVanish: boolean;
  /** Which of the snapshot's keys count; all when absent. */
  readonly only?: string;
}

const ofTypes: readonly Printed[] = [
  {
    what: 'the enum label',
    sql: `SELECT e.oid::text AS key, e.enumlabel AS value, e.enumtypid::regtype || ' ' || quote_literal(e.enumlabel) AS label
            FROM pg_enum e WHERE e.enumtypid = ANY ($1::oid[])`,
    mayVanish: true,
  },
  {
    what: 'the composite type',
    sql: `SELECT t.oid::text AS key, t.typname AS label,
                 (SELECT string_agg(concat_ws(':', a.attnum, a.atttypid, a.attisdropped), ',' ORDER BY a.attnum)
                    FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0) AS value
            FROM pg_type t WHERE t.typrelid <> 0 AND t.oid = ANY ($1::oid[])`,
    mayVanish: true,
  },
];

const named = (
  what: string,
  catalog: string,
  namespace: string,
  name: string,
  more = '',
): Printed => ({
  what,
  sql: `SELECT c.oid::text AS key, quote_ident(n.nspname) || '.' || quote_ident(c.${name})${more} AS value,
               quote_ident(n.nspname) || '.' || quote_ident(c.${name}) AS label
          FROM ${catalog} c JOIN pg_namespace n ON n.oid = c.${namespace}
         WHERE n.nspname !~ '^pg_(toast|temp_)' AND $1::oid[] IS NOT NULL`,
  mayVanish: false,
});

const relation = named('the relation', 'pg_class', 'relnamespace', 'relname');
const routine = named(
  'the function',
  'pg_proc',
  'pronamespace',
  'proname',
  ` || c.proargtypes::text`,
);
const operator = named('the operator', 'pg_operator', 'oprnamespace', 'oprname');
const type = named('the type', 'pg_type', 'typnamespace', 'typname');
const configuration = named(
  'the text search configuration',
  'pg_ts_config',
  'cfgnamespace',
  'cfgname',
);
const dictionary = named('the text search dictionary', 'pg_ts_dict', 'dictnamespace', 'dictname');
const collation = named('the collation', 'pg_collation', 'collnamespace', 'collname');
const plain = (what: string, catalog: string, name: string): Printed => ({
  what,
  sql: `SELECT c.oid::text AS key, c.${name} AS value, quote_ident(c.${name}) AS label FROM ${catalog} c
         WHERE c.${name} !~ '^pg_(toast_)?temp_' AND $1::oid[] IS NOT NULL`,
  mayVanish: false,
});

const role = plain('the role', 'pg_roles', 'rolname');
/** Other roles may come and go. */
const roleOfLargeObjects: Printed = {
  ...role,
  only: `c.oid IN (SELECT unnest(ARRAY[a.grantee, a.grantor])
                     FROM pg_largeobject_metadata m, aclexplode(m.lomacl) a)`,
};

/** Looked at only when a dumped column holds such a type. */
const byType: Readonly<Record<string, readonly Printed[]>> = {
  regclass: [relation],
  regproc: [routine],
  regprocedure: [routine, type],
  regoper: [operator],
  regoperator: [operator, type],
  regtype: [type],
  regconfig: [configuration],
  regdictionary: [dictionary],
  regcollation: [collation],
  regnamespace: [plain('the schema', 'pg_namespace', 'nspname')],
  regrole: [role],
  aclitem: [role],
};

interface Row {
  key: string;
  value: string;
  label: string;
}

export interface Dumped {
  /** oids of the tables whose rows are dumped. */
  readonly tables: readonly number[];
  readonly hasLargeObjects: boolean;
}

/**
 * @param inSnapshot a session in the run's snapshot
 * @param live a session outside any transaction
 * @throws SchemaMovedError that names what was changed
 */
export async function requireSameOutput(
  inSnapshot: Session,
  live: Session,
  { tables, hasLargeObjects }: Dumped,
): Promise<void> {
  const types = await reachableTypes(inSnapshot, tables);
  const namedTypes = await inSnapshot.query<{ name: string }>(
    `SELECT typname AS name FROM pg_type
      WHERE oid = ANY ($1::oid[]) AND typnamespace = 'pg_catalog'::regnamespace AND typname = ANY ($2::name[])`,
    [types, Object.keys(byType)],
  );
  const printed = new Set([
    ...ofTypes,
    ...namedTypes.flatMap(({ name }) => byType[name] ?? []),
    ...(hasLargeObjects ? [roleOfLargeObjects] : []),
  ]);
  for (const view of printed) {
    const now = new Map(
      (await live.query<Row>(view.sql, [types])).map((row) => [row.key, row.value]),
    );
    const only = view.only === undefined ? '' : ` AND ${view.only}`;
    const before = await inSnapshot.query<Row>(view.sql + only, [types]);
    const moved = before.find(({ key, value }) => {
      const current = now.get(key);
      return current === undefined ? !view.mayVanish : current !== value;
    });
    if (moved === undefined) continue;
    throw new HoldfastError(
      'SchemaMovedError',
      `While rows were being read, ${view.what} ${moved.label} was changed: rows may have been printed in both ways.`,
      { evidence: { what: view.what, label: moved.label, oid: moved.key } },
    );
  }
}
