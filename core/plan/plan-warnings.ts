/** What is not in the backup although one might expect it: for the manifest, found while planning. */
import type { Warning } from '../contract/manifest.ts';
import type { SelectedSequence } from '../inventory/sequences.ts';
import type { Session } from '../postgres/session.ts';
import { isUserSchema } from './match-patterns.ts';
import type { SelectedTable } from './select-tables.ts';

export async function planWarnings(
  session: Session,
  selected: readonly SelectedTable[],
  sequences: readonly SelectedSequence[],
): Promise<Warning[]> {
  return [
    ...(await partitionsNotSelected(session, selected)),
    ...unloggedSequences(sequences),
    ...(await subscriptionsNotDumped(session)),
    ...(await invalidIndexes(session)),
  ];
}

/** As in pg_dump, a pattern that matches a partitioned table does not choose its partitions, and those have the rows. */
async function partitionsNotSelected(
  session: Session,
  selected: readonly SelectedTable[],
): Promise<Warning[]> {
  const rows = await session.query<{ schema: string; name: string; left: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, pg_catalog.count(*) AS left
       FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS given(oid)
       JOIN pg_catalog.pg_class c ON c.oid = given.oid AND c.relkind = 'p'
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid
       JOIN pg_catalog.pg_class part ON part.oid = i.inhrelid AND part.relkind IN ('r', 'p')
       LEFT JOIN pg_catalog.unnest($1::pg_catalog.oid[]) AS taken(oid) ON taken.oid = i.inhrelid
      WHERE taken.oid IS NULL GROUP BY 1, 2 ORDER BY 1, 2`,
    [selected.map(({ oid }) => oid)],
  );
  return rows.map(({ schema, name, left }) => ({
    code: 'partitions-not-selected',
    message: `${left} partitions of ${schema}.${name} are not in this backup, with all their rows.`,
    hint: 'Choose them too, e.g. with a wildcard in --table, or leave the filter out.',
  }));
}

/** Of an unlogged table's rows its entry in the manifest tells; a sequence's has no place for it. */
function unloggedSequences(sequences: readonly SelectedSequence[]): Warning[] {
  const names = sequences
    .filter(({ resetTo }) => resetTo !== null)
    .map(({ schema, name }) => `${schema}.${name}`);
  if (names.length === 0) return [];
  const more = names.length > 20 ? ` and ${names.length - 20} more` : '';
  return [
    {
      code: 'unlogged-on-standby',
      message: `${names.length} unlogged sequences are in this backup with their start values, because a standby has no others: ${names.slice(0, 20).join(', ')}${more}.`,
      hint: 'Back up from the primary, or make a sequence that matters permanent: ALTER SEQUENCE … SET LOGGED.',
    },
  ];
}

/** Their connection strings are for superusers only, so pg_dump leaves them out with a remark on stderr. */
async function subscriptionsNotDumped(session: Session): Promise<Warning[]> {
  const [row] = await session.query<{ count: string }>(
    `SELECT pg_catalog.count(*) FROM pg_catalog.pg_subscription s
      WHERE s.subdbid = (SELECT oid FROM pg_catalog.pg_database
                          WHERE datname = pg_catalog.current_database())
        AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)`,
  );
  const count = Number(row?.count ?? 0);
  if (count === 0) return [];
  return [
    {
      code: 'subscriptions-not-dumped',
      message: `${count} logical replication subscriptions are not in this backup: only a superuser may read them.`,
      hint: 'Keep their CREATE SUBSCRIPTION statements elsewhere, or back up as a superuser.',
    },
  ];
}

/** Left by a CREATE INDEX CONCURRENTLY that failed: no query uses them, and pg_dump leaves them out. */
async function invalidIndexes(session: Session): Promise<Warning[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_catalog.pg_index i
       JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT i.indisvalid AND ${isUserSchema} ORDER BY 1`,
  );
  return rows.map(({ name }) => ({
    code: 'invalid-index',
    message: `Index ${name} is invalid and is not in this backup.`,
    hint: `REINDEX INDEX CONCURRENTLY ${name}, or drop it.`,
  }));
}
