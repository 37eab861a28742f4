/** The database as an object of its server: locale, owner, ACL, comment, labels and settings, from the catalogs. */
import { HoldfastError } from '../contract/errors.ts';
import type { Inventory } from '../contract/manifest.ts';
import type { Session } from '../postgres/session.ts';

/** Columns of pg_database came and went: 15 added the provider and version, 16 ICU rules, 17 renamed the locale. */
function localeColumns(versionNum: number): string {
  if (versionNum >= 170000)
    return 'd.datlocprovider AS provider, d.datlocale AS locale, d.daticurules AS "icuRules", d.datcollversion AS "collationVersion"';
  if (versionNum >= 160000)
    return 'd.datlocprovider AS provider, d.daticulocale AS locale, d.daticurules AS "icuRules", d.datcollversion AS "collationVersion"';
  if (versionNum >= 150000)
    return 'd.datlocprovider AS provider, d.daticulocale AS locale, NULL AS "icuRules", d.datcollversion AS "collationVersion"';
  return `'c' AS provider, NULL AS locale, NULL AS "icuRules", NULL AS "collationVersion"`;
}

export const providerName = (letter: string): string =>
  ({ c: 'libc', i: 'icu', b: 'builtin', d: 'default' })[letter] ?? letter;

interface Row extends Omit<Inventory['database'], 'localeProvider' | 'securityLabels'> {
  provider: string;
}

export async function readDatabase(session: Session): Promise<Inventory['database']> {
  const [row] = await session.query<Row>(`
    SELECT d.datname AS name, pg_catalog.pg_get_userbyid(d.datdba) AS owner,
           pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
           d.datcollate AS collate, d.datctype AS ctype, ${localeColumns(session.serverVersionNum)},
           d.datconnlimit AS "connectionLimit", t.spcname AS tablespace,
           d.datistemplate AS "isTemplate", d.datacl::pg_catalog.text[] AS acl,
           pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
           ARRAY(SELECT pg_catalog.unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s
                  WHERE s.setdatabase = d.oid AND s.setrole = 0) AS settings
      FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
     WHERE d.datname = pg_catalog.current_database()`);
  if (row === undefined) {
    throw new HoldfastError('SchemaMovedError', 'The database was renamed since the snapshot.');
  }
  const securityLabels = await session.query<{ provider: string; label: string }>(`
    SELECT l.provider, l.label FROM pg_catalog.pg_shseclabel l
      JOIN pg_catalog.pg_database d ON d.oid = l.objoid
     WHERE l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
       AND d.datname = pg_catalog.current_database() ORDER BY l.provider`);
  const { provider, ...facts } = row;
  return { ...facts, localeProvider: providerName(provider), securityLabels };
}
