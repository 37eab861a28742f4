/**
 * The two marks that end a run's dump, and reading what the run wrote down about itself.
 *
 * Invariant: a mark is written once and stays: the first error of a run is its error.
 */
import { z } from 'zod';
import { HoldfastError } from '../contract/errors.ts';
import { type Run, runSchema, type SnapshotRecord, snapshotSchema } from '../contract/plan.ts';
import { failureFromCaught } from '../run/failure.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import type { Workspace } from '../vault/vault.ts';

/** `runs/<runId>/aborted`: the first error of the run. */
export const abortMarkSchema = z.strictObject({
  error: z.string(),
  /** As `causeOf` of core/run/failure.ts writes it. */
  cause: z.string(),
  at: z.iso.datetime(),
});
export type AbortMark = z.infer<typeof abortMarkSchema>;

/** `runs/<runId>/dumped`: every unit is in the vault and the snapshot is not needed any more. */
export const dumpedMarkSchema = z.strictObject({ at: z.iso.datetime() });

export const readAbortMark = (
  workspace: Workspace,
  runId: string,
): Promise<AbortMark | undefined> =>
  getJson(workspace, abortMarkSchema, workspaceKeys.aborted(runId));

export async function isDumped(workspace: Workspace, runId: string): Promise<boolean> {
  return (await workspace.get(workspaceKeys.dumped(runId))) !== undefined;
}

/** Is there nothing more to hold the snapshot for? */
export async function isOver(workspace: Workspace, runId: string): Promise<boolean> {
  return (
    (await isDumped(workspace, runId)) || (await readAbortMark(workspace, runId)) !== undefined
  );
}

/** @throws RunAbortedError that names the run's first error */
export async function throwIfAborted(workspace: Workspace, runId: string): Promise<void> {
  const mark = await readAbortMark(workspace, runId);
  if (mark === undefined) return;
  const { error, message } = failureFromCaught({ Error: mark.error, Cause: mark.cause });
  throw new HoldfastError('RunAbortedError', `Run ${runId} was aborted: ${error}: ${message}`, {
    evidence: { runId, error },
  });
}

/** @throws InternalError when Plan has not been there */
export async function readRun(workspace: Workspace, runId: string): Promise<Run> {
  return required(await getJson(workspace, runSchema, workspaceKeys.run(runId)), runId, 'Plan');
}

/** @throws InternalError when HoldSnapshot has not been there */
export async function readSnapshot(workspace: Workspace, runId: string): Promise<SnapshotRecord> {
  const record = await getJson(workspace, snapshotSchema, workspaceKeys.snapshot(runId));
  return required(record, runId, 'HoldSnapshot');
}

function required<T>(value: T | undefined, runId: string, state: string): T {
  if (value !== undefined) return value;
  throw new HoldfastError('InternalError', `Run ${runId} has no record that ${state} writes.`);
}
