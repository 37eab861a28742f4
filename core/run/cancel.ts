/**
 * Cancelling a run from beside it: the abort mark, by which a run that lives ends in order, and the wait until it has.
 *
 * Invariant: a run counts as dead only when its lease has run out, which it renews as long as it lives.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { outcomeSchema } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { scratchRunId } from '../drill/drill-record.ts';
import { readRestoreOutcome } from '../report/outcome.ts';
import { markRestoreAborted } from '../restore/abort-mark.ts';
import { isCleared } from '../restore/fail/uncleared.ts';
import { findRestoreRun } from '../restore/restore-run.ts';
import { targetLeaseOf } from '../restore/target-lease.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { markAborted } from './abort-mark.ts';
import { safetyRunId } from './clean-up/restore.ts';
import { failureOf } from './failure.ts';
import type { FoundRun } from './find-machine.ts';
import { backupLeaseOf } from './lease.ts';
import { isHeld, type LeaseName, readNamedLease } from './named-lease.ts';
import { findRun } from './run-record.ts';

type CancelDeps = Pick<Deps, 'workspace' | 'now'>;

/** Where the run worked, for whoever must clean up after it. */
export interface CancelledServer {
  readonly host: string;
  readonly port: number;
}

export interface Cancelled {
  /** `over`: it had ended before. `ended`: it ended by the mark. `dead`: its process is gone and nobody cleaned up. */
  readonly how: 'over' | 'ended' | 'dead';
  /** As its outcome says; null for one that is dead. */
  readonly state: string | null;
  /** It has ended and could not take everything away. */
  readonly hasLeft: boolean;
  readonly server: CancelledServer | null;
}

const lookMs = 250;
/** Between the lease and the outcome a run writes a few documents. */
const graceMs = 5_000;

/** @param onWait told once, when the run does not end at once: until when it holds its lease unless it renews it */
export async function cancelRun(
  deps: CancelDeps,
  run: FoundRun,
  by: string,
  onWait: (until: string) => void,
): Promise<Cancelled> {
  const server = await serverOf(deps, run);
  const before = await stateOf(deps, run);
  if (before !== undefined) {
    return { how: 'over', state: before, hasLeft: await hasLeft(deps, run), server };
  }
  await mark(deps, run, by);
  let freeSince: number | undefined;
  for (let looks = 0; ; looks += 1) {
    const state = await stateOf(deps, run);
    if (state !== undefined) {
      return { how: 'ended', state, hasLeft: await hasLeft(deps, run), server };
    }
    const until = await heldUntil(deps, run);
    if (until !== undefined) freeSince = undefined;
    else freeSince ??= deps.now().getTime();
    if (freeSince !== undefined && deps.now().getTime() - freeSince > graceMs) {
      return { how: 'dead', state: null, hasLeft: false, server };
    }
    // A run that lives ends within a second or two.
    if (looks === 12 && until !== undefined) onWait(until);
    await sleep(lookMs);
  }
}

/** How it ended; undefined while it has not. */
async function stateOf(
  deps: CancelDeps,
  { machine, runId }: FoundRun,
): Promise<string | undefined> {
  if (machine !== 'backup') return (await readRestoreOutcome(deps, runId))?.state;
  return (await getJson(deps.workspace, outcomeSchema, workspaceKeys.outcome(runId)))?.state;
}

async function hasLeft(deps: CancelDeps, run: FoundRun): Promise<boolean> {
  if (run.machine === 'backup') return false;
  return !(await isCleared(deps, run.runId)) || !(await isCleared(deps, restoreIdOf(run)));
}

async function mark(deps: CancelDeps, { machine, runId }: FoundRun, by: string): Promise<void> {
  const failure = failureOf(
    new HoldfastError('RunAbortedError', `The ${machine} ${runId} was cancelled by ${by}.`, {
      hint: 'Start it again when it is wanted.',
    }),
  );
  if (machine === 'backup') return markAborted(deps, runId, failure);
  await markRestoreAborted(deps, restoreIdOf({ machine, runId }), failure);
  // No state of the restore runs while its safety backup does.
  await markAborted(deps, safetyRunId(runId), failure);
}

/** A drill works by its restore, under the name of that. */
const restoreIdOf = ({ machine, runId }: FoundRun): string =>
  machine === 'drill' ? scratchRunId(runId) : runId;

/** Until when the run's lease is held, by the run or by its safety backup; undefined when it is not. */
async function heldUntil(deps: CancelDeps, run: FoundRun): Promise<string | undefined> {
  const names: { readonly name: LeaseName; readonly runId: string }[] = [];
  const restore = await restoreOf(deps, run);
  if (restore !== undefined) names.push({ name: targetLeaseOf(restore), runId: restore.runId });
  const backupId = run.machine === 'backup' ? run.runId : safetyRunId(run.runId);
  const backup = await findRun(deps, backupId);
  if (backup !== undefined)
    names.push({ name: backupLeaseOf(backup.input.source), runId: backupId });
  for (const { name, runId } of names) {
    const lease = (await readNamedLease(deps, name))?.lease;
    if (lease?.runId === runId && isHeld(lease, deps.now())) return lease.until;
  }
  return undefined;
}

async function serverOf(deps: CancelDeps, run: FoundRun): Promise<CancelledServer | null> {
  const found =
    run.machine === 'backup' ? await findRun(deps, run.runId) : await restoreOf(deps, run);
  return found === undefined ? null : { host: found.server.host, port: found.server.port };
}

const restoreOf = async (deps: CancelDeps, run: FoundRun): Promise<RestoreRun | undefined> =>
  run.machine === 'backup' ? undefined : findRestoreRun(deps.workspace, restoreIdOf(run));
