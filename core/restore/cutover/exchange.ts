/**
 * Renames of databases, so that clients see the one or the other and never none for longer than a transaction.
 *
 * Invariants: both renames of an exchange are one transaction, which is committed only when the databases that were
 * meant (by oid) have got the names; nobody can connect to the one that leaves while it is tried, and when it fails it
 * is as open as it was. The one that left stays closed: a client with an old address must not write into it unnoticed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError, isHoldfastError } from '../../contract/errors.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier, literal } from '../../schema/sql-text.ts';
import {
  type ConnectedSession,
  connectedTo,
  endConnected,
  inUse,
  mayNotEnd,
  requireUnused,
} from './connected-sessions.ts';
import { type DatabaseIdentity, databaseWithOid } from './database-facts.ts';

/** The server itself waits 5 s in each try for sessions to leave; clients that were just let in are ended in between. */
const tryMs = 60_000;
const pauseMs = 100;
/** Tries that failed with nobody to be seen: whoever it is, ends by no doing of ours. */
const unseenTries = 2;

const objectInUse = '55006';
const divisionByZero = '22012';

export interface Exchange {
  readonly runId: string;
  /** Has the name now, and gets another. As open as it says it is again after a failure: an earlier try may have closed it. */
  readonly leaving: { readonly database: DatabaseIdentity; readonly newName: string };
  /** Gets the name that `leaving` has. Nobody but us has business in it: sessions there are ended. */
  readonly entering: DatabaseIdentity;
  /** May sessions of the one that leaves be ended? */
  readonly disconnect: boolean;
  /** Ends the tries. */
  readonly signal?: AbortSignal | undefined;
}

interface Renaming {
  readonly database: DatabaseIdentity;
  readonly newName: string;
  /** May sessions of others be ended? */
  readonly disconnect: boolean;
}

/**
 * @throws TargetInUseError with sessions of others and without `disconnect`, and with such that may not be ended, before
 * anything is closed; TargetExistsError; TargetChangedError when one of them has another name meanwhile
 */
export async function exchange(session: Session, exchange: Exchange): Promise<void> {
  const { leaving, entering, runId, disconnect, signal } = exchange;
  const renamings = [
    { database: leaving.database, newName: leaving.newName, disconnect },
    { database: entering, newName: leaving.database.name, disconnect: true },
  ];
  for (const { database } of renamings) await requireName(session, database, database.name);
  try {
    await requireUnused(session, leaving.database, runId, disconnect);
    await untilFree(session, entering, runId, signal);
    await setAllowed(session, leaving.database.oid, false);
    await untilUnused(session, renamings, runId, signal);
  } catch (error) {
    if (leaving.database.allowsConnections) {
      await setAllowed(session, leaving.database.oid, true).catch(() => undefined);
    }
    throw error;
  }
}

/**
 * Of a database that nobody but us has business in: sessions there are ended.
 * @throws TargetInUseError by such as may not be ended; TargetExistsError; TargetChangedError
 */
export async function rename(
  session: Session,
  runId: string,
  database: DatabaseIdentity,
  newName: string,
): Promise<void> {
  await requireName(session, database, database.name);
  await untilFree(session, database, runId);
  await untilUnused(session, [{ database, newName, disconnect: true }], runId);
}

/** Opens or closes a database; does nothing when it has gone. @returns whether it was otherwise */
export async function setAllowed(
  session: Session,
  oid: number,
  isAllowed: boolean,
): Promise<boolean> {
  const now = await databaseWithOid(session, oid);
  if (now === undefined || now.allowsConnections === isAllowed) return false;
  await inTransaction(session, async () => {
    await session.query(`ALTER DATABASE ${identifier(now.name)} ALLOW_CONNECTIONS ${isAllowed}`);
    await requireName(session, now, now.name);
  });
  return true;
}

/** The name may have gone to another database since it was read: an oid never does. */
async function requireName(
  session: Session,
  { oid }: DatabaseIdentity,
  expected: string,
): Promise<void> {
  const now = await databaseWithOid(session, oid);
  if (now?.name === expected) return;
  const state = now === undefined ? 'is gone' : `is called ${JSON.stringify(now.name)} now`;
  throw new HoldfastError(
    'TargetChangedError',
    `The database that was ${JSON.stringify(expected)} (oid ${oid}) ${state}: nothing was renamed.`,
    { evidence: { expected, oid, now: now?.name ?? null } },
  );
}

