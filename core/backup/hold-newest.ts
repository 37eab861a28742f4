/**
 * Holds the newest backups and the newest proven one, and releases those whose place they take: retention never eats the
 * last good backup, even if all our code stops.
 *
 * Invariants: newer ones are held before older ones are released; evidence `held` comes before the first hold and
 * `released` after the last one is off, so that whatever may be held is known to be. Only for the owner of the source's
 * lease.
 */

import type { EvidenceKind } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { Run } from '../contract/plan.ts';
import type { RetentionPolicy } from '../contract/retention.ts';
import { writeEvidence } from '../evidence/record.ts';
import { vaultKeys } from '../vault/keys.ts';
import { loadManifest, type OpenedBackup } from '../verify/open-backup.ts';
import { hold, release } from './keep-objects.ts';
import { held, tierTag } from './retention.ts';
import { type Standing, standingsOf } from './standing.ts';
import { heldOf } from './tiers.ts';

export async function holdNewest(deps: Deps, run: Run, policy: RetentionPolicy): Promise<void> {
  const standings = await standingsOf(deps, run.input.source);
  const wanted = await openWanted(deps, run.input.source, standings, policy);
  for (const [standing, opened] of wanted) await holdOne(deps, run, standing, opened);
  for (const standing of standings) {
    if (standing.isHeld && !wanted.has(standing)) await releaseOne(deps, run, standing);
  }
}

/** What cannot be opened is no good backup, and takes nobody's place. */
async function openWanted(
  deps: Deps,
  source: string,
  standings: readonly Standing[],
  policy: RetentionPolicy,
): Promise<Map<Standing, OpenedBackup>> {
  const opened = new Map<Standing, OpenedBackup | undefined>();
  for (;;) {
    const candidates = standings.filter((one) => !opened.has(one) || opened.get(one) !== undefined);
    const ids = heldOf(candidates, policy);
    const wanted = candidates.filter(({ backupId }) => ids.includes(backupId));
    const unknown = wanted.filter((one) => !opened.has(one));
    if (unknown.length === 0) {
      return new Map(wanted.map((one) => [one, opened.get(one) as OpenedBackup]));
    }
    for (const one of unknown) opened.set(one, await openIfWhole(deps, source, one.backupId));
  }
}

async function openIfWhole(
  deps: Deps,
  source: string,
  backupId: string,
): Promise<OpenedBackup | undefined> {
  try {
    return await loadManifest(deps, source, backupId, { isFresh: true });
  } catch (error) {
    const isBroken = isHoldfastError(
      error,
      ...(['BackupNotFoundError', 'SignatureInvalidError'] as const),
      ...(['ManifestInvalidError', 'KeyMismatchError'] as const),
    );
    if (!isBroken) throw error;
    return undefined;
  }
}

async function holdOne(
  deps: Deps,
  run: Run,
  { backupId, isHeld }: Standing,
  { manifest, sha256 }: OpenedBackup,
): Promise<void> {
  // The manifest is tagged last: then all is held.
  const { tags } = await deps.vault.head(vaultKeys.manifest(run.input.source, backupId));
  if (isHeld && tags[tierTag] === held) return;
  if (!isHeld) await record(deps, run, 'held', backupId, sha256, {});
  await hold(deps, { runId: run.runId, name: `hold-${backupId}` }, manifest);
}

async function releaseOne(deps: Deps, run: Run, { backupId, tier }: Standing): Promise<void> {
  const opened = await openIfWhole(deps, run.input.source, backupId);
  if (opened === undefined) return;
  const step = { runId: run.runId, name: `release-${backupId}` };
  await release(deps, step, opened.manifest, tier);
  await record(deps, run, 'released', backupId, opened.sha256, { tier });
}

async function record(
  deps: Deps,
  { runId, input: { source, requestedBy: by } }: Run,
  kind: EvidenceKind,
  backupId: string,
  manifestSha256: string,
  facts: Record<string, unknown>,
): Promise<void> {
  await writeEvidence(deps, {
    ...{ kind, source, backupId, by, manifestSha256 },
    facts: { ...facts, runId },
  });
}
