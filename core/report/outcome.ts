/** `restores/<runId>/outcome.json`: how a restore ended. Its presence says that the run is over. */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { restoreReportSchema } from '../contract/restore.ts';
import { maskTexts } from '../mask-secrets.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';

export const restoreOutcomeSchema = z.strictObject({
  runId: z.string(),
  state: restoreReportSchema.shape.state,
  finishedAt: z.iso.datetime(),
  error: restoreReportSchema.shape.error,
});
export type RestoreOutcome = z.infer<typeof restoreOutcomeSchema>;

export const readRestoreOutcome = (
  deps: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<RestoreOutcome | undefined> =>
  getJson(deps.workspace, restoreOutcomeSchema, workspaceKeys.restoreOutcome(runId));

/** @returns the outcome that counts: this one, or that of an earlier attempt */
export async function recordRestoreOutcome(
  deps: Pick<Deps, 'workspace'>,
  told: RestoreOutcome,
): Promise<RestoreOutcome> {
  const outcome = maskTexts(told);
  const key = workspaceKeys.restoreOutcome(outcome.runId);
  try {
    await putJson(deps.workspace, key, outcome, { ifNoneMatch: '*' });
    return outcome;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    return (await readRestoreOutcome(deps, outcome.runId)) ?? outcome;
  }
}
