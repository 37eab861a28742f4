/**
 * The state Publish: a sealed backup becomes one that is kept and listed, when every object of it was read back intact.
 *
 * Invariant: the order is verdicts, signature, decision, lock and tier on data, then on the manifest, evidence "verified"
 * (and "promoted"), catalogue entry, evidence "published", holds, lease: what stops between can be called again, and nothing is
 * listed that is not verified. The entry decides: what fails behind it does not make the backup unpublished (fail.ts). A
 * damaged backup is never published.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { type ObjectVerdict, objectVerdictSchema, type Run } from '../contract/plan.ts';
import { catalogueEntryOf } from '../evidence/catalogue-entry.ts';
import { inParallel } from '../in-parallel.ts';
import { duringRun } from '../run/during-run.ts';
import { assertLease, releaseLease } from '../run/lease.ts';
import { readRun } from '../snapshot/marks.ts';
import { encodeJson, getJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { holdNewest } from './hold-newest.ts';
import { keep } from './keep-objects.ts';
import {
  decide,
  finishedPublication,
  finishPublication,
  keepingOf,
  type Publication,
} from './publication.ts';
import { recordOnce } from './record-once.ts';
import { tierTag } from './retention.ts';

/** Hides the latency of an object store; few enough for its limits. */
const callsAtOnce = 16;

type Verdicts = { readonly objects: number; readonly segments: number; readonly rows: number };

/**
 * @throws BackupDamagedError when an object is not what was written; IncompleteBackupError when one was not looked at;
 * SignatureInvalidError; LeaseHeldError
 */
export async function publishBackup(
  deps: Deps,
  { runId }: InputOf<'Publish'>,
): Promise<OutputOf<'Publish'>> {
  let publication = await finishedPublication(deps, runId);
  if (publication === undefined) {
    publication = await duringRun(deps, 'Publish', runId, () => publish(deps, runId));
    await finishPublication(deps, runId, publication);
  }
  await releaseLease(deps, (await readRun(deps.workspace, runId)).input.source, runId);
  const { tier, hasReplica } = publication;
  return { state: 'published', verdict: 'intact', tier, hasReplica };
}

async function publish(deps: Deps, runId: string): Promise<Publication> {
  const run = await readRun(deps.workspace, runId);
  await assertLease(deps, run);
  const { source } = run.input;
  const { manifest, sha256 } = await loadManifest(deps, source, run.backupId, { isFresh: true });
  const verdicts = await requireIntact(deps, run, manifest);
  const keeping = await keepingOf(deps, run.input);
  const publication = await decide(deps, run, manifest, keeping);
  const { tier, retainUntil } = publication;

  await keep(deps, { runId, name: 'keep' }, manifest, publication);
  await recordOnce(deps, run, sha256, 'verified', { ...verdicts, depth: 'full', runId });
  if (tier !== manifest.tier) {
    const facts = { from: manifest.tier, to: tier, retainUntil, runId };
    await recordOnce(deps, run, sha256, 'promoted', facts);
  }
  await enterIntoCatalogue(deps, manifest, publication);
  await recordOnce(deps, run, sha256, 'published', publishedFacts(manifest, publication, runId));
  if (keeping !== undefined) await holdNewest(deps, run, keeping.retention);
  return publication;
}

/** What later runs must know of it (standing.ts), signed. */
function publishedFacts(
  { scope, snapshot }: Manifest,
  { tier, retainUntil }: Publication,
  runId: string,
) {
  const kept = retainUntil === null ? {} : { retainUntil };
  return { tier, scope, snapshotAt: snapshot.instant, ...kept, runId };
}

async function requireIntact(deps: Deps, run: Run, manifest: Manifest): Promise<Verdicts> {
  const damaged: ObjectVerdict[] = [];
  let segments = 0;
  let rows = 0;
  await inParallel(manifest.objects, callsAtOnce, async ({ key }, index) => {
    const where = workspaceKeys.verdict(run.runId, index);
    const verdict = await getJson(deps.workspace, objectVerdictSchema, where);
    if (verdict?.object !== key) {
      throw new HoldfastError('IncompleteBackupError', `Object ${key} was not verified.`);
    }
    segments += verdict.segments;
    rows += verdict.rows;
    if (verdict.verdict === 'damaged') damaged.push(verdict);
  });
  if (damaged.length === 0) return { objects: manifest.objects.length, segments, rows };
  const problems = damaged.flatMap((verdict) => verdict.problems);
  const first = problems[0];
  throw new HoldfastError(
    'BackupDamagedError',
    `${damaged.length} of ${manifest.objects.length} objects were damaged when they were read back; ` +
      `first ${first?.object} (${first?.table ?? 'whole object'}): ${first?.kind}: ${first?.detail}`,
    { evidence: { backupId: run.backupId, problems: problems.slice(0, 10) } },
  );
}

async function enterIntoCatalogue(
  deps: Deps,
  manifest: Manifest,
  { tier, retainUntil }: Publication,
): Promise<void> {
  const { source, snapshot, backupId } = manifest;
  const key = vaultKeys.catalogue(source.name, new Date(snapshot.instant), backupId);
  const body = encodeJson(catalogueEntryOf(manifest, tier));
  try {
    // Where rules remove backups the entry goes with the data.
    await deps.vault.put(key, body, retainUntil === null ? {} : { tags: { [tierTag]: tier } });
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    // An earlier attempt has been here, unless the entry is another one's.
    const theirs = await deps.vault.get(key);
    if (Buffer.compare(theirs, body) !== 0) throw error;
  }
}
