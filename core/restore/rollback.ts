/**
 * After a swap: the database that was put aside gets its name back, or is dropped for good.
 *
 * Invariants: databases are known by their oid, on the very server of the swap, and have the names that the swap gave
 * them, so that nothing is renamed or dropped that somebody else has made or moved meanwhile; nothing is done while a
 * restore works on the database; both can be asked for twice.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { RestoreRun } from '../contract/restore.ts';
import type { Session } from '../postgres/session.ts';
import { noteRolledBack, type WriteReportDeps } from '../report/write-report.ts';
import { identifier } from '../schema/sql-text.ts';
import { concludeDone, noteIfExchanged } from './conclude.ts';
import {
  type CutoverBegun,
  cutoverBegunSchema,
  type DatabaseIdentity,
  databaseNamed,
  databaseWithOid,
  openBeside,
} from './cutover/database-facts.ts';
import { requireDroppable } from './cutover/droppable.ts';
import { exchange, setAllowed } from './cutover/exchange.ts';
import { systemIdentifierOf } from './cutover/system-identifier.ts';
import { nameWithSuffix } from './preflight/names.ts';
import { findRestoreRun, readFact } from './restore-run.ts';
import { retakeTargetLease } from './retake-lease.ts';
import { releaseTargetLease } from './target-lease.ts';

export interface RolledBack {
  /** The name that clients use. */
  readonly database: string;
  /** Under which name the old database was kept; it has `database` again. */
  readonly restored: string;
  /** Where the restored one is now: closed, and dropped by nobody. */
  readonly putAside: string;
}

/** A key is for the report of a restore that was killed after its cutover: without one, less of it is summed up. */
export type RollbackDeps = WriteReportDeps & Pick<Deps, 'connectionOf'>;

export interface RollbackOptions {
  /** May sessions of the database be ended? */
  readonly disconnect: boolean;
  /** Ends it in order: the restored database has the name still, and is open. */
  readonly signal?: AbortSignal;
}

/** Longer than renames are tried; a process that died meanwhile keeps the next restore waiting for no more. */
const leaseSeconds = 120;

/**
 * @throws RollbackImpossibleError when the run was no swap, the old database is not kept any more, or this is another
 * server; TargetInUseError without `disconnect`; LeaseHeldError while a restore works on the database
 */
export async function rollback(
  deps: RollbackDeps,
  runId: string,
  options: RollbackOptions,
): Promise<RolledBack> {
  const { run, begun } = await readSwap(deps, runId);
  return whileLeased(deps, run, () => takeBack(deps, run, begun, options));
}

async function takeBack(
  deps: RollbackDeps,
  run: RestoreRun,
  begun: Swap,
  { disconnect, signal }: RollbackOptions,
): Promise<RolledBack> {
  const { runId } = run;
  await using session = await openServer(deps, run, begun, 'rollback');
  const { work, previous } = await present(session, begun);
  await conclude(deps, run, begun, session);
  if (previous.name === run.finalDatabase) {
    await setAllowed(session, previous.oid, begun.previous.allowsConnections);
    await noteRolledBack(deps, runId);
    return rolledBack(run, begun, work.name);
  }
  if (work.name !== run.finalDatabase) {
    throw new HoldfastError(
      'RollbackImpossibleError',
      `${JSON.stringify(run.finalDatabase)} is not the database that ${runId} put there: that one is called ${JSON.stringify(work.name)} now.`,
      { evidence: { runId, now: work.name } },
    );
  }
  if (previous.name !== begun.previousName) {
    throw impossible(
      `The database that ${runId} put aside is called ${JSON.stringify(previous.name)} now, not ${JSON.stringify(begun.previousName)}.`,
      `Somebody has taken it for something else. Should it come back: ALTER DATABASE … RENAME TO ${identifier(begun.previousName)}, then roll back.`,
    );
  }
  const putAside = await freeName(session, run);
  await exchange(session, {
    runId,
    leaving: {
      database: { ...work, allowsConnections: begun.work.allowsConnections },
      newName: putAside,
    },
    entering: previous,
    ...{ disconnect, signal },
  });
  await setAllowed(session, previous.oid, begun.previous.allowsConnections);
  await noteRolledBack(deps, runId);
  return rolledBack(run, begun, putAside);
}

/**
 * Drops the database that a swap put aside. It cannot be rolled back after that.
 * @throws RollbackImpossibleError when there is none any more, it is in use again, or this is another server;
 * TargetInUseError when something hangs on it; LeaseHeldError while a restore works on the database
 */
export async function discardPrevious(
  deps: RollbackDeps,
  runId: string,
): Promise<{ readonly dropped: string }> {
  const { run, begun } = await readSwap(deps, runId);
  return whileLeased(deps, run, () => drop(deps, run, begun));
}

