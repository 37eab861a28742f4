/**
 * What a restore has written down about itself in the workspace: its record, its parts, and facts that are written once.
 *
 * Invariant: a fact stays as it was first written, so that a second attempt of a state finds what the first one did.
 */
import type { ZodType } from 'zod';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { type RestoreRun, restoreRunSchema } from '../contract/restore.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import type { Workspace } from '../vault/vault.ts';

/** @throws InternalError when PlanRestore has not been there */
export async function readRestoreRun(workspace: Workspace, runId: string): Promise<RestoreRun> {
  const run = await findRestoreRun(workspace, runId);
  if (run !== undefined) return run;
  throw new HoldfastError(
    'InternalError',
    `Restore ${runId} has no record that PlanRestore writes.`,
  );
}

export const findRestoreRun = (
  workspace: Workspace,
  runId: string,
): Promise<RestoreRun | undefined> =>
  getJson(workspace, restoreRunSchema, workspaceKeys.restore(runId));

export const readFact = <T>(
  workspace: Workspace,
  runId: string,
  fact: string,
  schema: ZodType<T>,
): Promise<T | undefined> => getJson(workspace, schema, workspaceKeys.restoreFact(runId, fact));

/** @returns the fact that counts: this one, or that of an earlier attempt */
export async function writeFact<T>(
  workspace: Workspace,
  runId: string,
  fact: string,
  schema: ZodType<T>,
  value: T,
): Promise<T> {
  try {
    await putJson(workspace, workspaceKeys.restoreFact(runId, fact), value, { ifNoneMatch: '*' });
    return value;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    return (await readFact(workspace, runId, fact, schema)) as T;
  }
}
