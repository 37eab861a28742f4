/**
 * Renames of databases, so that clients see the one or the other and never none for longer than a transaction.
 *
 * Invariants: both renames of an exchange are one transaction; nobody can connect to the one that leaves while it is
 * tried, and when it fails it is as open as it was. The one that left stays closed: a client with an old address must
 * not write into it unnoticed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../contract/errors.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';
import { connectedTo, endConnected, inUse, requireUnused } from './connected-sessions.ts';
import { type DatabaseIdentity, databaseWithOid } from './database-facts.ts';

/** The server itself waits 5 s in each try for sessions to leave; clients that were just let in are ended in between. */
const tryMs = 60_000;
const pauseMs = 100;

const objectInUse = '55006';

export interface Exchange {
  readonly runId: string;
  /** Has the name now, and gets another. */
  readonly leaving: { readonly database: DatabaseIdentity; readonly newName: string };
  /** Gets the name that `leaving` has. */
  readonly entering: DatabaseIdentity;
  readonly disconnect: boolean;
}

/** @throws TargetInUseError with sessions of others and without `disconnect`; TargetExistsError */
export async function exchange(session: Session, exchange: Exchange): Promise<void> {
  const { leaving, entering, runId, disconnect } = exchange;
  // Before it is closed: who may not be ended shall not notice anything.
  if (!disconnect) await requireUnused(session, leaving.database, runId);
  await allowConnections(session, leaving.database.name, false);
  try {
    await untilUnused(session, [leaving.database, entering], disconnect, runId, () =>
      inTransaction(session, [
        renameSql(leaving.database.name, leaving.newName),
        renameSql(entering.name, leaving.database.name),
      ]),
    );
  } catch (error) {
    if (leaving.database.allowsConnections) {
      await allowConnections(session, leaving.database.name, true).catch(() => undefined);
    }
    throw error;
  }
}

/** @throws TargetInUseError, TargetExistsError */
export async function rename(
  session: Session,
  runId: string,
  database: DatabaseIdentity,
  newName: string,
): Promise<void> {
  await untilUnused(session, [database], false, runId, () =>
    inTransaction(session, [renameSql(database.name, newName)]),
  );
}

/** Opens or closes a database; does nothing when it has gone. */
export async function setAllowed(session: Session, oid: number, isAllowed: boolean): Promise<void> {
  const now = await databaseWithOid(session, oid);
  if (now === undefined || now.allowsConnections === isAllowed) return;
  await allowConnections(session, now.name, isAllowed);
}

async function allowConnections(session: Session, name: string, isAllowed: boolean): Promise<void> {
  await session.query(`ALTER DATABASE ${identifier(name)} ALLOW_CONNECTIONS ${isAllowed}`);
}

const renameSql = (from: string, to: string): string =>
  `ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`;

async function untilUnused(
  session: Session,
  databases: readonly DatabaseIdentity[],
  disconnect: boolean,
  runId: string,
  attempt: () => Promise<void>,
): Promise<void> {
  const deadline = Date.now() + tryMs;
  for (;;) {
    for (const { oid } of databases) {
      await endConnected(session, oid, disconnect ? undefined : runId);
    }
    try {
      return await attempt();
    } catch (error) {
      if (sqlstateOf(error) === '42P04') {
        throw new HoldfastError('TargetExistsError', (error as Error).message, { cause: error });
      }
      if (sqlstateOf(error) !== objectInUse) throw error;
      const users = await firstInUse(session, databases);
      // Without `disconnect` somebody who came after the look keeps it; with it they are ended until the time is up.
      const isHopeless = users !== undefined && !disconnect && users.name === databases[0]?.name;
      if (!isHopeless && Date.now() < deadline) {
        await sleep(pauseMs);
        continue;
      }
      if (users !== undefined) throw inUse(users.name, users.sessions);
      throw new HoldfastError('TargetInUseError', (error as Error).message, {
        cause: error,
        hint: 'Prepared transactions and replication slots in use count as well: see pg_prepared_xacts, pg_replication_slots.',
      });
    }
  }
}

async function firstInUse(session: Session, databases: readonly DatabaseIdentity[]) {
  for (const { oid, name } of databases) {
    const sessions = await connectedTo(session, oid);
    if (sessions.length > 0) return { name, sessions };
  }
  return undefined;
}

async function inTransaction(session: Session, statements: readonly string[]): Promise<void> {
  await session.query('BEGIN');
  try {
    for (const statement of statements) await session.query(statement);
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
