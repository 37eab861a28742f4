/**
 * What Publish decides about a backup, written down before anything is done about it, so that each attempt does the same.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import type { SourceParameter } from '../contract/environment.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { type Manifest, tierSchema } from '../contract/manifest.ts';
import type { Run } from '../contract/plan.ts';
import { retentionPolicySchema } from '../contract/retention.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { keepUntil } from './retention.ts';
import { standingsOf } from './standing.ts';
import { tierAtPublish } from './tiers.ts';

/** `runs/<runId>/publication.json` */
export const publicationSchema = z.strictObject({
  tier: tierSchema,
  /** The end of the Object Lock; null where nobody decides on retention (one machine). */
  retainUntil: z.iso.datetime().nullable(),
  hasReplica: z.boolean(),
  /** All is done but for the lease, which is given free next. */
  isDone: z.boolean().default(false),
});
export type Publication = z.infer<typeof publicationSchema>;

/** The policy and the calendar of a source. */
export type Keeping = Pick<SourceParameter, 'retention' | 'timeZone'>;

/**
 * Undefined on one machine. A safety backup may be of a database that the environment does not name: the default policy
 * holds for it.
 */
export async function keepingOf(
  deps: Pick<Deps, 'sourceOf'>,
  { source, tier }: Run['input'],
): Promise<Keeping | undefined> {
  if (deps.sourceOf === undefined) return undefined;
  try {
    return await deps.sourceOf(source);
  } catch (error) {
    if (tier !== 'safety' || !isHoldfastError(error, 'ConnectionNotFoundError')) throw error;
    return { retention: retentionPolicySchema.parse({}), timeZone: 'UTC' };
  }
}

/** What an earlier attempt has done to its end; its answer was lost. */
export async function finishedPublication(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<Publication | undefined> {
  const found = await getJson(deps.workspace, publicationSchema, workspaceKeys.publication(runId));
  return found?.isDone ? found : undefined;
}

export const finishPublication = (
  deps: Pick<Deps, 'workspace'>,
  runId: string,
  publication: Publication,
): Promise<void> =>
  putJson(deps.workspace, workspaceKeys.publication(runId), { ...publication, isDone: true });

export async function decide(
  deps: Deps,
  { runId }: Run,
  manifest: Manifest,
  keeping: Keeping | undefined,
): Promise<Publication> {
  const key = workspaceKeys.publication(runId);
  const earlier = await getJson(deps.workspace, publicationSchema, key);
  if (earlier !== undefined) return earlier;
  const decided = { ...(await decideFresh(deps, manifest, keeping)), isDone: false };
  await putJson(deps.workspace, key, decided);
  return decided;
}

async function decideFresh(
  deps: Deps,
  manifest: Manifest,
  keeping: Keeping | undefined,
): Promise<Omit<Publication, 'isDone'>> {
  const hasReplica = deps.replica !== undefined;
  const { backupId, tier: asked, scope, snapshot, source, sealedAt } = manifest;
  if (keeping === undefined) return { tier: asked, retainUntil: null, hasReplica };
  const { retention, timeZone } = keeping;
  const backup = { backupId, at: new Date(snapshot.instant), tier: asked, scope };
  const others = await standingsOf(deps, source.name);
  const tier = tierAtPublish(backup, others, retention, timeZone);
  const until = keepUntil(tier, new Date(sealedAt), retention);
  return { tier, retainUntil: until.toISOString(), hasReplica };
}
