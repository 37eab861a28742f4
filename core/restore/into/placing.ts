/**
 * Where the rows of a chosen table go: into the table of its own name, or beside it (`as`, `intoSchema`).
 *
 * Invariant: two tables never go to one place, and a copy beside is always a table of its own.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { Manifest, TableEntry } from '../../contract/manifest.ts';
import type { RestoreRun, Selection } from '../../contract/restore.ts';
import { identifier } from '../../schema/sql-text.ts';
import { bookkeepingSchemaOf } from '../progress.ts';
import { chooseTables } from './choose-tables.ts';

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export interface Placing {
  /** Into the manifest's tables. */
  readonly index: number;
  readonly table: TableEntry;
  readonly target: TableName;
  /** A copy beside the original, which is not touched. */
  readonly isBeside: boolean;
}

/** In SQL. */
export const quoted = ({ schema, name }: TableName): string =>
  `${identifier(schema)}.${identifier(name)}`;

/** For people: names as they are. */
export const shown = ({ schema, name }: TableName): string => `${schema}.${name}`;

/** The table that LoadUnit fills, in SQL. */
export const stagingOf = (run: Pick<RestoreRun, 'runId' | 'input'>, index: number): string =>
  quoted({ schema: bookkeepingSchemaOf(run), name: `t${index}` });

/**
 * @throws UsageError for options that do not go together; PatternMatchesNothingError
 */
export function placeTables(manifest: Manifest, selection: Selection): Placing[] {
  const { as, intoSchema, where } = selection;
  const placings = chooseTables(manifest, selection).map((index): Placing => {
    const table = manifest.tables[index] as TableEntry;
    const target = { schema: intoSchema ?? table.schema, name: as ?? table.name };
    return { index, table, target, isBeside: as !== undefined || intoSchema !== undefined };
  });
  for (const [option, value] of Object.entries({ '--as': as, '--where': where })) {
    if (value !== undefined && placings.length !== 1) throw oneTableOnly(option, placings);
  }
  const original = placings.find(
    ({ isBeside, table, target }) => isBeside && shown(table) === shown(target),
  );
  if (original !== undefined) {
    throw new HoldfastError(
      'UsageError',
      `--as and --into-schema name the original itself, ${shown(original.table)}; a copy needs another name or schema.`,
    );
  }
  const places = placings.map(({ target }) => JSON.stringify([target.schema, target.name]));
  const double = placings.find((_, at) => places.indexOf(places[at] as string) !== at);
  if (double !== undefined) {
    throw new HoldfastError(
      'UsageError',
      `Two of the chosen tables would both become ${shown(double.target)}.`,
      { hint: 'Choose tables of one schema at a time.' },
    );
  }
  return placings;
}

function oneTableOnly(option: string, placings: readonly Placing[]): HoldfastError {
  const some = placings.slice(0, 5).map(({ table }) => shown(table));
  return new HoldfastError(
    'UsageError',
    `${option} is for one table; chosen are ${placings.length}: ${some.join(', ')}${placings.length > 5 ? ' …' : ''}.`,
    { hint: 'Choose one with --table SCHEMA.TABLE (of a partitioned table: one partition).' },
  );
}
