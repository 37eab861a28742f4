/**
 * All objects of one backup: a report, and evidence of it in the vault.
 *
 * Invariant: the wrong key is an error before anything is read; a manifest that cannot be trusted is the verdict
 * "damaged". Only a full look leaves evidence "verified"; damage is recorded whoever finds it.
 */
import { createHash } from 'node:crypto';
import type { VerifyReport } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { type Tier, tierSchema } from '../contract/manifest.ts';
import type { ObjectVerdict, VerdictProblem } from '../contract/plan.ts';
import { hasCatalogueEntry } from '../evidence/catalogue.ts';
import { catalogueEntryOf } from '../evidence/catalogue-entry.ts';
import { readAllEvidence, writeEvidence } from '../evidence/record.ts';
import { inParallel } from '../in-parallel.ts';
import { requireKeys } from '../keyring/require-keys.ts';
import { encodeJson } from '../vault/json.ts';
import { vaultKeys } from '../vault/keys.ts';
import { readVaultMarker } from '../vault/marker.ts';
import { loadManifest, type OpenedBackup } from './open-backup.ts';
import { verifyObject } from './verify-object.ts';

export type VerifyBackupDeps = Pick<
  Deps,
  'vault' | 'vaultId' | 'keyRing' | 'now' | 'progress' | 'record'
>;

export interface VerifyBackupInput {
  readonly source: string;
  readonly backupId: string;
  readonly depth: VerifyReport['depth'];
  /** Objects at once. */
  readonly concurrency: number;
  readonly by: { readonly user: string; readonly host: string };
  /** Verifies one object somewhere else, say in a pool of workers; by default here. */
  readonly verifyOne?: (object: number) => Promise<ObjectVerdict>;
}

/** @throws KeyMismatchError, BackupNotFoundError, VaultAccessDeniedError …; damage is never thrown */
export async function verifyBackup(
  deps: VerifyBackupDeps,
  input: VerifyBackupInput,
): Promise<VerifyReport> {
  const begin = performance.now();
  const marker = await readVaultMarker(deps.vault);
  requireKeys(deps.keyRing, marker, `vault ${deps.vault.location}`);
  const opened = await openOrProblem(deps, input);
  const isOpen = 'manifest' in opened;
  const verdicts = isOpen ? await verifyAll(deps, input, opened) : [];
  const problems = isOpen
    ? [
        ...(await catalogueProblems(deps, opened)),
        ...verdicts.flatMap((verdict) => verdict.problems),
      ]
    : [opened];
  const sum = (value: (verdict: ObjectVerdict) => number) =>
    verdicts.reduce((total, verdict) => total + value(verdict), 0);
  const report: VerifyReport = {
    backupId: input.backupId,
    verdict: problems.length === 0 ? 'intact' : 'damaged',
    depth: input.depth,
    objects: verdicts.length,
    segments: sum((verdict) => verdict.segments),
    rows: sum((verdict) => verdict.rows),
    storedBytes: sum((verdict) => verdict.storedBytes),
    durationMs: Math.round(performance.now() - begin),
    problems,
  };
  if (report.verdict === 'damaged' || report.depth === 'full') {
    await recordVerification(deps, input, report, isOpen ? opened.sha256 : undefined);
  }
  return report;
}

/** At most this many problems are listed in the evidence: 10,000 lost objects would be a large record. */
const recordedProblems = 100;

async function recordVerification(
  deps: VerifyBackupDeps,
  input: VerifyBackupInput,
  report: VerifyReport,
  manifestSha256: string | undefined,
): Promise<void> {
  const { backupId: _, problems, ...facts } = report;
  await writeEvidence(deps, {
    kind: report.verdict === 'intact' ? 'verified' : 'damaged',
    source: input.source,
    backupId: input.backupId,
    by: input.by,
    manifestSha256: manifestSha256 ?? (await storedManifestHash(deps, input)),
    facts: {
      ...facts,
      problemCount: problems.length,
      problems: problems.slice(0, recordedProblems),
    },
  });
}

