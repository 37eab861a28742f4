/**
 * HoldSnapshot: one instant of the database, kept by two detached sessions of the server.
 *
 * Invariant: the record in the workspace is written when both holders have been seen holding; when anything fails before,
 * no holder is left behind. Called again, it ends what an earlier call left.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { BackupOptions, Run, SnapshotRecord } from '../contract/plan.ts';
import { selectTables } from '../plan/select-tables.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { AbortWatch } from './abort-watch.ts';
import { advisoryKeyOf } from './advisory-key.ts';
import { fixSnapshot, hasVanished, joinSnapshot } from './fix-snapshot.ts';
import { detach, type HoldTimes } from './hold-loop.ts';
import { endSessions, holderOf, openHolder } from './holders.ts';
import { requireLockBudget } from './lock-budget.ts';
import { readRun, throwIfAborted } from './marks.ts';
import { requireReadable, requireWholeRows } from './table-rights.ts';

/** How often the tables may change between listing and locking. */
const maxTries = 3;

export const holdTimesOf = (options: BackupOptions): HoldTimes => ({
  roundSeconds: options.holdRoundSeconds,
  deadlineSeconds: options.holdDeadlineSeconds,
});

/**
 * @throws PermissionDeniedError, RowSecurityError, LockTableTooSmallError, LockNotAvailableError,
 * PatternMatchesNothingError, SchemaMovedError (tables came and went three times), RunAbortedError; errors of the session
 */
export async function holdSnapshot(
  deps: Deps,
  { runId, attempt }: InputOf<'HoldSnapshot'>,
): Promise<OutputOf<'HoldSnapshot'>> {
  const run = await readRun(deps.workspace, runId);
  const settings = await deps.connectionOf(run.input.source);
  await using observer = await openSession(settings, {
    applicationName: applicationNameOf(runId, 'hold'),
    purpose: 'control',
  });
  const endHolders = () => endSessions(observer, runId, 'holders');
  await endHolders();
  // A holder may be waiting for a table; the server ends that wait, and does not when only its client goes.
  const watch = new AbortWatch(deps.workspace, runId, () => void endHolders().catch(() => {}));
  try {
    const record = await hold(observer, settings, run, attempt);
    await putJson(deps.workspace, workspaceKeys.snapshot(runId), record);
    // Whoever cleaned up after the run meanwhile did not find these.
    await throwIfAborted(deps.workspace, runId);
    const { name: snapshot, instant, tables, holders } = record;
    return { snapshot, instant, tables, holders: holders.length };
  } catch (error) {
    await endHolders().catch(() => undefined);
    throw watch.error ?? error;
  } finally {
    watch.stop();
  }
}

async function hold(
  observer: Session,
  settings: ConnectionSettings,
  run: Run,
  attempt: number,
): Promise<SnapshotRecord> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const record = await tryToHold(observer, settings, run, attempt);
    if (record !== undefined) return record;
  }
  throw new HoldfastError(
    'SchemaMovedError',
    `Tables were created, renamed or dropped each of the ${maxTries} times that all were about to be locked.`,
    { evidence: { tries: maxTries } },
  );
}

/** @returns undefined when the tables changed before they were locked */
async function tryToHold(
  observer: Session,
  settings: ConnectionSettings,
  run: Run,
  attempt: number,
): Promise<SnapshotRecord | undefined> {
  const { filters, options } = run.input;
  const { lockSeconds } = options;
  const advisoryKey = advisoryKeyOf(run.runId, attempt);
  const sessions: Session[] = [];
  const open = async (number: number) => {
    const session = await openHolder(settings, run.runId, number);
    sessions.push(session);
    return session;
  };
  const release = async () => {
    for (const session of sessions) session.destroy();
    await endSessions(observer, run.runId, 'holders').catch(() => undefined);
  };
  try {
    const first = await open(1);
    const tables = await selectTables(first, filters);
    await requireLockBudget(first, tables.length);
    await requireReadable(first, tables);
    await requireWholeRows(first, tables, options.rowSecurityProven);
    const fixed = await fixSnapshot(first, observer, { tables, filters, lockSeconds });
    if (fixed === undefined) {
      await release();
      return undefined;
    }
    // Once more: now nobody can change a policy any more.
    const rowSecurityOnFor = await requireWholeRows(first, tables, options.rowSecurityProven);
    const second = await open(2);
    const secondName = await joinSnapshot(second, observer, {
      name: fixed.name,
      tables,
      lockSeconds,
    });
    await detach(first, observer, advisoryKey, holdTimesOf(options));
    await detach(second, observer, advisoryKey, holdTimesOf(options));
    return {
      ...fixed,
      attempt,
      advisoryKey,
      tables: tables.length,
      rowSecurityOnFor,
      holders: [
        holderOf(run.runId, 1, first, fixed.name),
        holderOf(run.runId, 2, second, secondName),
      ],
    };
  } catch (error) {
    await release();
    if (hasVanished(error)) return undefined;
    throw error;
  }
}
