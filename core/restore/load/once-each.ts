/**
 * Several items of the bookkeeping in one transaction: what `once` (core/restore/progress.ts) does for one.
 *
 * Invariant: which items are worked on is decided by what the transaction itself could mark, so that it does not matter
 * how an earlier attempt had grouped them.
 */
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';
import { bookkeepingSchemaOf } from '../progress.ts';

type Run = Pick<RestoreRun, 'runId' | 'input'>;

const progressOf = (run: Run) => `${identifier(bookkeepingSchemaOf(run))}.progress`;

/** @returns the rows of those items that are done */
export async function doneEarlier(
  session: Session,
  run: Run,
  items: readonly string[],
): Promise<Map<string, number>> {
  const rows = await session.query<{ item: string; rows: string | null }>(
    `SELECT item, rows FROM ${progressOf(run)} WHERE item = ANY ($1::pg_catalog.text[])`,
    [items],
  );
  return new Map(rows.map((row) => [row.item, Number(row.rows ?? 0)]));
}

/**
 * @param work does one item and returns its rows; called one after another, in the order of `items`, for those that are
 * not done yet
 * @returns the rows of each item, noted now or earlier
 * @throws what `work` throws, after a rollback of them all
 */
export async function onceEach(
  session: Session,
  run: Run,
  items: readonly string[],
  work: (item: string) => Promise<number>,
): Promise<ReadonlyMap<string, number>> {
  const progress = progressOf(run);
  const result = new Map<string, number>();
  await session.query('BEGIN');
  try {
    const marked = await session.query<{ item: string }>(
      `INSERT INTO ${progress} (item) SELECT pg_catalog.unnest($1::pg_catalog.text[])
         ON CONFLICT DO NOTHING RETURNING item`,
      [items],
    );
    const mine = new Set(marked.map(({ item }) => item));
    for (const item of items.filter((one) => mine.has(one))) {
      result.set(item, await work(item));
    }
    // Fails when `work` has swallowed an error of the server: COMMIT would then roll back and say nothing.
    await session.query(
      `UPDATE ${progress} p SET rows = done.rows
         FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.int8[])) AS done (item, rows)
        WHERE p.item = done.item`,
      [[...result.keys()], [...result.values()]],
    );
    const earlier = mine.size < items.length ? await doneEarlier(session, run, items) : [];
    await session.query('COMMIT');
    return new Map([...earlier, ...result]);
  } catch (error) {
    // A session whose rollback fails is dropped: the server then rolls back by itself.
    await session.query('ROLLBACK').catch(() => session.destroy());
    throw error;
  }
}
