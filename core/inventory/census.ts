/**
 * The census: how many objects of each kind the user has, to be counted again in a restored database and compared.
 *
 * Invariant: it counts only what a dump carries over and what comes back in the same number on any supported server:
 * no objects of extensions (their number is a matter of their version), no invalid indexes (pg_dump leaves them out),
 * no NOT NULL constraints (rows of pg_constraint only from 18 on), no internal triggers, no subscriptions (pg_dump
 * carries them for superusers only).
 */

import { isUserSchema } from '../plan/match-patterns.ts';
import type { Session } from '../postgres/session.ts';
import { literal } from '../schema/sql-text.ts';

/** Rows of catalog `o` in a user's schema that are no members of an extension. */
const inSchemas = (catalog: string, namespace: string, condition = 'true', oid = 'o.oid') => `
  SELECT pg_catalog.count(*) FROM pg_catalog.${catalog} o
    JOIN pg_catalog.pg_namespace n ON n.oid = o.${namespace}
   WHERE ${isUserSchema} AND (${condition})
     AND NOT EXISTS (SELECT FROM members m
                      WHERE m.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND m.objid = ${oid})`;

/** Rows of a catalog without schemas, that did not come with the server. */
const ofDatabase = (catalog: string) => `
  SELECT pg_catalog.count(*) FROM pg_catalog.${catalog} o
   WHERE o.oid >= 16384
     AND NOT EXISTS (SELECT FROM members m
                      WHERE m.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND m.objid = o.oid)`;

/** Rows that belong to relation `relation` of a user's schema. */
const ofRelations = (catalog: string, relation: string, condition: string) => `
  SELECT pg_catalog.count(*) FROM pg_catalog.${catalog} o
    JOIN pg_catalog.pg_class c ON c.oid = o.${relation}
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE ${isUserSchema} AND c.relpersistence <> 't' AND (${condition})
     AND NOT EXISTS (SELECT FROM members m
                      WHERE m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid)`;

const relations = (relkind: string) =>
  inSchemas('pg_class', 'relnamespace', `o.relkind = '${relkind}' AND o.relpersistence <> 't'`);
const functions = (prokind: string) =>
  inSchemas('pg_proc', 'pronamespace', `o.prokind IN (${prokind})`);
const types = (typtype: string) => inSchemas('pg_type', 'typnamespace', `o.typtype = '${typtype}'`);
const constraints = (contype: string) =>
  ofRelations('pg_constraint', 'conrelid', `o.contype = '${contype}' AND o.conparentid = 0`);

const counts: Readonly<Record<string, string>> = {
  schemas: `SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace n WHERE ${isUserSchema}
     AND NOT EXISTS (SELECT FROM members m
       WHERE m.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND m.objid = n.oid)`,
  tables: relations('r'),
  partitionedTables: relations('p'),
  foreignTables: relations('f'),
  views: relations('v'),
  materializedViews: relations('m'),
  sequences: relations('S'),
  columns: ofRelations(
    'pg_attribute',
    'attrelid',
    `c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND o.attnum > 0 AND NOT o.attisdropped`,
  ),
  columnDefaults: ofRelations('pg_attrdef', 'adrelid', 'true'),
  indexes: ofRelations(
    'pg_index',
    'indrelid',
    `(o.indisvalid OR c.relkind = 'p') AND o.indisready`,
  ),
  primaryKeys: constraints('p'),
  uniqueConstraints: constraints('u'),
  foreignKeys: constraints('f'),
  checkConstraints: constraints('c'),
  exclusionConstraints: constraints('x'),
  triggers: ofRelations('pg_trigger', 'tgrelid', 'NOT o.tgisinternal AND o.tgparentid = 0'),
  rules: ofRelations('pg_rewrite', 'ev_class', `o.rulename <> '_RETURN'`),
  policies: ofRelations('pg_policy', 'polrelid', 'true'),
  inheritances: ofRelations('pg_inherits', 'inhrelid', `c.relkind IN ('r', 'p', 'f')`),
  functions: functions(`'f', 'w'`),
  procedures: functions(`'p'`),
  aggregates: functions(`'a'`),
  enums: types('e'),
  domains: types('d'),
  ranges: types('r'),
  compositeTypes: inSchemas(
    'pg_type',
    'typnamespace',
    `o.typtype = 'c' AND EXISTS (SELECT FROM pg_catalog.pg_class k WHERE k.oid = o.typrelid AND k.relkind = 'c')`,
  ),
  operators: inSchemas('pg_operator', 'oprnamespace'),
  operatorClasses: inSchemas('pg_opclass', 'opcnamespace'),
  collations: inSchemas('pg_collation', 'collnamespace'),
  conversions: inSchemas('pg_conversion', 'connamespace'),
  textSearchConfigurations: inSchemas('pg_ts_config', 'cfgnamespace'),
  textSearchDictionaries: inSchemas('pg_ts_dict', 'dictnamespace'),
  extendedStatistics: inSchemas('pg_statistic_ext', 'stxnamespace'),
  casts: ofDatabase('pg_cast'),
  eventTriggers: ofDatabase('pg_event_trigger'),
  foreignDataWrappers: ofDatabase('pg_foreign_data_wrapper'),
  foreignServers: ofDatabase('pg_foreign_server'),
  publications: ofDatabase('pg_publication'),
  defaultPrivileges: ofDatabase('pg_default_acl'),
  extensions: 'SELECT pg_catalog.count(*) FROM pg_catalog.pg_extension',
  largeObjects: 'SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata',
};

/**
 * Counts of the whole database, whatever the filters of a backup are. Reads catalogs only, any supported version.
 *
 * @param leftOut schemas that are not the user's: the bookkeeping of a restore
 */
export async function readCensus(
  session: Session,
  leftOut: readonly string[] = [],
): Promise<Record<string, number>> {
  const names = leftOut.map((name) => literal(name)).join(', ');
  const isCounted = names === '' ? isUserSchema : `${isUserSchema} AND n.nspname NOT IN (${names})`;
  const columns = Object.entries(counts).map(
    ([kind, sql]) => `(${sql.replaceAll(isUserSchema, () => isCounted)}) AS "${kind}"`,
  );
  const [row] = await session.query<Record<string, string>>(`
    WITH members AS MATERIALIZED (
      SELECT classid, objid FROM pg_catalog.pg_depend
       WHERE refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND deptype = 'e')
    SELECT ${columns.join(',\n')}`);
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([kind, number]) => [kind, Number(number)]),
  );
}
