/**
 * The state ReplicateUnit: one object of the published backup, read back from the replica with the replica's key, by the
 * same code that verified it at home. Leaves its verdict in the workspace for RecordReplica.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { ObjectVerdict } from '../contract/plan.ts';
import { endOf } from '../run/phases.ts';
import { unitLabel } from '../run/unit-label.ts';
import { readRun } from '../snapshot/marks.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { segmentsOf } from '../verify/object-contents.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { verifyObject } from '../verify/verify-object.ts';
import { behindUnless, keepCopy, requireReplica } from './replica-copy.ts';

/**
 * S3 promises a quarter of an hour, and the object was there before Publish. What is later than that is not waited for:
 * of ten thousand objects that do not come, each with its own quarter, the run would never end.
 */
const promisedMs = 15 * 60_000;

/** @throws ReplicaBehindError (retryable) while it is not there and may still come in time; damage is no error */
export async function replicateUnit(
  deps: Deps,
  { runId, object }: InputOf<'ReplicateUnit'>,
): Promise<OutputOf<'ReplicateUnit'>> {
  const run = await readRun(deps.workspace, runId);
  const { manifest } = await loadManifest(deps, run.input.source, run.backupId);
  const wanted = manifest.objects[object];
  if (wanted === undefined) {
    throw new HoldfastError('InternalError', `${manifest.backupId} has no object ${object}.`);
  }
  const of = unitLabel(segmentsOf(manifest, object).map(({ table }) => table));
  try {
    const verdict = await lookAt(deps, manifest, object, wanted);
    await putJson(deps.workspace, workspaceKeys.replicaVerdict(runId, object), verdict);
    return { of, verdict: verdict.verdict, problems: verdict.problems.length };
  } catch (error) {
    if (!isHoldfastError(error, 'ReplicaBehindError') || !(await isLate(deps, runId))) throw error;
    // Without a verdict RecordReplica counts it as behind.
    return { of, verdict: 'behind', problems: 1 };
  }
}

async function isLate(deps: Deps, runId: string): Promise<boolean> {
  const published = await endOf(deps, runId, 'Publish');
  return published !== undefined && deps.now().getTime() - published.getTime() > promisedMs;
}

async function lookAt(
  deps: Deps,
  manifest: Manifest,
  object: number,
  wanted: Manifest['objects'][number],
): Promise<ObjectVerdict> {
  const replica = requireReplica(deps);
  const { head } = await keepCopy(deps, wanted.key);
  const isThatVersion = head.versionId === wanted.versionId;
  const verdict: ObjectVerdict = isThatVersion
    ? await verifyObject({ ...deps, ...replica }, manifest, object)
    : otherVersion(wanted, head.versionId);
  if (verdict.problems.some(({ kind }) => kind === 'missing')) {
    throw behindUnless(
      new HoldfastError('ObjectNotFoundError', `${wanted.key}: it went while it was read.`),
      replica.vault,
      wanted.key,
    );
  }
  return verdict;
}

/** Replication keeps version ids: under another one somebody wrote it there. */
function otherVersion(
  { key, versionId }: { readonly key: string; readonly versionId: string },
  found: string,
): ObjectVerdict {
  const detail = `version ${found} at the replica; the manifest says ${versionId}`;
  return {
    ...{ object: key, verdict: 'damaged', segments: 0, rows: 0, storedBytes: 0 },
    problems: [{ object: key, table: null, kind: 'hash', detail }],
  };
}
