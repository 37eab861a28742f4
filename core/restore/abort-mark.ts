/**
 * The abort mark of a restore: its first failure, and the sign for everybody who works on it to stop.
 *
 * As for backups (core/run/abort-mark.ts): a failed Map does not stop its other children everywhere and forgets the name
 * of the error. Invariant: the first mark stays.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { failureOfMark, writeAbortMark } from '../run/abort-mark.ts';
import { causeOf, type Failure, failureFromCaught } from '../run/failure.ts';
import { abortMarkSchema } from '../snapshot/marks.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import type { Workspace } from '../vault/vault.ts';

/** Nothing changes when the run has a mark already. */
export const markRestoreAborted = (
  deps: Pick<Deps, 'workspace' | 'now'>,
  runId: string,
  failure: Failure,
): Promise<void> => writeAbortMark(deps, workspaceKeys.restoreAborted(runId), failure);

/** The failure that the mark tells of, when there is one. */
export async function firstRestoreFailure(
  workspace: Workspace,
  runId: string,
): Promise<Failure | undefined> {
  return failureOfMark(
    await getJson(workspace, abortMarkSchema, workspaceKeys.restoreAborted(runId)),
  );
}

/** @throws RunAbortedError that names the run's first error */
export async function throwIfRestoreAborted(workspace: Workspace, runId: string): Promise<void> {
  const failure = await firstRestoreFailure(workspace, runId);
  if (failure === undefined) return;
  throw new HoldfastError(
    'RunAbortedError',
    `Restore ${runId} was aborted: ${failure.error}: ${failure.message}`,
    { evidence: { runId, error: failure.error } },
  );
}

/** The state AbortRestore: writes the mark inside of a Map's child, where the name of the error is still known. */
export async function abortRestore(
  deps: Deps,
  { runId, error }: InputOf<'AbortRestore'>,
): Promise<OutputOf<'AbortRestore'>> {
  await markRestoreAborted(deps, runId, failureFromCaught(error));
  const failure = (await firstRestoreFailure(deps.workspace, runId)) ?? failureFromCaught(error);
  return { error: failure.error, cause: causeOf(failure) };
}
