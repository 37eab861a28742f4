/**
 * What stands in the target after the merge, row by row beside what was staged: every column as the text that COPY writes.
 *
 * Invariant: a row that was written holds the backup's values, to the last digit, or nothing is merged; only rows that
 * were there already and were kept (`skip`) may differ, and are counted.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';
import type { Merged } from '../cutover/database-facts.ts';
import { bookkeepingSchemaOf } from '../progress.ts';
import { type Placing, quoted, shown, stagingOf } from './placing.ts';
import { isKeyed, type TargetTable, targetTable } from './target-table.ts';
import { placeOf } from './write-rows.ts';

const hint =
  'No table was changed. Put the rows beside it with --as or --into-schema, and take over from there what is wanted.';

/**
 * @returns rows of the backup that are other ones in the target, because `skip` has kept these
 * @throws RestoreDifferentError
 */
export async function countKept(
  session: Session,
  run: RestoreRun,
  placing: Placing,
  target: TargetTable,
  { rows, written, isNew }: Merged,
): Promise<number> {
  if (placing.table.format === 'binary') await requireSameTypes(session, run, placing, target);
  const isJoined = !isNew && isKeyed(target, placing.table.columns) && isSortable(target);
  const count = isJoined ? countByKey : countByContent;
  const different = await count(session, run, placing, target);
  if (different === 0) return 0;
  if (placing.table.format === 'text') await requireFitting(session, run, placing, target);
  if (different <= rows - written) return different;
  throw new HoldfastError(
    'RestoreDifferentError',
    `${different} ${different === 1 ? 'row' : 'rows'} of ${shown(placing.target)} would not be those of the backup after they were written.`,
    { hint, evidence: { table: shown(placing.target), rows: different } },
  );
}

const isSortable = ({ primaryKey, keyOperators }: TargetTable): boolean =>
  keyOperators.length === primaryKey.length;

/** As COPY writes it; a cast to text would do it otherwise for char(n), bool, inet. */
const textOf = (value: string): string =>
  `CASE WHEN pg_catalog.num_nulls(${value}) = 0 THEN pg_catalog.format('%s', ${value}) END`;

async function countByKey(
  session: Session,
  run: RestoreRun,
  placing: Placing,
  target: TargetTable,
): Promise<number> {
  const { table } = placing;
  const typeOf = new Map(target.columns.map(({ name, type }) => [name, type]));
  const key = target.primaryKey.map((column, at) => {
    const name = identifier(column);
    return `t.${name} ${target.keyOperators[at]} s.${name}::${typeOf.get(column)}`;
  });
  return counted(
    session,
    `SELECT pg_catalog.count(*) FROM ${stagingOf(run, placing.index)} AS s
       LEFT JOIN ${await rowsOf(session, placing)} AS t ON ${key.join(' AND ')}
      WHERE t.tableoid IS NULL OR ${table.format === 'binary' ? imagesDiffer(table.columns) : textsDiffer(table.columns)}`,
  );
}

const textsDiffer = (columns: readonly string[]): string =>
  columns
    .map(identifier)
    .map((name) => `(${textOf(`t.${name}`)}) IS DISTINCT FROM s.${name}`)
    .join(' OR ');

/** Both sides have the same types; a text of such a row may be too long. */
function imagesDiffer(columns: readonly string[]): string {
  const rowOf = (alias: string) =>
    `ROW(${columns.map((column) => `${alias}.${identifier(column)}`).join(', ')})::pg_catalog.record`;
  return `${rowOf('t')} OPERATOR(pg_catalog.*<>) ${rowOf('s')}`;
}

/**
 * Without a key: rows that the backup has more often than the target. The sums of two equal sets are equal, and cost no
 * sorting. Binary rows went into a table that had none, by the very types of the staging table.
 */
