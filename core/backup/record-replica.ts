/**
 * The state RecordReplica: is the whole backup at the replica, down to the signature that makes it one?
 *
 * Invariant: evidence `replicated` is written only when every object was read back there intact, and manifest and
 * signature there are those of the primary. Whatever is found, the backup stays published. Copies of older backups whose
 * holds this run has changed are set to what the primary has.
 */
import { z } from 'zod';
import { type ReplicaState, replicaStateSchema } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { objectVerdictSchema, type Run } from '../contract/plan.ts';
import { inParallel } from '../in-parallel.ts';
import { recordSpan } from '../run/phases.ts';
import { readRun } from '../snapshot/marks.ts';
import { getJson, putJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { keepChangedCopies } from './changed-copies.ts';
import { recordOnce } from './record-once.ts';
import { behindUnless, keepCopy, requireReplica } from './replica-copy.ts';

/** `runs/<runId>/replica.json` */
export const replicaRecordSchema = z.strictObject({
  replica: replicaStateSchema,
  objects: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  /** What is missing or damaged, in words; null when it is replicated. */
  problem: z.string().nullable(),
});
export type ReplicaRecord = z.infer<typeof replicaRecordSchema>;

const callsAtOnce = 16;

/** @throws ReplicaBehindError (retryable) while the manifest is not there: it comes after the data */
export async function recordReplica(
  deps: Deps,
  { runId }: InputOf<'RecordReplica'>,
): Promise<OutputOf<'RecordReplica'>> {
  const from = deps.now();
  const run = await readRun(deps.workspace, runId);
  const { source } = run.input;
  const { manifest, sha256 } = await loadManifest(deps, source, run.backupId, { isFresh: true });
  const found = await lookAtObjects(deps, run, manifest);
  const problem = found.problem === null ? await lookAtManifest(deps, run, manifest, sha256) : null;
  const record: ReplicaRecord =
    problem === null ? found : { ...found, replica: 'damaged', problem };
  if (record.replica === 'replicated') {
    const { objects, rows } = record;
    const { location } = requireReplica(deps).vault;
    const facts = { objects, rows, replica: location, depth: 'full', runId };
    await recordOnce(deps, run, sha256, 'replicated', facts);
  } else {
    const name = record.replica === 'behind' ? 'ReplicaBehind' : 'VerifyDamaged';
    deps.metric?.(name, 1, { source });
    deps.progress({ state: 'RecordReplica', message: record.problem ?? '' });
  }
  await putJson(deps.workspace, workspaceKeys.replica(runId), record);
  await keepChangedCopies(deps, run);
  await recordSpan(deps, runId, 'RecordReplica', { from, to: deps.now() });
  return { replica: record.replica, objects: record.objects };
}

async function lookAtObjects(deps: Deps, run: Run, manifest: Manifest): Promise<ReplicaRecord> {
  let objects = 0;
  let rows = 0;
  const behind: string[] = [];
  const damaged: string[] = [];
  await inParallel(manifest.objects, callsAtOnce, async ({ key }, index) => {
    const where = workspaceKeys.replicaVerdict(run.runId, index);
    const verdict = await getJson(deps.workspace, objectVerdictSchema, where);
    if (verdict?.object !== key) behind.push(key);
    else if (verdict.verdict === 'damaged') damaged.push(verdict.problems[0]?.detail ?? key);
    else {
      objects += 1;
      rows += verdict.rows;
    }
  });
  const of = `of ${manifest.objects.length} objects`;
  const [replica, problem]: [ReplicaState, string | null] =
    damaged.length > 0
      ? ['damaged', `${damaged.length} ${of} are damaged at the replica; first: ${damaged[0]}`]
      : behind.length > 0
        ? [
            'behind',
            `${behind.length} ${of} were not read back at the replica; first: ${behind.sort()[0]}`,
          ]
        : ['replicated', null];
  return { replica, objects, rows, problem };
}

/** @returns what is wrong, in words */
async function lookAtManifest(
  deps: Deps,
  { input: { source }, backupId }: Run,
  { snapshot }: Manifest,
  sha256: string,
): Promise<string | null> {
  const replica = requireReplica(deps);
  const key = vaultKeys.manifest(source, backupId);
  try {
    const there = await loadManifest({ ...deps, ...replica }, source, backupId, { isFresh: true });
    if (there.sha256 !== sha256) return `${key} is another one at the replica.`;
  } catch (error) {
    // Without a signature beside it a manifest may be ahead of it on its way: that too is "not yet".
    const signature = vaultKeys.signature(source, backupId);
    await keepCopy(deps, signature);
    await keepCopy(deps, key);
    if (isHoldfastError(error, 'SignatureInvalidError', 'ManifestInvalidError', 'KeyMismatchError'))
      return `${key} at the replica: ${error.message}`;
    throw behindUnless(error, replica.vault, key);
  }
  const entry = vaultKeys.catalogue(source, new Date(snapshot.instant), backupId);
  for (const each of [key, vaultKeys.signature(source, backupId), entry]) {
    await keepCopy(deps, each);
  }
  return null;
}
