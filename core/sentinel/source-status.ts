/**
 * How old the newest backup of a source is that can be counted on, for each thing one may want of it: sealed, verified,
 * replicated, proven. Ages are those of the snapshots: what a disaster now would lose.
 *
 * Invariant: only whole backups count, none that was taken for safety's sake, and only by what is signed. Nothing but
 * "sealed" is said of a backup that is not in the catalogue: it cannot be restored, however good it is.
 */
import type { EvidenceKind } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import type { SourceStatus } from '../contract/functions.ts';
import { type ListedBackup, listedBackups } from '../evidence/catalogue.ts';
import type { OpenedBackup } from '../verify/open-backup.ts';
import { type RecentBackup, recentBackups } from './recent-backups.ts';
import { TrustedBackups } from './trusted-backups.ts';

export type StatusDeps = Pick<Deps, 'vault' | 'vaultId' | 'keyRing' | 'now'>;

export interface StatusOptions {
  /** Promised: no more than this is lost. Null: nothing is promised. */
  readonly rpoSeconds: number | null;
  readonly hasReplica: boolean;
}

const hour = 3_600_000;
/** Replication takes seconds to minutes; S3's own promise is 15 minutes for 99.99 %. */
const replicationMs = hour;
/** From the seal to the catalogue: everything is read back once, and published. Longer: its run ended between. */
const publishingMs = 6 * hour;
/** As `stagedDays` by default: what was not published by then is removed. */
const stagedMs = 7 * 24 * hour;

/** @throws what keeps the vault from being read: that a backup cannot be seen is not that there is none */
export async function sourceStatus(
  deps: StatusDeps,
  source: string,
  { rpoSeconds, hasReplica }: StatusOptions,
): Promise<SourceStatus> {
  const now = deps.now().getTime();
  const backups = new TrustedBackups(deps, source);
  const listed = await listedBackups(deps.vault, source);
  const published = new Set(listed.map(({ backupId }) => backupId));
  const recent = await recentBackups(deps.vault, source, new Date(now - stagedMs));
  const unpublished = recent.filter(({ backupId }) => !published.has(backupId));

  const restorable = newestFirst(
    listed.map(({ backupId, listedAt }) => ({ backupId, begunAt: listedAt })),
  );
  const sealed = newestFirst([...restorable, ...unpublished]);
  const ageOf = (kind: EvidenceKind | 'sealed') =>
    ageOfNewest(backups, kind === 'sealed' ? sealed : restorable, kind, now);
  const verifiedAgeSeconds = await ageOf('verified');
  const isBehind = hasReplica ? await isReplicaBehind(backups, restorable, now) : null;
  return {
    source,
    newest: await newestOf(backups, listed),
    sealedAgeSeconds: await ageOf('sealed'),
    verifiedAgeSeconds,
    replicatedAgeSeconds: hasReplica ? await ageOf('replicated') : null,
    provenAgeSeconds: await ageOf('proven'),
    rpoSeconds,
    isWithinRpo:
      rpoSeconds === null ? null : verifiedAgeSeconds !== null && verifiedAgeSeconds <= rpoSeconds,
    isReplicaBehind: isBehind,
    unpublished: await sealedLongAgo(backups, unpublished, now),
    problems: [...backups.problems],
  };
}

const newestFirst = (backups: readonly RecentBackup[]): RecentBackup[] =>
  backups.toSorted((a, b) => b.begunAt.getTime() - a.begunAt.getTime());

/** As `latest` has it (core/restore/choose-backup.ts): whole, and not taken for safety's sake. */
const isMeant = ({ manifest: { scope, tier } }: OpenedBackup): boolean =>
  scope === 'full' && tier !== 'safety';

async function newestOf(
  backups: TrustedBackups,
  listed: readonly ListedBackup[],
): Promise<string | null> {
  for (const { backupId } of listed) {
    const opened = await backups.open(backupId);
    if (opened !== undefined && isMeant(opened)) return backupId;
  }
  return null;
}

async function ageOfNewest(
  backups: TrustedBackups,
  candidates: readonly RecentBackup[],
  kind: EvidenceKind | 'sealed',
  now: number,
): Promise<number | null> {
  for (const { backupId } of candidates) {
    if (kind !== 'sealed' && (await backups.record(backupId, kind)) === undefined) continue;
    const opened = await backups.open(backupId);
    if (opened === undefined || !isMeant(opened)) continue;
    if (await backups.isDamaged(backupId)) continue;
    const { instant } = opened.manifest.snapshot;
    return Math.max(0, Math.round((now - Date.parse(instant)) / 1000));
  }
  return null;
}

/** The newest of those that have had an hour to be copied; a newer one that is copied already will do. */
async function isReplicaBehind(
  backups: TrustedBackups,
  candidates: readonly RecentBackup[],
  now: number,
): Promise<boolean> {
  for (const { backupId } of candidates) {
    if ((await backups.record(backupId, 'replicated')) !== undefined) return false;
    const published = await backups.record(backupId, 'published');
    if (published !== undefined && now - Date.parse(published.at) > replicationMs) return true;
  }
  return false;
}

async function sealedLongAgo(
  backups: TrustedBackups,
  unpublished: readonly RecentBackup[],
  now: number,
): Promise<string[]> {
  const found: string[] = [];
  for (const { backupId } of unpublished) {
    const opened = await backups.open(backupId);
    if (opened === undefined) continue;
    if (now - Date.parse(opened.manifest.sealedAt) > publishingMs) found.push(backupId);
  }
  return found;
}
