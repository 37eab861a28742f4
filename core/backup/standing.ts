/**
 * What the signed evidence says of the published backups of a source: tier, scope, damage, proof, hold.
 *
 * Invariant: only signed records count. A backup of which a record is forged or cannot be read counts for nothing: it
 * covers no period and takes nobody's place among the held ones, and it is left as it is.
 */
import type { EvidenceRecord } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { tierSchema } from '../contract/manifest.ts';
import { listedBackups } from '../evidence/catalogue.ts';
import { readAllEvidence } from '../evidence/record.ts';
import { inParallel } from '../in-parallel.ts';
import type { KnownBackup } from './tiers.ts';

export interface Standing extends KnownBackup {
  readonly isHeld: boolean;
}

/** 110 backups under the default policy, with about five records each: two seconds on S3. */
const backupsAtOnce = 16;

/** Of the listed backups those that are published and not known to be damaged. */
export async function standingsOf(
  deps: Pick<Deps, 'vault' | 'keyRing'>,
  source: string,
): Promise<Standing[]> {
  const listed = await listedBackups(deps.vault, source);
  const standings = await inParallel(listed, backupsAtOnce, ({ backupId }) =>
    standingOf(deps, source, backupId),
  );
  return standings.filter((one) => one !== undefined);
}

async function standingOf(
  deps: Pick<Deps, 'vault' | 'keyRing'>,
  source: string,
  backupId: string,
): Promise<Standing | undefined> {
  const records: EvidenceRecord[] = [];
  try {
    for await (const record of readAllEvidence(deps, source, backupId)) records.push(record);
  } catch (error) {
    const isForged = isHoldfastError(
      error,
      ...(['SignatureInvalidError', 'ManifestInvalidError', 'KeyMismatchError'] as const),
    );
    if (!isForged) throw error;
    return undefined;
  }
  return fromEvidence(backupId, records);
}

/** @param records of one backup, oldest first */
export function fromEvidence(
  backupId: string,
  records: readonly EvidenceRecord[],
): Standing | undefined {
  const last = (...kinds: readonly EvidenceRecord['kind'][]) =>
    records.findLast(({ kind }) => kinds.includes(kind));
  const published = last('published')?.facts;
  const tier = tierSchema.safeParse(published?.tier);
  const { scope, snapshotAt } = published ?? {};
  const isKnown = tier.success && typeof snapshotAt === 'string';
  if (!isKnown || (scope !== 'full' && scope !== 'partial')) return undefined;
  // What was found last counts: one that was healed from its replica is verified again.
  if (last('verified', 'proven', 'damaged')?.kind === 'damaged') return undefined;
  return {
    ...{ backupId, at: new Date(snapshotAt), tier: tier.data, scope },
    isProven: last('proven') !== undefined,
    isHeld: last('held', 'released')?.kind === 'held',
  };
}