async function countByContent(
  session: Session,
  run: RestoreRun,
  placing: Placing,
): Promise<number> {
  const { columns, format } = placing.table;
  if (format === 'binary') return 0;
  // The hash of a record is a sum over its columns: hashed once more, values that two rows have exchanged change the sum.
  const hashOf = (texts: readonly string[]) =>
    `pg_catalog.hash_record_extended(ROW(${texts.join(', ')}), 0)::pg_catalog.text COLLATE pg_catalog."C"`;
  const select = (texts: readonly string[], from: string) =>
    `SELECT pg_catalog.hashtextextended(${hashOf(texts)}, 0) AS hash FROM ${from}`;
  const names = columns.map(identifier);
  const staged = select(
    names.map((name) => `x.${name}`),
    `${stagingOf(run, placing.index)} AS x`,
  );
  const there = select(
    names.map((name) => textOf(`x.${name}`)),
    `${await rowsOf(session, placing)} AS x`,
  );
  const sumOf = (rows: string) =>
    `(SELECT pg_catalog.format('%s %s', pg_catalog.count(*), pg_catalog.sum(hash)) FROM (${rows}) AS r)`;
  const [sums] = await session.query<{ isEqual: boolean }>(
    `SELECT ${sumOf(staged)} = ${sumOf(there)} AS "isEqual"`,
  );
  if (sums?.isEqual) return 0;
  return counted(
    session,
    `SELECT pg_catalog.count(*) FROM (${staged} EXCEPT ALL ${there}) AS missing`,
  );
}

/** For FROM. Of a partitioned table all rows, of another one not its children's. */
async function rowsOf(session: Session, placing: Placing): Promise<string> {
  const place = quoted(await placeOf(session, placing));
  return place === quoted(placing.target) ? `ONLY ${place}` : place;
}

/** @throws RestoreDifferentError that names the columns whose type makes other values of the backup's */
async function requireFitting(
  session: Session,
  run: RestoreRun,
  placing: Placing,
  target: TargetTable,
): Promise<void> {
  const columns = target.columns.filter(({ name }) => placing.table.columns.includes(name));
  const changed = columns.map(({ name, type, fullType }) => {
    const staged = `s.${identifier(name)}`;
    return `(${textOf(`${staged}::${type}::${fullType}`)}) IS DISTINCT FROM ${staged}`;
  });
  const [row] = await session.query<{ rows: string; counts: string[] }>(
    `SELECT pg_catalog.count(*) FILTER (WHERE ${changed.join(' OR ')}) AS rows,
       ARRAY[${changed.map((one) => `pg_catalog.count(*) FILTER (WHERE ${one})`).join(', ')}]::pg_catalog.text[] AS counts
       FROM ${stagingOf(run, placing.index)} AS s`,
  );
  const unfit = columns.filter((_, at) => Number(row?.counts[at]) > 0);
  if (unfit.length > 0) throw typesDiffer(placing, Number(row?.rows), unfit);
}

async function requireSameTypes(
  session: Session,
  run: RestoreRun,
  placing: Placing,
  target: TargetTable,
): Promise<void> {
  const staging = { schema: bookkeepingSchemaOf(run), name: `t${placing.index}` };
  const staged = (await targetTable(session, staging))?.columns ?? [];
  const unfit = target.columns.filter(({ name, fullType }) =>
    staged.some((one) => one.name === name && one.fullType !== fullType),
  );
  if (unfit.length > 0) throw typesDiffer(placing, placing.table.rows, unfit);
}

function typesDiffer(
  { target }: Placing,
  rows: number,
  unfit: TargetTable['columns'],
): HoldfastError {
  const names = unfit.map(({ name, fullType }) => `${name} is ${fullType}`).join(', ');
  return new HoldfastError(
    'RestoreDifferentError',
    `${shown(target)} cannot hold ${rows} ${rows === 1 ? 'row' : 'rows'} of the backup as they were: ${names}, which was another type then.`,
    { hint, evidence: { table: shown(target), rows, columns: unfit.map(({ name }) => name) } },
  );
}

async function counted(session: Session, sql: string): Promise<number> {
  const [row] = await session.query<{ count: string }>(sql);
  return Number(row?.count ?? 0);
}
