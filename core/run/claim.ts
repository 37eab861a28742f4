/**
 * The claim on a scheduled time. Schedulers deliver at least once: the run that claims a time first does the work, any
 * other run for the same time ends as a duplicate.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';

const claimSchema = z.strictObject({
  runId: z.string(),
  backupId: z.string(),
  claimedAt: z.iso.datetime(),
});
export type Claim = z.infer<typeof claimSchema>;

/** @returns the claim that counts; it is another's when its `runId` is */
export async function claimScheduledTime(
  deps: Pick<Deps, 'workspace'>,
  source: string,
  scheduledAt: string,
  claim: Claim,
): Promise<Claim> {
  // One instant has many spellings (`.000Z`, an offset): they are one claim.
  const key = workspaceKeys.claim(source, new Date(scheduledAt).toISOString());
  try {
    await putJson(deps.workspace, key, claim, { ifNoneMatch: '*' });
    return claim;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    const earlier = await getJson(deps.workspace, claimSchema, key);
    if (earlier === undefined) {
      throw new HoldfastError('VaultIoError', `The claim ${key} is there and cannot be read.`, {
        cause: error,
      });
    }
    return earlier;
  }
}
