/** `name=value` of pg_db_role_setting as the `SET name TO value` of ALTER ROLE and ALTER DATABASE. */
import { identifier, literal } from './sql-text.ts';

/**
 * Settings that are lists of names, each quoted by itself (GUC_LIST_QUOTE). The same list as
 * `variable_is_guc_list_quote` of pg_dump: src/bin/pg_dump/dumputils.c.
 */
const nameLists = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

export function setClause(setting: string): string {
  const at = setting.indexOf('=');
  const name = setting.slice(0, at);
  const value = setting.slice(at + 1);
  const values = nameLists.has(name.toLowerCase()) ? splitNames(value) : [value];
  return `SET ${identifier(name)} TO ${values.map(literal).join(', ')}`;
}

/** Splits `a, "B c"`; a name may be quoted with `"` doubled inside. */
function splitNames(list: string): string[] {
  const names = [...list.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
  return names.length === 0 ? [''] : names;
}
