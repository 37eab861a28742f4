/**
 * The rows of a staging table as the target's columns take them: each text read by its column's type.
 *
 * Invariant: a value that does not fit its column is an error; nothing is cut off or rounded to fit.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { identifier } from '../../schema/sql-text.ts';
import { type Placing, shown, stagingOf } from './placing.ts';
import type { TargetTable } from './target-table.ts';

export interface RowSource {
  /** For FROM: the rows, under the table's own name. */
  readonly from: string;
  /** The same of one row only, which is `s` of a statement around it. */
  readonly fromOne: string;
  /** For INSERT, quoted. */
  readonly columns: readonly string[];
}

/** @throws UsageError when the target lacks a column, or makes its values itself */
export function rowSource(
  run: Pick<RestoreRun, 'runId' | 'input'>,
  placing: Placing,
  target: TargetTable,
): RowSource {
  const { table } = placing;
  const unfit = unfitColumns(table.columns, target);
  if (unfit.length > 0) throw columnsDiffer(placing, unfit);
  const typeOf = new Map(target.columns.map(({ name, type }) => [name, type]));
  const staging = stagingOf(run, placing.index);
  const values = table.columns.map((column) => {
    const name = identifier(column);
    // Binary rows have the types already.
    return table.format === 'binary' ? `s.${name}` : `s.${name}::${typeOf.get(column)} AS ${name}`;
  });
  const name = identifier(table.name);
  return {
    from: `(SELECT ${values.join(', ')} FROM ${staging} AS s) AS ${name}`,
    fromOne: `(SELECT ${values.join(', ')}) AS ${name}`,
    columns: table.columns.map(identifier),
  };
}

/** Columns of the backup that the target has not, or computes. */
export function unfitColumns(columns: readonly string[], target: TargetTable): string[] {
  const fit = new Set(
    target.columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => name),
  );
  return columns.filter((column) => !fit.has(column));
}

export function columnsDiffer(
  { target }: Pick<Placing, 'target'>,
  unfit: readonly string[],
): HoldfastError {
  return new HoldfastError(
    'UsageError',
    `${shown(target)} has other columns than the backup: it lacks ${unfit.join(', ')}, or computes it.`,
    {
      hint: 'Put the rows beside it with --as or --into-schema, and take over from there what is wanted.',
    },
  );
}

export const besideUnkeyed =
  'Put the rows beside it with --as TABLE, and take over from there what is missing.';

/** Of a table with rows. */
export const notKeyed = ({ target }: Pick<Placing, 'target'>): HoldfastError =>
  new HoldfastError(
    'UsageError',
    `${shown(target)} has rows, and no primary key of columns that the backup has values for: rows that are there already would be written a second time.`,
    { hint: besideUnkeyed },
  );
