/**
 * The run's abort mark: the first failure of a run, and the sign for everybody who works on it to stop.
 *
 * A failed branch does not stop its siblings everywhere, and a distributed Map forgets the name of what failed in it:
 * so whoever fails first writes the mark, workers and the watcher poll it, and `Fail` takes the cause of the run from it.
 * Invariant: the first mark stays.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { encodeJson, getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { type Failure, failureSchema } from './failure.ts';

export const abortMarkSchema = failureSchema.extend({ at: z.iso.datetime() });
export type AbortMark = z.infer<typeof abortMarkSchema>;

type MarkDeps = Pick<Deps, 'workspace' | 'now'>;

/** @returns the mark that counts: this one, or the one that was there before */
export async function writeAbortMark(
  deps: MarkDeps,
  runId: string,
  failure: Failure,
): Promise<AbortMark> {
  const mark: AbortMark = { ...failure, at: deps.now().toISOString() };
  try {
    await deps.workspace.put(workspaceKeys.aborted(runId), encodeJson(mark), { ifNoneMatch: '*' });
    return mark;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    return (await readAbortMark(deps, runId)) ?? mark;
  }
}

export function readAbortMark(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<AbortMark | undefined> {
  return getJson(deps.workspace, abortMarkSchema, workspaceKeys.aborted(runId));
}

/** @throws RunAbortedError when the run has the mark */
export async function throwIfAborted(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<void> {
  const mark = await readAbortMark(deps, runId);
  if (mark === undefined) return;
  throw new HoldfastError('RunAbortedError', `The run ${runId} was aborted: ${mark.message}`, {
    hint: mark.hint,
    evidence: { first: mark.error, at: mark.at },
  });
}
