/**
 * WatchSnapshot: one look at the run's snapshot; the state machine calls it again after each wait.
 *
 * Invariant: while one holder lives there will be two again; when none lives the run fails, never goes on with another
 * snapshot. A look holds the run's advisory lock shared, so that no holder leaves beneath it.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { BackupOptions, Holder, Run, SnapshotRecord } from '../contract/plan.ts';
import { snapshotSchema } from '../contract/plan.ts';
import { selectTables } from '../plan/select-tables.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { decodeJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { answerBlockedDdl } from './blocked-ddl.ts';
import { exportSnapshot } from './fix-snapshot.ts';
import { detach } from './hold-loop.ts';
import { holdTimesOf } from './hold-snapshot.ts';
import { holderOf, livingHolders, nextHolderNumber, openHolder } from './holders.ts';
import { importSnapshot } from './import-snapshot.ts';
import { holderCount } from './lock-budget.ts';
import { lockTables } from './lock-tables.ts';
import { isOver, readRun } from './marks.ts';

/**
 * @returns isDone when the run is dumped or aborted, and there is nothing to watch any more
 * @throws SnapshotLostError, BlockedDdlError; errors of the session
 */
export async function watchSnapshot(
  deps: Deps,
  { runId }: InputOf<'WatchSnapshot'>,
): Promise<OutputOf<'WatchSnapshot'>> {
  const run = await readRun(deps.workspace, runId);
  const { record, etag } = await readRecord(deps, runId);
  const ageSeconds = Math.max(0, (deps.now().getTime() - Date.parse(record.instant)) / 1000);
  const about = { ageSeconds, waitSeconds: waitSecondsOf(ageSeconds, run.input.options) };
  const done = { ...about, isDone: true, holders: 0 };
  if (await isOver(deps.workspace, runId)) return done;

  deps.metric?.('SnapshotAge', ageSeconds, { source: run.input.source });
  const settings = await deps.connectionOf(run.input.source);
  await using session = await openSession(settings, {
    applicationName: applicationNameOf(runId, 'watch'),
    purpose: 'control',
  });
  await session.query('SELECT pg_advisory_lock_shared($1)', [record.advisoryKey]);
  await answerBlockedDdl(deps, session, runId, run.input.options);
  const living = await livingHolders(session, record.holders);
  if (living.length >= holderCount) return { ...about, isDone: false, holders: living.length };

  // ReleaseSnapshot writes its mark and then ends the holders: they may be gone because all is done.
  if (await isOver(deps.workspace, runId)) return done;
  const added = await addHolder(session, run, record);
  const holders = [...living, added];
  try {
    await putJson(
      deps.workspace,
      workspaceKeys.snapshot(runId),
      { ...record, holders },
      { ifMatch: etag },
    );
  } catch (error) {
    await end(session, added);
    // Another watcher, or a new attempt at holding, was faster.
    if (isHoldfastError(error, 'PreconditionFailedError'))
      return { ...about, isDone: false, holders: living.length };
    throw error;
  }
  if (await isOver(deps.workspace, runId)) {
    await end(session, added);
    return done;
  }
  deps.progress({
    state: 'WatchSnapshot',
    message: `a session that held the snapshot was gone; process ${added.pid} has taken its place`,
  });
  return { ...about, isDone: false, holders: holders.length };
}

/** A tenth of the age: at its end a short backup waits for its watch no longer than that. */
const waitSecondsOf = (ageSeconds: number, { watchSeconds }: BackupOptions): number =>
  Math.min(watchSeconds, Math.max(1, Math.ceil(ageSeconds / 10)));

async function readRecord(
  deps: Deps,
  runId: string,
): Promise<{ record: SnapshotRecord; etag: string }> {
  const key = workspaceKeys.snapshot(runId);
  const entry = await deps.workspace.get(key);
  if (entry === undefined) {
    throw new HoldfastError('InternalError', `Run ${runId} is watched but holds no snapshot.`);
  }
  return { record: decodeJson(snapshotSchema, entry.body, key), etag: entry.etag };
}

/** @throws SnapshotLostError when no survivor can be joined */
async function addHolder(observer: Session, run: Run, record: SnapshotRecord): Promise<Holder> {
  const { filters, options } = run.input;
  const number = nextHolderNumber(record.holders);
  const session = await openHolder(observer.settings, run.runId, number);
  try {
    await importSnapshot(session, record);
    // The survivor holds its locks, so the tables of the snapshot still bear these names.
    const tables = await selectTables(session, filters);
    await lockTables(session, observer, tables, options.lockSeconds);
    const holder = holderOf(run.runId, number, session, await exportSnapshot(session));
    // Its own share in the lock would keep all holders for ever.
    await session.query('SELECT pg_advisory_unlock_all()');
    await detach(session, observer, record.advisoryKey, holdTimesOf(options));
    return holder;
  } catch (error) {
    session.destroy();
    throw error;
  }
}

async function end(session: Session, { pid, applicationName }: Holder): Promise<void> {
  await session.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = $2',
    [pid, applicationName],
  );
}
