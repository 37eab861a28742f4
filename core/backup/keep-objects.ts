/**
 * Tags, locks and holds of a whole backup, object by object.
 *
 * Invariants: the manifest is the last one, so that its tag tells that a change is complete; and what is done is written
 * down every thousand objects, so that a backup with more of them than one task can change is finished by the next try.
 * (10,000 objects × 2 calls at 16 at once are half a minute; a task has 15.)
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { Manifest, Tier } from '../contract/manifest.ts';
import { inParallel } from '../in-parallel.ts';
import { getJson, putJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import { held, leaving, tierTag } from './retention.ts';

/** Hides the latency of an object store; few enough for its limits. */
const callsAtOnce = 16;
const rangeLength = 1000;

const doneSchema = z.strictObject({ done: z.int().nonnegative() });

/** Where the work of a run is written down, and the name of the step. */
export interface Step {
  readonly runId: string;
  readonly name: string;
}

/** Data, signature, manifest: what a backup consists of. */
export const keysOf = ({ source: { name }, backupId, objects }: Manifest): string[] => [
  // An object of an older backup that is pointed into is kept by that one.
  ...objects
    .map(({ key }) => key)
    .filter((key) => key.startsWith(vaultKeys.backup(name, backupId))),
  vaultKeys.signature(name, backupId),
  vaultKeys.manifest(name, backupId),
];

/** Lists it. */
export const entryKeyOf = ({ source, snapshot, backupId }: Manifest): string =>
  vaultKeys.catalogue(source.name, new Date(snapshot.instant), backupId);

/** From `staged` to its tier: from now on no garbage collection matches, and Object Lock keeps it. */
export async function keep(
  deps: Pick<Deps, 'vault' | 'workspace'>,
  step: Step,
  manifest: Manifest,
  { tier, retainUntil }: { readonly tier: Tier; readonly retainUntil: string | null },
): Promise<void> {
  await overKeys(deps, step, keysOf(manifest), async (key) => {
    if (retainUntil !== null) await extendLock(deps, key, new Date(retainUntil));
    await deps.vault.setTags(key, { [tierTag]: tier });
  });
}

/** A lock that is longer already (the vault's default may be) is long enough. */
async function extendLock({ vault }: Pick<Deps, 'vault'>, key: string, until: Date) {
  try {
    await vault.setRetainUntil(key, until);
  } catch (error) {
    if (!isHoldfastError(error, 'ObjectLockedError')) throw error;
  }
}

/** Out of reach of all rules, and under a legal hold: the entry that lists it too. */
export async function hold(
  deps: Pick<Deps, 'vault' | 'workspace'>,
  step: Step,
  manifest: Manifest,
): Promise<void> {
  await overKeys(deps, step, [entryKeyOf(manifest), ...keysOf(manifest)], async (key) => {
    await deps.vault.setLegalHold(key, true);
    await deps.vault.setTags(key, { [tierTag]: held });
  });
}

/**
 * Back to its tier, whose time may be over already. The manifest says so before anything else changes: what was released
 * in part and is wanted again must be held as a whole. The entry goes late, because what is not listed nobody finishes.
 */
export async function release(
  deps: Pick<Deps, 'vault' | 'workspace'>,
  step: Step,
  manifest: Manifest,
  tier: Tier,
): Promise<void> {
  const keys = keysOf(manifest);
  const last = keys[keys.length - 1] as string;
  const { tags } = await deps.vault.head(last);
  // Not again by an attempt that finds all done.
  if (tags[tierTag] === held) await deps.vault.setTags(last, { [tierTag]: leaving });
  await overKeys(deps, step, [...keys.slice(0, -1), entryKeyOf(manifest), last], async (key) => {
    await deps.vault.setTags(key, { [tierTag]: tier });
    await deps.vault.setLegalHold(key, false);
  });
}

/** In order but for what is done at once; the last key, the manifest's, alone and last. */
async function overKeys(
  { workspace }: Pick<Deps, 'workspace'>,
  { runId, name }: Step,
  keys: readonly string[],
  work: (key: string) => Promise<void>,
): Promise<void> {
  const mark = workspaceKeys.publishStep(runId, name);
  let done = (await getJson(workspace, doneSchema, mark))?.done ?? 0;
  while (done < keys.length) {
    const end = Math.min(done + rangeLength, keys.length - 1);
    const range = end > done ? keys.slice(done, end) : keys.slice(done);
    await inParallel(range, callsAtOnce, work);
    done += range.length;
    await putJson(workspace, mark, { done });
  }
}