/** The manifest, or the problem that it cannot be believed. */
async function openOrProblem(
  deps: VerifyBackupDeps,
  { source, backupId }: VerifyBackupInput,
): Promise<OpenedBackup | VerdictProblem> {
  try {
    return await loadManifest(deps, source, backupId, { isFresh: true });
  } catch (error) {
    // The key file is the vault's own: that the signature asks for another key is damage to the signature.
    if (
      isHoldfastError(error, 'SignatureInvalidError', 'ManifestInvalidError', 'KeyMismatchError')
    ) {
      const object = vaultKeys.manifest(source, backupId);
      return { object, table: null, kind: 'signature', detail: error.message };
    }
    if (
      isHoldfastError(error, 'BackupNotFoundError') &&
      (await wasPublished(deps, source, backupId))
    ) {
      const object = vaultKeys.manifest(source, backupId);
      return { object, table: null, kind: 'missing', detail: error.message };
    }
    throw error;
  }
}

/** Evidence or an entry in the catalogue tells that there was such a backup: then its manifest was lost. */
async function wasPublished(
  deps: VerifyBackupDeps,
  source: string,
  backupId: string,
): Promise<boolean> {
  for await (const _ of deps.vault.list(vaultKeys.evidenceOf(source, backupId), { limit: 1 }))
    return true;
  return hasCatalogueEntry(deps.vault, source, backupId);
}

/** The entry is not signed: what it says must be what the signed manifest says, or evidence of its promotion. No entry: never published, no damage. */
async function catalogueProblems(
  deps: VerifyBackupDeps,
  { manifest, sha256 }: OpenedBackup,
): Promise<VerdictProblem[]> {
  const { source, snapshot, backupId } = manifest;
  const key = vaultKeys.catalogue(source.name, new Date(snapshot.instant), backupId);
  const problem = (detail: string): VerdictProblem[] => [
    { object: key, table: null, kind: 'signature', detail },
  ];
  try {
    const stored = await deps.vault.get(key);
    const isSame = (tier: Tier) =>
      Buffer.compare(stored, encodeJson(catalogueEntryOf(manifest, tier))) === 0;
    if (isSame(manifest.tier)) return [];
    const isPromoted = (await promotionsOf(deps, manifest, sha256)).some(isSame);
    return isPromoted ? [] : problem('The catalogue entry is not what the signed manifest says.');
  } catch (error) {
    if (!isHoldfastError(error, 'ObjectNotFoundError')) throw error;
    const isElsewhere = await hasCatalogueEntry(deps.vault, source.name, backupId);
    return isElsewhere ? problem('The catalogue lists it under another time.') : [];
  }
}

/** The tiers to which signed evidence says that Publish has raised it. Forged evidence says nothing. */
async function promotionsOf(
  deps: VerifyBackupDeps,
  { source, backupId }: OpenedBackup['manifest'],
  sha256: string,
): Promise<Tier[]> {
  const tiers: Tier[] = [];
  try {
    for await (const { kind, manifestSha256, facts } of readAllEvidence(
      deps,
      source.name,
      backupId,
    )) {
      const to = tierSchema.safeParse(facts.to);
      if (kind === 'promoted' && manifestSha256 === sha256 && to.success) tiers.push(to.data);
    }
  } catch (error) {
    if (!isHoldfastError(error, 'SignatureInvalidError', 'ManifestInvalidError')) throw error;
  }
  return tiers;
}

/** Of the manifest as it lies there, believed or not; `missing` when there is none. */
export async function storedManifestHash(
  deps: Pick<Deps, 'vault'>,
  { source, backupId }: Pick<VerifyBackupInput, 'source' | 'backupId'>,
): Promise<string> {
  try {
    const body = await deps.vault.get(vaultKeys.manifest(source, backupId));
    return createHash('sha256').update(body).digest('hex');
  } catch (error) {
    if (isHoldfastError(error, 'ObjectNotFoundError')) return 'missing';
    throw error;
  }
}

async function verifyAll(
  deps: VerifyBackupDeps,
  input: VerifyBackupInput,
  { manifest }: OpenedBackup,
): Promise<ObjectVerdict[]> {
  const isQuick = input.depth === 'quick';
  const verifyOne =
    input.verifyOne ?? ((index: number) => verifyObject(deps, manifest, index, { isQuick }));
  const { rawBytes, storedBytes } = manifest.totals;
  deps.progress({ state: 'VerifyUnit', expectedBytes: isQuick ? storedBytes : rawBytes });
  if (!(input.concurrency >= 1)) {
    throw new HoldfastError(
      'UsageError',
      `concurrency is ${input.concurrency}; it must be at least 1.`,
    );
  }
  return inParallel(manifest.objects, input.concurrency, (_, index) => verifyOne(index));
}
