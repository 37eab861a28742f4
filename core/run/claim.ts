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

const drillClaimSchema = claimSchema.omit({ backupId: true });
export type DrillClaim = z.infer<typeof drillClaimSchema>;

/** @returns the claim that counts; it is another's when its `runId` is */
export const claimScheduledTime = (
  deps: Pick<Deps, 'workspace'>,
  source: string,
  scheduledAt: string,
  claim: Claim,
): Promise<Claim> =>
  claimKey(deps, workspaceKeys.claim(source, instantOf(scheduledAt)), claimSchema, claim);

/** As `claimScheduledTime`, of a drill on a target, which chooses its backup later. */
export const claimDrillTime = (
  deps: Pick<Deps, 'workspace'>,
  { target, source }: { readonly target: string; readonly source: string },
  scheduledAt: string,
  claim: DrillClaim,
): Promise<DrillClaim> =>
  claimKey(
    deps,
    workspaceKeys.drillClaim(target, source, instantOf(scheduledAt)),
    drillClaimSchema,
    claim,
  );

/** One instant has many spellings (`.000Z`, an offset): they are one claim. */
const instantOf = (scheduledAt: string) => new Date(scheduledAt).toISOString();

async function claimKey<T>(
  deps: Pick<Deps, 'workspace'>,
  key: string,
  schema: z.ZodType<T>,
  claim: T,
): Promise<T> {
  try {
    await putJson(deps.workspace, key, claim, { ifNoneMatch: '*' });
    return claim;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    const earlier = await getJson(deps.workspace, schema, key);
    if (earlier === undefined) {
      throw new HoldfastError('VaultIoError', `The claim ${key} is there and cannot be read.`, {
        cause: error,
      });
    }
    return earlier;
  }
}
