/**
 * Takes the lease on the target of a restore, and finds what an earlier restore left there.
 *
 * A restore that was killed (no outcome) and had the same request is gone on with; any other unfinished one is taken
 * back first; what a failed one had to leave is taken away. Invariant: nothing is done to a run whose lease is alive.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { RestoreInput, RestoreRun } from '../contract/restore.ts';
import { makeAttempts } from '../run/attempt.ts';
import { failureOf } from '../run/failure.ts';
import {
  isHeld,
  type Lease,
  type LeaseName,
  readNamedLease,
  takeNamedLease,
} from '../run/named-lease.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { throwIfRestoreAborted } from './abort-mark.ts';
import { clearPatiently, isCleared } from './fail/uncleared.ts';
import { takeBackRestore } from './fail.ts';
import { findRestoreRun } from './restore-run.ts';
import { isSameRequest, mayGoOn } from './resume.ts';
import { noteStoodStill, stateOfCutover, stoodLong } from './stood-still.ts';
import { type LeasedTarget, targetLeaseOf } from './target-lease.ts';

const lookMs = 250;

export interface TakenTarget {
  readonly name: LeaseName;
  readonly lease: Lease;
  /** The unfinished run that is gone on with, with its new fencing number. */
  readonly resumed?: RestoreRun;
}

/** @throws LeaseHeldError when another restore works on the target; RunAbortedError */
export async function takeTarget(
  deps: Deps,
  runId: string,
  request: RestoreInput,
  target: LeasedTarget,
): Promise<TakenTarget> {
  const name = targetLeaseOf(target);
  const { leaseSeconds } = request.options;
  await waitUntilFree(deps, name, runId, leaseSeconds);
  const held = (await readNamedLease(deps, name))?.lease;
  const last = held?.runId;
  const found = last === undefined || last === runId ? undefined : await unfinished(deps, last);
  if (
    found !== undefined &&
    held !== undefined &&
    isSameRequest(found, request, target) &&
    (await mayGoOn(deps, found))
  ) {
    const resumed = await resume(deps, name, held, request, found);
    if (resumed !== undefined) return { name, ...resumed };
  }
  const lease = await takeNamedLease(deps, name, {
    ...{ runId, leaseSeconds, heldBy: request.requestedBy },
  });
  if (found !== undefined) await takeBack(deps, found);
  else if (last !== undefined && last !== runId) await clearRest(deps, last);
  return { name, lease };
}

/**
 * Goes on with a restore that was found by its request.
 * @returns the run; undefined when it lives after all, has ended meanwhile, or is to be taken back
 */
export async function goOnWith(
  deps: Deps,
  runId: string,
  request: RestoreInput,
  begun: RestoreRun,
): Promise<RestoreRun | undefined> {
  const name = targetLeaseOf(begun);
  await waitUntilFree(deps, name, runId, request.options.leaseSeconds);
  const held = (await readNamedLease(deps, name))?.lease;
  if (held?.runId !== begun.runId || isHeld(held, deps.now())) return undefined;
  const found = await unfinished(deps, begun.runId);
  if (found === undefined || !(await mayGoOn(deps, found))) return undefined;
  return (await resume(deps, name, held, request, found))?.resumed;
}

async function resume(
  deps: Deps,
  name: LeaseName,
  held: Lease,
  request: RestoreInput,
  found: RestoreRun,
): Promise<{ readonly lease: Lease; readonly resumed: RestoreRun } | undefined> {
  const { runId, backup } = found;
  if (!isHeld(held, deps.now()) && stoodLong(new Date(held.until), deps.now())) {
    const state = await stateOfCutover(deps, found);
    if (state === 'never') return undefined;
    if (state === 'again') await noteStoodStill(deps, found);
  }
  const lease = await takeNamedLease(deps, name, {
    ...{ runId, leaseSeconds: request.options.leaseSeconds, heldBy: request.requestedBy },
    isSuccessor: true,
  });
  // What it is measured against may be said anew.
  const objectives = { ...found.input.objectives, ...request.objectives };
  const resumed = { ...found, fence: lease.fence, input: { ...found.input, objectives } };
  await putJson(deps.workspace, workspaceKeys.restore(runId), resumed);
  const message = `Going on with restore ${runId} of backup ${backup.backupId}.`;
  deps.progress({ state: 'PlanRestore', message });
  return { lease, resumed };
}

/**
 * A holder that lives renews its lease before half of its time is over; one that died does not, and is waited for: the
 * person who starts a killed restore again need not know of leases.
 */
async function waitUntilFree(
  deps: Deps,
  name: LeaseName,
  runId: string,
  leaseSeconds: number,
): Promise<void> {
  const first = (await readNamedLease(deps, name))?.lease;
  const deadline = deps.now().getTime() + (leaseSeconds + 1) * 1000;
  for (let looks = 0; deps.now().getTime() < deadline; looks += 1) {
    await throwIfRestoreAborted(deps.workspace, runId);
    const found = (await readNamedLease(deps, name))?.lease;
    if (found === undefined || found.runId === runId || !isHeld(found, deps.now())) return;
    const isAlive = found.until !== first?.until || found.runId !== first.runId;
    if (isAlive) return;
    if (looks === 0) {
      const seconds = Math.ceil((Date.parse(found.until) - deps.now().getTime()) / 1000);
      deps.progress({
        state: 'PlanRestore',
        message: `Restore ${found.runId} works here, or was killed: waiting for its lease (at most ${seconds} s).`,
      });
    }
    await sleep(lookMs);
  }
}

async function unfinished(deps: Deps, runId: string): Promise<RestoreRun | undefined> {
  const run = await findRestoreRun(deps.workspace, runId);
  if (run === undefined) return undefined;
  const outcome = await deps.workspace.get(workspaceKeys.restoreOutcome(runId));
  return outcome === undefined ? run : undefined;
}

/** Its own FailRestore never came, or not to its end. */
async function takeBack(deps: Deps, run: RestoreRun): Promise<void> {
  deps.progress({
    state: 'PlanRestore',
    message: `Taking back the restore ${run.runId} that was killed.`,
  });
  const error = new HoldfastError(
    'RunAbortedError',
    `Restore ${run.runId} was killed, and another restore of the same target has taken it back.`,
  );
  const { cleaned } = await takeBackRestore(deps, run.runId, failureOf(error));
  for (const message of cleaned) deps.progress({ state: 'PlanRestore', message });
}

/** Of a restore that has failed: its connection was gone before it could take everything away. */
async function clearRest(deps: Deps, runId: string): Promise<void> {
  if (await isCleared(deps, runId)) return;
  const run = await findRestoreRun(deps.workspace, runId);
  if (run === undefined) return;
  const message = `Taking away what the restore ${runId}, which failed, had to leave.`;
  deps.progress({ state: 'PlanRestore', message });
  // What cannot be taken away now either, preflight finds in the way.
  await clearPatiently(deps, run, makeAttempts());
}
