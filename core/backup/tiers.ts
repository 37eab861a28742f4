/**
 * Which backup is kept as what: the first of a period is promoted, the newest ones are held. Pure, as retention.ts is.
 *
 * Invariants: no period that has a full backup is without one of its tier; never fewer than `minKeep` are held where there
 * are so many; the time of the snapshot is the order, whenever a backup was made, published or asked about.
 */
import type { Tier } from '../contract/manifest.ts';
import type { RetentionPolicy } from '../contract/retention.ts';
import { type Periods, periodsOf } from './periods.ts';

/** What is known of a backup that is published and not known to be damaged. */
export interface KnownBackup {
  readonly backupId: string;
  /** Instant of its snapshot: the order of backups, whenever they were made or published. */
  readonly at: Date;
  readonly tier: Tier;
  readonly scope: 'full' | 'partial';
  readonly isProven: boolean;
}

/** Highest first. */
const promotions = [
  ['yearly', 'year'],
  ['monthly', 'month'],
  ['weekly', 'week'],
  ['daily', 'day'],
] as const satisfies readonly (readonly [Tier, keyof Periods])[];

/**
 * The tier under which a verified backup is kept: the highest that its year, month, week or day has no full backup of
 * yet. Only what a schedule made is promoted (`hourly`, `daily`), and only when it is full.
 *
 * @param others what is published of the same source; itself may be among them
 */
export function tierAtPublish(
  backup: Omit<KnownBackup, 'isProven'>,
  others: readonly KnownBackup[],
  policy: RetentionPolicy,
  timeZone: string,
): Tier {
  const isScheduled = backup.tier === 'hourly' || backup.tier === 'daily';
  if (!isScheduled || backup.scope !== 'full') return backup.tier;
  const own = periodsOf(backup.at, timeZone);
  const covering: Tier[] = [];
  for (const [tier, period] of promotions) {
    covering.push(tier);
    if (tier !== 'daily' && policy[tier] === 0) continue;
    const isCovered = others.some(
      (other) =>
        other.backupId !== backup.backupId &&
        other.scope === 'full' &&
        covering.includes(other.tier) &&
        periodsOf(other.at, timeZone)[period] === own[period],
    );
    if (!isCovered) return tier;
  }
  return backup.tier;
}

/**
 * The backups that never expire: the newest `minKeep` full ones, and the newest full one that is proven. A safety backup
 * is of a state that somebody was about to replace, and counts for neither.
 */
export function heldOf(backups: readonly KnownBackup[], policy: RetentionPolicy): string[] {
  const candidates = backups
    .filter(({ scope, tier }) => scope === 'full' && tier !== 'safety')
    .sort((a, b) => b.at.getTime() - a.at.getTime() || (a.backupId < b.backupId ? 1 : -1));
  const proven = candidates.find(({ isProven }) => isProven);
  const newest = candidates.slice(0, policy.minKeep).map(({ backupId }) => backupId);
  return proven === undefined ? newest : [...new Set([...newest, proven.backupId])];
}
