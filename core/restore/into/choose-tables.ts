/**
 * Which tables of a backup a selection means, by their index in the manifest. Nothing is asked of a server.
 *
 * Invariant: a pattern that matches nothing is an error: a typing mistake must not restore less. Patterns are those of
 * pg_dump; a partitioned table stands for all of its partitions. With table patterns, schema patterns say nothing.
 */
import { errorCatalogue, HoldfastError } from '../../contract/errors.ts';
import type { Manifest, TableEntry } from '../../contract/manifest.ts';
import type { Selection } from '../../contract/restore.ts';
import { schemaPattern, tablePattern } from '../../plan/patterns.ts';

/** Of a manifest, what is looked at, and what names the backup in an error. */
type Looked = Pick<Manifest, 'tables' | 'inventory' | 'backupId' | 'snapshot'>;

interface Name {
  readonly schema: string;
  readonly name: string;
}

/**
 * @returns indices into `manifest.tables`, ascending; all of them when nothing is selected
 * @throws PatternMatchesNothingError
 * @throws UsageError for a pattern that is no regular expression or has too many dots
 */
export function chooseTables(
  manifest: Looked,
  selection: Pick<Selection, 'schemas' | 'tables'>,
): number[] {
  const { tables } = manifest;
  if (selection.tables.length > 0) {
    return indicesOf(tables, selection.tables, (pattern) => tableMatcher(manifest, pattern));
  }
  if (selection.schemas.length > 0) {
    return indicesOf(tables, selection.schemas, (pattern) => schemaMatcher(manifest, pattern));
  }
  return tables.map((_, index) => index);
}

function indicesOf(
  tables: readonly TableEntry[],
  patterns: readonly string[],
  matcherOf: (pattern: string) => (table: TableEntry) => boolean,
): number[] {
  const matchers = patterns.map(matcherOf);
  return tables.flatMap((table, index) =>
    matchers.some((matches) => matches(table)) ? [index] : [],
  );
}

function tableMatcher(manifest: Looked, pattern: string): (table: TableEntry) => boolean {
  const { tables, inventory } = manifest;
  const option = '--table';
  const { schema, name } = tablePattern(pattern, option, inventory.database.name);
  const isName = regexOf(name, pattern, option);
  // Without a schema it means what the database's own search path shows, as for pg_dump.
  const visible = schema === undefined ? searchPathOf(inventory.database) : undefined;
  const isSchema = schema === undefined ? undefined : regexOf(schema, pattern, option);
  const isMeant = (one: Name) =>
    isName.test(one.name) &&
    (isSchema === undefined ? visible?.includes(one.schema) : isSchema.test(one.schema)) === true;
  const matches = (table: TableEntry) =>
    isMeant(table) || (table.root !== undefined && isMeant(table.root));
  if (!tables.some(matches)) {
    const elsewhere = tables.flatMap((table) =>
      [table, ...(table.root === undefined ? [] : [table.root])].filter((one) =>
        isName.test(one.name),
      ),
    );
    throw matchesNothing(manifest, option, pattern, schema === undefined ? elsewhere : []);
  }
  return matches;
}

function schemaMatcher(manifest: Looked, pattern: string): (table: TableEntry) => boolean {
  const isSchema = regexOf(schemaPattern(pattern, '--schema'), pattern, '--schema');
  const matches = ({ schema }: TableEntry) => isSchema.test(schema);
  if (!manifest.tables.some(matches)) throw matchesNothing(manifest, '--schema', pattern, []);
  return matches;
}

/** PostgreSQL's expressions of the simple kind are JavaScript's; `.` is any character, a line break too. */
function regexOf(source: string, pattern: string, option: string): RegExp {
  try {
    return new RegExp(source, 's');
  } catch (cause) {
    throw new HoldfastError(
      'UsageError',
      `${option} ${JSON.stringify(pattern)} is not a pattern: ${(cause as Error).message}`,
      { cause, hint: 'Put characters like ( [ + into double quotes to mean them literally.' },
    );
  }
}

function searchPathOf(database: Manifest['inventory']['database']): string[] {
  const setting = database.settings.find((one) => one.startsWith('search_path='));
  if (setting === undefined) return ['public'];
  const names = setting.slice('search_path='.length).matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g);
  return [...names].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

/** Restores of single tables are asked for after a mistake: the newest backup may be younger than that. */
const orEarlier =
  'An earlier backup may have it: `holdfast list` names them, --at TIME takes the newest one of before.';

function matchesNothing(
  { backupId, snapshot }: Looked,
  option: string,
  pattern: string,
  elsewhere: readonly Name[],
): HoldfastError {
  const found = [...new Set(elsewhere.map(({ schema, name }) => `${schema}.${name}`))].slice(0, 3);
  const spelling =
    found.length === 0
      ? errorCatalogue.PatternMatchesNothingError.hint
      : `Name the schema too: the backup has ${found.join(', ')}.`;
  return new HoldfastError(
    'PatternMatchesNothingError',
    `${option} ${JSON.stringify(pattern)} matches no table of the backup ${backupId}, whose snapshot is of ${snapshot.instant}.`,
    { hint: `${spelling} ${orEarlier}`, evidence: { option, pattern, backupId } },
  );
}