/**
 * All of it in one message, which is one transaction: whoever connects under the name waits until its end, and then is
 * told that there is no such database. After the renames nobody else can rename these, so there their oids are looked at.
 */
async function renameAll(session: Session, renamings: readonly Renaming[]): Promise<void> {
  const meant = renamings.map(
    ({ database, newName }) => `(${database.oid}::pg_catalog.oid, ${literal(newName)})`,
  );
  const divideByZeroUnlessMeant = `SELECT 1 / (pg_catalog.count(*) = ${meant.length})::pg_catalog.int4
    FROM pg_catalog.pg_database WHERE (oid, datname) IN (${meant.join(', ')})`;
  const renames = renamings.map(({ database, newName }) => renameSql(database.name, newName));
  try {
    await session.query([...renames, divideByZeroUnlessMeant].join(';\n'));
  } catch (error) {
    if (sqlstateOf(error) !== divisionByZero) throw error;
    throw new HoldfastError(
      'TargetChangedError',
      `Somebody renamed ${renamings.map(({ database }) => JSON.stringify(database.name)).join(' or ')} at this very moment: nothing was renamed by us.`,
      { cause: error },
    );
  }
}

/** Of a working database: an administrator's tool may look into it for a moment, and nothing is closed yet. */
async function untilFree(
  session: Session,
  database: DatabaseIdentity,
  runId: string,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + tryMs;
  for (;;) {
    signal?.throwIfAborted();
    await endConnected(session, database.oid);
    try {
      return await requireUnused(session, database, runId, true);
    } catch (error) {
      if (!isHoldfastError(error, 'TargetInUseError') || Date.now() > deadline) throw error;
      await sleep(pauseMs);
    }
  }
}

const renameSql = (from: string, to: string): string =>
  `ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`;

async function untilUnused(
  session: Session,
  renamings: readonly Renaming[],
  runId: string,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + tryMs;
  let unseen = 0;
  for (;;) {
    signal?.throwIfAborted();
    for (const { database, disconnect } of renamings) {
      await endConnected(session, database.oid, disconnect ? undefined : runId);
    }
    try {
      return await renameAll(session, renamings);
    } catch (error) {
      if (sqlstateOf(error) === '42P04') {
        throw new HoldfastError('TargetExistsError', (error as Error).message, { cause: error });
      }
      if (sqlstateOf(error) !== objectInUse) throw error;
      const users = await firstInUse(session, renamings);
      if (users === undefined) unseen += 1;
      else throwIfLasting(users);
      if (unseen < unseenTries && Date.now() < deadline) {
        await sleep(pauseMs);
        continue;
      }
      if (users !== undefined) throw inUse(users.name, users.sessions);
      throw new HoldfastError('TargetInUseError', (error as Error).message, {
        cause: error,
        hint: 'Enabled subscriptions (ALTER SUBSCRIPTION … DISABLE), background workers of extensions, prepared transactions and replication slots in use count as well: see pg_subscription, pg_stat_activity, pg_prepared_xacts, pg_replication_slots.',
      });
    }
  }
}

interface Users {
  readonly name: string;
  readonly sessions: readonly ConnectedSession[];
  readonly disconnect: boolean;
}

/** Without `disconnect` somebody who came after the look keeps it; with it they are ended until the time is up. */
function throwIfLasting({ name, sessions, disconnect }: Users): void {
  if (!disconnect) throw inUse(name, sessions);
  const lasting = sessions.filter(({ mayEnd }) => !mayEnd);
  if (lasting.length > 0) throw mayNotEnd(name, lasting);
}

async function firstInUse(
  session: Session,
  renamings: readonly Renaming[],
): Promise<Users | undefined> {
  for (const { database, disconnect } of renamings) {
    const sessions = await connectedTo(session, database.oid);
    if (sessions.length > 0) return { name: database.name, sessions, disconnect };
  }
  return undefined;
}

async function inTransaction(session: Session, work: () => Promise<void>): Promise<void> {
  await session.query('BEGIN');
  try {
    await work();
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
