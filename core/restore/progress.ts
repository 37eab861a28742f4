/**
 * The bookkeeping of a restore, in the database that is being restored: whose it is, and which items are done.
 *
 * Invariant: an item is marked in the transaction that does its work, so that it is done once whatever dies: the client,
 * the server's process, or the answer to COMMIT. Two sessions at one item: the second waits, and finds it done.
 */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../contract/errors.ts';
import type { RestoreRun } from '../contract/restore.ts';
import type { Session } from '../postgres/session.ts';
import { identifier } from '../schema/sql-text.ts';
import { withoutEventTriggers } from './event-triggers.ts';

type Run = Pick<RestoreRun, 'runId' | 'input' | 'backup' | 'workDatabase'>;

/** Of a new database it is the only one; in a database that exists each restore has its own. */
export function bookkeepingSchemaOf(run: Pick<RestoreRun, 'runId' | 'input'>): string {
  if (run.input.mode !== 'into') return 'holdfast_restore';
  const digest = createHash('sha256').update(run.runId).digest('hex');
  return `holdfast_restore_${digest.slice(0, 8)}`;
}

/**
 * Makes schema and tables when they are missing.
 *
 * @throws TargetExistsError when they are another run's
 */
export async function createBookkeeping(session: Session, run: Run): Promise<void> {
  const owner = await schemaOwner(session, run);
  if (owner === run.runId) return;
  if (owner !== undefined) throw notOurs(run, owner);
  const schema = identifier(bookkeepingSchemaOf(run));
  await inTransaction(session, async () => {
    await session.query(`CREATE SCHEMA ${schema}`);
    await session.query(
      `CREATE TABLE ${schema}.run (run_id pg_catalog.text PRIMARY KEY, backup_id pg_catalog.text NOT NULL)`,
    );
    await session.query(
      `CREATE TABLE ${schema}.progress (item pg_catalog.text PRIMARY KEY, rows pg_catalog.int8,
         done_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now())`,
    );
    await session.query(`INSERT INTO ${schema}.run VALUES ($1, $2)`, [
      run.runId,
      run.backup.backupId,
    ]);
  });
}

/**
 * Whose the session's database is, as far as restores are concerned.
 *
 * @returns the run to which the bookkeeping belongs, `''` when the schema is not Holdfast's, undefined when there is none
 */
export async function bookkeepingOwner(
  session: Session,
  run: Pick<RestoreRun, 'runId' | 'input'>,
): Promise<string | undefined> {
  return (await schemaOwner(session, run)) ?? (await markOwner(session, run));
}

async function schemaOwner(
  session: Session,
  run: Pick<RestoreRun, 'runId' | 'input'>,
): Promise<string | undefined> {
  const schema = bookkeepingSchemaOf(run);
  const [found] = await session.query<{ hasTables: boolean }>(
    `SELECT (SELECT pg_catalog.count(*) = 2 FROM pg_catalog.pg_class c
              WHERE c.relnamespace = n.oid AND c.relname IN ('run', 'progress')) AS "hasTables"
       FROM pg_catalog.pg_namespace n WHERE n.nspname = $1`,
    [schema],
  );
  if (found === undefined) return undefined;
  if (!found.hasTables) return '';
  const [row] = await session.query<{ runId: string }>(
    `SELECT run_id AS "runId" FROM ${identifier(schema)}.run`,
  );
  return row?.runId ?? '';
}

/** Between CREATE DATABASE and the bookkeeping. */
async function markOwner(
  session: Session,
  run: Pick<RestoreRun, 'runId' | 'input'>,
): Promise<string | undefined> {
  if (run.input.mode === 'into') return undefined;
  const [found] = await session.query<{ limit: number }>(
    `SELECT datconnlimit AS limit FROM pg_catalog.pg_database
      WHERE datname = pg_catalog.current_database()`,
  );
  return found?.limit === creationMarkOf(run) ? run.runId : undefined;
}

/**
 * The connection limit that a database is created with, until its bookkeeping is in it: more than a thousand million,
 * no administrator's number, and no limit.
 */
export function creationMarkOf(run: Pick<RestoreRun, 'runId'>): number {
  const digest = createHash('sha256').update(run.runId).digest();
  return 1_000_000_000 + (digest.readUInt32BE(0) % 1_000_000_000);
}

function notOurs(run: Run, owner: string): HoldfastError {
  const whose = owner === '' ? 'somebody else' : `the restore ${owner}`;
  return new HoldfastError(
    'TargetExistsError',
    `Database ${JSON.stringify(run.workDatabase)} has a schema ${bookkeepingSchemaOf(run)} that belongs to ${whose}; this is ${run.runId}.`,
    { evidence: { database: run.workDatabase, owner } },
  );
}

/**
 * Does `work` unless it was done, in one transaction with its mark.
 *
 * @param work @returns the rows to be noted
 * @returns the rows that were noted, now or earlier
 * @throws what `work` throws, after a rollback
 */
export async function once(
  session: Session,
  run: Run,
  item: string,
  work: () => Promise<number>,
): Promise<{ rows: number; wasDone: boolean }> {
  const progress = `${identifier(bookkeepingSchemaOf(run))}.progress`;
  return inTransaction(session, async () => {
    const added = await session.query(
      `INSERT INTO ${progress} (item) VALUES ($1) ON CONFLICT DO NOTHING RETURNING item`,
      [item],
    );
    if (added.length === 0) {
      const [row] = await session.query<{ rows: string | null }>(
        `SELECT rows FROM ${progress} WHERE item = $1`,
        [item],
      );
      return { rows: Number(row?.rows ?? 0), wasDone: true };
    }
    const rows = await work();
    // Fails when `work` has swallowed an error of the server: COMMIT would then roll back and say nothing.
    await session.query(`UPDATE ${progress} SET rows = $2 WHERE item = $1`, [item, rows]);
    return { rows, wasDone: false };
  });
}

export async function isDone(session: Session, run: Run, item: string): Promise<boolean> {
  const found = await session.query(
    `SELECT 1 FROM ${identifier(bookkeepingSchemaOf(run))}.progress WHERE item = $1`,
    [item],
  );
  return found.length > 0;
}

/** With everything in it: the staging tables of mode `into`, too. Does nothing when there is none. */
export async function dropBookkeeping(session: Session, run: Run): Promise<void> {
  const drop = `DROP SCHEMA IF EXISTS ${identifier(bookkeepingSchemaOf(run))} CASCADE`;
  await session.query(await withoutEventTriggers(session, drop));
}

/** A session whose rollback fails is dropped: the server then rolls back by itself. */
async function inTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query('BEGIN');
  try {
    const result = await work();
    await session.query('COMMIT');
    return result;
  } catch (error) {
    await session.query('ROLLBACK').catch(() => session.destroy());
    throw error;
  }
}
