/** Extensions that are not to be had elsewhere: a restore there fails at CREATE EXTENSION. */
import type { Session } from '../../postgres/session.ts';
import { type CheckDefinition, listed, ok, plural, warning } from '../check.ts';

/**
 * What Amazon RDS and Aurora offer for some supported major, from "Extension versions for Amazon RDS for PostgreSQL":
 * most of contrib is in it, and what is in it is nearly everywhere.
 */
const widelyAvailable = new Set(
  `address_standardizer address_standardizer_data_us amcheck autoinc aws_commons aws_lambda aws_s3 bloom bool_plperl
  btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance fuzzystrmatch h3 h3_postgis hll hstore
  hstore_plperl hypopg insert_username intagg intarray ip4r isn jsonb_plperl lo log_fdw ltree moddatetime mysql_fdw
  old_snapshot oracle_fdw orafce pageinspect pg_bigm pg_buffercache pg_cron pg_freespacemap pg_hint_plan pg_partman
  pg_prewarm pg_proctab pg_repack pg_similarity pg_stat_statements pg_tle pg_transport pg_trgm pg_visibility
  pg_walinspect pgactive pgaudit pgcrypto pglogical pgrouting pgrowlocks pgstattuple pgtap plcoffee plls plperl plpgsql
  plprofiler plrust pltcl plv8 postgis postgis_raster postgis_tiger_geocoder postgis_topology postgres_fdw prefix rdkit
  rds_tools refint seg sslinfo tablefunc tcn tds_fdw test_parser tsm_system_rows tsm_system_time unaccent uuid-ossp
  vector xml2`.split(/\s+/),
);

export const extensions: CheckDefinition<Session> = {
  id: 'extensions',
  title: 'Extensions',
  async look(session) {
    const rows = await session.query<{ name: string; version: string }>(
      'SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1',
    );
    const rare = rows.filter(({ name }) => !widelyAvailable.has(name));
    if (rare.length === 0)
      return ok(`${plural(rows.length, 'extension')}, all of them widely available.`);
    return warning(
      `${plural(rare.length, 'extension')} not offered by Amazon RDS: ` +
        `${listed(rare.map(({ name, version }) => `${name} ${version}`))}.`,
      'Make sure that the server to restore to has them: without them CREATE EXTENSION fails there.',
    );
  },
};
