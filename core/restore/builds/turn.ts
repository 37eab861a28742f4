/**
 * Whose turn it is at a build: the session that holds its advisory lock, whether or not its client is still there.
 *
 * Invariant: a session that works is never disturbed; one that holds the lock and does nothing (its client is frozen, or
 * died before it sent the statement) is ended.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../contract/errors.ts';
import type { Session } from '../../postgres/session.ts';

/** A backend that ended is gone at once, one that is told to end at its next look. */
const waitMs = 15_000;
const pollMs = 50;

/**
 * @param name application name that all sessions of this build bear
 * @returns `undefined`, or for how many seconds another session has been at work
 * @throws TaskTimedOutError when one that does nothing does not end either
 */
export async function takeTurn(session: Session, name: string): Promise<number | undefined> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const [lock] = await session.query<{ isMine: boolean }>(
      'SELECT pg_catalog.pg_try_advisory_lock($1::pg_catalog.int8) AS "isMine"',
      [keyOf(name)],
    );
    if (lock?.isMine === true) return undefined;
    const [holder] = await session.query<{ pid: number; isWorking: boolean; seconds: number }>(
      `SELECT a.pid, a.state = 'active' AS "isWorking",
              coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start), 0)::pg_catalog.float8 AS seconds,
              CASE WHEN a.state LIKE 'idle%' THEN pg_catalog.pg_terminate_backend(a.pid) END AS ended
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND ((l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8) = $1::pg_catalog.int8
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
          AND a.application_name = $2`,
      [keyOf(name), name],
    );
    if (holder?.isWorking === true) return Math.max(0, holder.seconds);
    if (Date.now() > deadline) {
      throw new HoldfastError(
        'TaskTimedOutError',
        `Process ${holder?.pid ?? 'unknown'} of an earlier attempt (${name}) does not end.`,
      );
    }
    await sleep(pollMs);
  }
}

const keyOf = (name: string): string =>
  String(createHash('sha256').update(name).digest().readBigUInt64BE(0) >> 1n);

/** Shares of the whole: reading the table, sorting, writing the index. As seen with btrees; a hint for people. */
const scanningShare = 0.6;
const loadingFrom = 0.7;

interface IndexProgress {
  phase: string;
  blocks: number | null;
  tuples: number | null;
}

/** @returns of an index how much is done, 0 to 1; null when the server does not tell */
export async function shareOf(session: Session, name: string): Promise<number | null> {
  const [row] = await session.query<IndexProgress>(
    `SELECT p.phase, p.blocks_done / NULLIF(p.blocks_total, 0)::pg_catalog.float8 AS blocks,
            p.tuples_done / NULLIF(p.tuples_total, 0)::pg_catalog.float8 AS tuples
       FROM pg_catalog.pg_stat_progress_create_index p
       JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
      WHERE a.application_name = $1`,
    [name],
  );
  if (row === undefined) return null;
  if (/loading/.test(row.phase))
    return loadingFrom + (1 - loadingFrom) * Math.min(1, row.tuples ?? 0);
  if (/sorting/.test(row.phase)) return scanningShare;
  return scanningShare * Math.min(1, row.blocks ?? 0);
}
