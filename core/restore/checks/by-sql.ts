/**
 * A check by a query in the restored database: read-only, one statement, with the database's own settings, as the
 * person who wrote it would see it in psql.
 */
import pg from 'pg';
import type { Deps } from '../../contract/deps.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { mapPgError } from '../../postgres/connect-errors.ts';
import { openTarget } from '../target-session.ts';
import type { CheckFinding } from './by-command.ts';

interface SqlCheck {
  readonly sql: string;
  readonly expect: string;
}

const keptCharacters = 2_000;

/**
 * @param limits after `timeoutMs` the query fails
 * @throws the signal's reason, when it is given meanwhile
 */
export async function checkBySql(
  deps: Deps,
  run: RestoreRun,
  { sql, expect }: SqlCheck,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<CheckFinding> {
  await using session = await openTarget(deps, run, 'check');
  // Our pins (an empty search_path, row_security off) would make another query of it.
  await session.query('RESET ALL');
  await session.query(`SET client_encoding = 'UTF8'`);
  await session.query(`SET statement_timeout = ${Math.ceil(timeoutMs)}`);
  await session.query('BEGIN READ ONLY');
  const stop = () => session.destroy();
  signal.addEventListener('abort', stop);
  try {
    const got = await firstValue(session.client, sql);
    return { isPassed: got === expect, expected: expect, got: got.slice(0, keptCharacters) };
  } catch (error) {
    signal.throwIfAborted();
    const failure = mapPgError(error, 'The server', 'connected');
    if (failure.retryable || !(failure.cause instanceof pg.DatabaseError)) throw failure;
    const got = `${failure.cause.severity}: ${failure.cause.message}`;
    return { isPassed: false, expected: expect, got: got.slice(0, keptCharacters) };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** As text, as the server writes it. The extended protocol takes one statement only, so that none can follow `COMMIT;`. */
async function firstValue(client: pg.Client, sql: string): Promise<string> {
  const asText = { getTypeParser: () => (text: string) => text };
  const { rows } = await client.query({
    text: sql,
    rowMode: 'array',
    queryMode: 'extended',
    types: asText,
  } as unknown as pg.QueryArrayConfig);
  const [row] = rows as (string | null)[][];
  if (row === undefined) return '(no row)';
  return row[0] ?? '';
}