async function drop(
  deps: RollbackDeps,
  run: RestoreRun,
  begun: Swap,
): Promise<{ readonly dropped: string }> {
  const { runId } = run;
  await using session = await openServer(deps, run, begun, 'discard');
  const { previous } = await present(session, begun);
  await conclude(deps, run, begun, session);
  if (previous.name !== begun.previousName) {
    throw new HoldfastError(
      'RollbackImpossibleError',
      `The database that ${runId} put aside is called ${JSON.stringify(previous.name)} now, not ${JSON.stringify(begun.previousName)}: it is not dropped.`,
      { hint: 'Drop it by hand when it is not wanted any more.' },
    );
  }
  await requireDroppable(session, previous);
  await session.query(`DROP DATABASE ${identifier(previous.name)} WITH (FORCE)`);
  return { dropped: previous.name };
}

type Swap = CutoverBegun & { readonly previous: DatabaseIdentity; readonly previousName: string };

async function readSwap(
  deps: RollbackDeps,
  runId: string,
): Promise<{ run: RestoreRun; begun: Swap }> {
  const run = await findRestoreRun(deps.workspace, runId);
  if (run === undefined) {
    throw impossible(`There is no restore ${runId} in ${deps.workspace.location}.`);
  }
  if (run.input.mode !== 'swap' || run.previousDatabase === null) {
    throw impossible(
      `${runId} was a restore of mode ${run.input.mode}; only a swap puts a database aside.`,
      run.input.mode === 'into'
        ? 'The safety backup that was taken before it has the rows as they were.'
        : 'It added a database and changed no other: drop that one when it is not wanted.',
    );
  }
  const begun = await readFact(deps.workspace, runId, 'cutover-begun', cutoverBegunSchema);
  if (begun === undefined || begun.previous === null) {
    throw impossible(`${runId} has put no database aside: it did not come to its cutover.`);
  }
  return { run, begun: { ...begun, previous: begun.previous, previousName: run.previousDatabase } };
}

/** Before anything is touched: a run without an end is gone on with, or taken back with all that it made. */
async function conclude(
  deps: RollbackDeps,
  run: RestoreRun,
  begun: CutoverBegun,
  session: Session,
): Promise<void> {
  await noteIfExchanged(deps, run, begun, session);
  await concludeDone(deps, run);
}

async function whileLeased<T>(
  deps: RollbackDeps,
  run: RestoreRun,
  work: () => Promise<T>,
): Promise<T> {
  await retakeTargetLease(deps, run, leaseSeconds);
  try {
    return await work();
  } finally {
    // It runs out by itself.
    await releaseTargetLease(deps, run).catch(() => undefined);
  }
}

/** Another server may have databases of the same oids and names: a copy of the disk, or one that was set up alike. */
async function openServer(
  deps: RollbackDeps,
  run: RestoreRun,
  begun: Swap,
  what: string,
): Promise<Session> {
  const { host, port } = await deps.connectionOf(run.input.target);
  if (host !== run.server.host || port !== run.server.port) {
    throw impossible(
      `${run.runId} swapped on ${run.server.host}:${run.server.port}; this connection is to ${host}:${port}.`,
      'Name the server as it was named for the restore.',
    );
  }
  const names = [run.workDatabase, run.finalDatabase, begun.previousName];
  const session = await openBeside(deps, run, what, names);
  try {
    const [then, now] = [begun.systemIdentifier ?? null, await systemIdentifierOf(session)];
    if (then === null || now === null || then === now) return session;
    throw impossible(
      `${host}:${port} is another server than the one on which ${run.runId} swapped: its system identifier is ${now}, it was ${then}.`,
      'Connect to the server of the swap.',
    );
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function present(session: Session, begun: Swap) {
  const previous = await databaseWithOid(session, begun.previous.oid);
  const work = await databaseWithOid(session, begun.work.oid);
  if (previous === undefined) {
    throw impossible(`Database ${JSON.stringify(begun.previousName)}, which was kept, is gone.`);
  }
  if (work === undefined) {
    throw impossible(
      'The database that was restored is gone; the old one can be renamed by hand.',
      `ALTER DATABASE ${identifier(previous.name)} RENAME TO …; ALTER DATABASE … ALLOW_CONNECTIONS true`,
    );
  }
  return { work, previous };
}

const impossible = (message: string, hint?: string) =>
  new HoldfastError('RollbackImpossibleError', message, hint === undefined ? {} : { hint });

/** The working name it had; with a number when somebody has taken that. */
async function freeName(session: Session, run: RestoreRun): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = nameWithSuffix(run.workDatabase, number === 1 ? '' : `_${number}`);
    if ((await databaseNamed(session, name)) === undefined) return name;
  }
}

const rolledBack = (run: RestoreRun, begun: Swap, putAside: string): RolledBack => ({
  database: run.finalDatabase,
  restored: begun.previousName,
  putAside,
});
