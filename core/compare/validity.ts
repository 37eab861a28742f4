/** What no definition says and only the catalogs of a live database know: is all of it in order and switched on? */
import type { SwitchedOff } from '../contract/manifest.ts';
import { readSwitchedOff } from '../inventory/switched-off.ts';
import { isUserSchema } from '../plan/match-patterns.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { Session } from '../postgres/session.ts';
import { identifier } from '../schema/sql-text.ts';
import type { Validity } from './side.ts';

export interface CheckedValidity extends Validity {
  /** B-trees for which there was no time. */
  readonly uncheckedIndexes: number;
}

/**
 * @param session in a transaction
 * @param indexCheckMs after it no index is checked any more, and the check of a large one is stopped
 */
export async function readValidity(
  session: Session,
  indexCheckMs: number,
): Promise<CheckedValidity> {
  const texts = async (sql: string) =>
    (await session.query<{ text: string }>(sql)).map(({ text }) => text);
  return {
    invalidIndexes: await texts(invalidIndexesSql),
    switchedOff: [...new Set((await readSwitchedOff(session)).map(switchedOffText))],
    ...(await checkIndexes(session, indexCheckMs)),
  };
}

/** A partitioned index that lacks one of its partitions is written so by pg_dump, and compared there. */
const invalidIndexesSql = `
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS text
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE NOT (i.indisvalid AND i.indisready) AND ${isUserSchema}
   ORDER BY 1`;

/** Triggers of foreign keys have names that differ from server to server: the constraint is named. */
export const switchedOffText = ({ constraint, on, state }: SwitchedOff): string =>
  `${constraint} on ${on.schema}.${on.name}: ${state}`;

/** insufficient_privilege, undefined_function: then nobody can ask. */
const cannotAsk = new Set(['42501', '42883']);

/** By the timeout. */
const queryCanceled = '57014';
/** What a timeout can be; and enough for the statements around a check. */
const longestMs = 2 ** 31 - 1;
const shortestMs = 100;

/** bt_index_check of amcheck, where somebody has installed it: reads each b-tree once and locks nobody out. */
async function checkIndexes(
  session: Session,
  indexCheckMs: number,
): Promise<Pick<CheckedValidity, 'damagedIndexes' | 'uncheckedIndexes'>> {
  const end = performance.now() + indexCheckMs;
  const [extension] = await session.query<{ schema: string }>(
    `SELECT n.nspname AS schema FROM pg_catalog.pg_extension e
       JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'`,
  );
  if (extension === undefined) return { damagedIndexes: [], uncheckedIndexes: 0 };
  const indexes = await session.query<{ oid: number; name: string }>(btreesSql);
  const damaged: string[] = [];
  for (const [index, { oid, name }] of indexes.entries()) {
    const leftMs = Math.ceil(end - performance.now());
    const uncheckedIndexes = indexes.length - index;
    if (leftMs <= 0) return { damagedIndexes: damaged, uncheckedIndexes };
    await session.query('SAVEPOINT check_index');
    let state: string | undefined;
    try {
      await session.query(
        `SET LOCAL statement_timeout = ${Math.min(longestMs, Math.max(shortestMs, leftMs))}`,
      );
      await session.query(
        `SELECT ${identifier(extension.schema)}.bt_index_check($1::pg_catalog.oid::pg_catalog.regclass)`,
        [oid],
      );
    } catch (error) {
      state = sqlstateOf(error);
      if (state === undefined) throw error;
    }
    // Gives the lock and the timeout back too.
    await session.query('ROLLBACK TO SAVEPOINT check_index; RELEASE SAVEPOINT check_index');
    if (state === undefined) continue;
    if (cannotAsk.has(state)) return { damagedIndexes: damaged, uncheckedIndexes: 0 };
    if (state === queryCanceled) return { damagedIndexes: damaged, uncheckedIndexes };
    // The server's message quotes block numbers, never values: XX002 is index_corrupted.
    damaged.push(`${name}: ${state}`);
  }
  return { damagedIndexes: damaged, uncheckedIndexes: 0 };
}

const btreesSql = `
  SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' AND c.relpersistence = 'p'
    JOIN pg_catalog.pg_am am ON am.oid = c.relam AND am.amname = 'btree'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE i.indisvalid AND i.indisready AND ${isUserSchema}
   ORDER BY 2`;
