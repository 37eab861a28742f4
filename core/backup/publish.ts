/**
 * The state Publish: a sealed backup becomes one that is kept and listed, when every object of it was read back intact.
 *
 * Invariant: the order is verdicts, signature, tier on data, tier on manifest, evidence "verified", catalogue entry,
 * evidence "published": what stops between can be called again, and nothing is listed that is not verified. The entry
 * decides: what fails behind it does not make the backup unpublished (fail.ts). A damaged backup is never published.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { type ObjectVerdict, objectVerdictSchema, type Run } from '../contract/plan.ts';
import { catalogueEntryOf } from '../evidence/catalogue-entry.ts';
import { readAllEvidence, writeEvidence } from '../evidence/record.ts';
import { inParallel } from '../in-parallel.ts';
import { assertLease, releaseLease } from '../run/lease.ts';
import { readRun } from '../snapshot/marks.ts';
import { encodeJson, getJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import { loadManifest } from '../verify/open-backup.ts';

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
  const run = await readRun(deps.workspace, runId);
  await assertLease(deps, run);
  const { source } = run.input;
  const { manifest, sha256 } = await loadManifest(deps, source, run.backupId, { isFresh: true });
  const verdicts = await requireIntact(deps, run, manifest);

  await keep(deps, run, manifest);
  await recordOnce(deps, run, sha256, 'verified', { ...verdicts, depth: 'full', runId });
  await enterIntoCatalogue(deps, manifest);
  await recordOnce(deps, run, sha256, 'published', { tier: manifest.tier, runId });
  await releaseLease(deps, source, runId);
  return { state: 'published', verdict: 'intact' };
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

/** The tier instead of `staged`: from now on no garbage collection matches. The manifest is the last one. */
async function keep(deps: Deps, run: Run, manifest: Manifest): Promise<void> {
  const tags = { 'holdfast-tier': manifest.tier };
  const { source } = run.input;
  await inParallel(manifest.objects, callsAtOnce, ({ key }) => deps.vault.setTags(key, tags));
  await deps.vault.setTags(vaultKeys.signature(source, run.backupId), tags);
  await deps.vault.setTags(vaultKeys.manifest(source, run.backupId), tags);
}

async function recordOnce(
  deps: Deps,
  run: Run,
  manifestSha256: string,
  kind: 'verified' | 'published',
  facts: Record<string, unknown>,
): Promise<void> {
  const { source, requestedBy } = run.input;
  for await (const record of readAllEvidence(deps, source, run.backupId)) {
    if (record.kind === kind && record.manifestSha256 === manifestSha256) return;
  }
  const { backupId } = run;
  await writeEvidence(deps, { kind, source, backupId, by: requestedBy, manifestSha256, facts });
}

async function enterIntoCatalogue(deps: Deps, manifest: Manifest): Promise<void> {
  const { source, snapshot, backupId } = manifest;
  const key = vaultKeys.catalogue(source.name, new Date(snapshot.instant), backupId);
  try {
    await deps.vault.put(key, encodeJson(catalogueEntryOf(manifest)));
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    // An earlier attempt has been here, unless the entry is another one's.
    const theirs = await deps.vault.get(key);
    if (Buffer.compare(theirs, encodeJson(catalogueEntryOf(manifest))) !== 0) throw error;
  }
}
