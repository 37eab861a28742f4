/**
 * Databases of the target server by their oid, which stays when a name changes: by it a second attempt of a cutover
 * knows what the first one did.
 */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { applicationNameOf } from '../../postgres/application-name.ts';
import { openSession, type Session } from '../../postgres/session.ts';
import { onDatabase } from '../target-session.ts';

export const identitySchema = z.strictObject({
  oid: z.int().positive(),
  name: z.string(),
  allowsConnections: z.boolean(),
});
export type DatabaseIdentity = z.infer<typeof identitySchema>;

/** The fact `cutover-begun`: what there was before anything was renamed. */
export const cutoverBegunSchema = z.strictObject({
  work: identitySchema,
  /** Mode `swap`: the one that is replaced; null when there was none of that name. */
  previous: identitySchema.nullable(),
  /** Of the cluster; null where it cannot be read, absent in runs of earlier versions. */
  systemIdentifier: z.string().nullable().optional(),
});
export type CutoverBegun = z.infer<typeof cutoverBegunSchema>;

/** Mode `into`: what became of the rows of one table. */
export const mergedSchema = z.strictObject({
  table: z.string(),
  /** Of the backup, that `where` lets pass. */
  rows: z.int().nonnegative(),
  /** Inserted or replaced. */
  written: z.int().nonnegative(),
  /** With `skip`: rows that are other ones than the backup's, because they were there and were kept. */
  different: z.int().nonnegative(),
  isNew: z.boolean(),
});
export type Merged = z.infer<typeof mergedSchema>;

/** The fact `cutover`: it has happened. */
export const cutoverDoneSchema = z.strictObject({
  database: z.string(),
  previousDatabase: z.string().nullable(),
  /** Mode `into`: of each table; absent otherwise. */
  merged: z.array(mergedSchema).optional(),
});
export type CutoverDone = z.infer<typeof cutoverDoneSchema>;

export const databaseNamed = (
  session: Session,
  name: string,
): Promise<DatabaseIdentity | undefined> => findDatabase(session, 'datname', name);

export const databaseWithOid = (
  session: Session,
  oid: number,
): Promise<DatabaseIdentity | undefined> => findDatabase(session, 'oid', oid);

async function findDatabase(
  session: Session,
  column: 'datname' | 'oid',
  value: string | number,
): Promise<DatabaseIdentity | undefined> {
  const [row] = await session.query<DatabaseIdentity>(
    `SELECT oid::pg_catalog.int8::pg_catalog.float8 AS oid, datname AS name, datallowconn AS "allowsConnections"
       FROM pg_catalog.pg_database WHERE ${column} = $1`,
    [value],
  );
  return row;
}

/** None of `affected`: the connection's own when it may be, else `postgres`, else `template1`. */
export const databaseBeside = (own: string, affected: readonly (string | null)[]): string =>
  [own, 'postgres', 'template1'].find((name) => !affected.includes(name)) ?? own;

/** A session in a database that is none of `affected`: one cannot rename the database that one is in. */
export async function openBeside(
  deps: Pick<Deps, 'connectionOf'>,
  run: Pick<RestoreRun, 'runId' | 'input'>,
  what: string,
  affected: readonly (string | null)[],
): Promise<Session> {
  const settings = await deps.connectionOf(run.input.target);
  return openSession(onDatabase(settings, databaseBeside(settings.database, affected)), {
    applicationName: applicationNameOf(run.runId, what),
    purpose: 'writer',
  });
}
