/**
 * What of the catalogs counts as schema: all of the catalogs that pg_dump's definitions come from, less temporary and
 * toast relations and the columns that the server keeps up by itself.
 *
 * Comments, security labels and subscriptions are left out: pg_dump reads them by its snapshot alone.
 */

export interface HashedCatalog {
  readonly name: string;
  /** Which rows, over alias `c`; absent: all. */
  readonly where?: string;
  /** Columns that change without a change of the schema. */
  readonly lazy?: readonly string[];
}

/** pg_toast, and pg_temp_N, pg_toast_temp_N of each session. */
const otherSchemas = `(SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast|temp_)')`;
const inSchema = (column: string) => `c.${column} NOT IN ${otherSchemas}`;
const ofRelation = (column: string) =>
  `c.${column} NOT IN (SELECT oid FROM pg_class WHERE relnamespace IN ${otherSchemas})`;
const ofType = (column: string) =>
  `c.${column} NOT IN (SELECT oid FROM pg_type WHERE typnamespace IN ${otherSchemas})`;

export const hashedCatalogs: readonly HashedCatalog[] = [
  {
    name: 'pg_class',
    where: inSchema('relnamespace'),
    lazy: [
      // VACUUM, ANALYZE.
      ...['relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid', 'relminmxid'],
      // Set at once, taken back by some later VACUUM.
      ...['relhasindex', 'relhasrules', 'relhastriggers', 'relhassubclass'],
      // TRUNCATE, VACUUM FULL, CLUSTER, REFRESH: other files, other toast table, filled or not.
      ...['relfilenode', 'reltoastrelid', 'relrewrite', 'relispopulated'],
    ],
  },
  {
    name: 'pg_attribute',
    // System columns are the same everywhere.
    where: `c.attnum > 0 AND ${ofRelation('attrelid')}`,
    // A value that stands for rows older than the column; a rewrite drops it.
    lazy: ['atthasmissing', 'attmissingval', 'attcacheoff'],
  },
  // The row types of tables and the arrays over them follow from pg_class.
  { name: 'pg_type', where: inSchema('typnamespace') },
  { name: 'pg_proc', where: inSchema('pronamespace') },
  { name: 'pg_constraint', where: inSchema('connamespace') },
  { name: 'pg_index', where: ofRelation('indrelid'), lazy: ['indcheckxmin'] },
  { name: 'pg_rewrite', where: ofRelation('ev_class') },
  { name: 'pg_trigger', where: ofRelation('tgrelid') },
  { name: 'pg_policy', where: ofRelation('polrelid') },
  { name: 'pg_attrdef', where: ofRelation('adrelid') },
  { name: 'pg_inherits', where: ofRelation('inhrelid') },
  { name: 'pg_partitioned_table', where: ofRelation('partrelid') },
  { name: 'pg_sequence', where: ofRelation('seqrelid') },
  { name: 'pg_foreign_table', where: ofRelation('ftrelid') },
  { name: 'pg_statistic_ext', where: inSchema('stxnamespace') },
  { name: 'pg_namespace', where: `c.nspname !~ '^pg_(toast_)?temp_'` },
  { name: 'pg_enum', where: ofType('enumtypid') },
  { name: 'pg_range', where: ofType('rngtypid') },
  { name: 'pg_collation' },
  { name: 'pg_conversion' },
  { name: 'pg_aggregate' },
  { name: 'pg_operator' },
  { name: 'pg_opclass' },
  { name: 'pg_opfamily' },
  { name: 'pg_amop' },
  { name: 'pg_amproc' },
  { name: 'pg_am' },
  { name: 'pg_cast' },
  { name: 'pg_transform' },
  { name: 'pg_language' },
  { name: 'pg_extension' },
  { name: 'pg_event_trigger' },
  { name: 'pg_default_acl' },
  { name: 'pg_foreign_data_wrapper' },
  { name: 'pg_foreign_server' },
  { name: 'pg_publication' },
  { name: 'pg_publication_rel' },
  { name: 'pg_publication_namespace' },
  { name: 'pg_ts_config' },
  { name: 'pg_ts_config_map' },
  { name: 'pg_ts_dict' },
  { name: 'pg_ts_parser' },
  { name: 'pg_ts_template' },
  {
    // Which column owns a sequence, and what belongs to an extension.
    name: 'pg_depend',
    where: `c.deptype = 'e' OR c.deptype = 'a' AND c.classid = 'pg_class'::regclass
      AND c.objid IN (SELECT oid FROM pg_class WHERE relkind = 'S' AND relnamespace NOT IN ${otherSchemas})`,
  },
  {
    // Of the cluster's roles those whose names are in the definitions: owners, and whoever has rights or policies.
    name: 'pg_roles',
    where: `c.oid IN (SELECT relowner FROM pg_class WHERE relnamespace NOT IN ${otherSchemas}
                      UNION SELECT nspowner FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
                      UNION SELECT refobjid FROM pg_shdepend
                             WHERE refclassid = 'pg_authid'::regclass AND deptype IN ('a', 'r', 'i')
                               AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))`,
    lazy: [
      ...[
        'rolsuper',
        'rolinherit',
        'rolcreaterole',
        'rolcreatedb',
        'rolcanlogin',
        'rolreplication',
      ],
      ...['rolconnlimit', 'rolpassword', 'rolvaliduntil', 'rolbypassrls', 'rolconfig'],
    ],
  },
];
