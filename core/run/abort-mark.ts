/**
 * Writing and understanding the run's abort mark: the first failure of a run, and the sign for everybody who works on
 * it to stop (they poll it: core/snapshot/marks.ts).
 *
 * A failed branch does not stop its siblings everywhere, and a distributed Map forgets the name of what failed in it:
 * so whoever fails first writes the mark, and `Fail` takes the cause of the run from it. Invariant: the first mark stays.
 */
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { type AbortMark, readAbortMark } from '../snapshot/marks.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { causeOf, type Failure, failureFromCaught } from './failure.ts';

/**
 * Nothing changes when there is a mark already.
 *
 * @param key of the mark, in the workspace
 */
export async function writeAbortMark(
  deps: Pick<Deps, 'workspace' | 'now'>,
  key: string,
  failure: Failure,
): Promise<void> {
  const mark: AbortMark = {
    error: failure.error,
    cause: causeOf(failure),
    at: deps.now().toISOString(),
  };
  try {
    await putJson(deps.workspace, key, mark, { ifNoneMatch: '*' });
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
  }
}

/** The failure that a mark tells of, when there is one. */
export const failureOfMark = (mark: AbortMark | undefined): Failure | undefined =>
  mark && failureFromCaught({ Error: mark.error, Cause: mark.cause });

/** As `writeAbortMark`, of a backup's run. */
export const markAborted = (
  deps: Pick<Deps, 'workspace' | 'now'>,
  runId: string,
  failure: Failure,
): Promise<void> => writeAbortMark(deps, workspaceKeys.aborted(runId), failure);

/** Of a backup's run. */
export const firstFailure = async (
  { workspace }: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<Failure | undefined> => failureOfMark(await readAbortMark(workspace, runId));
