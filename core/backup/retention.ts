/**
 * How long which backup is kept: the one place that knows. S3's lifecycle rules, what Publish decides, and the simulator
 * of the tests all come from here. Pure: no reading, no writing, no clock.
 *
 * Invariants: no rule that removes or moves anything matches an object without its tier's tag, and none matches `held`;
 * a higher tier is never kept shorter than a lower one; an entry of the catalogue goes before the data that it lists.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Tier } from '../contract/manifest.ts';
import type { RetentionPolicy } from '../contract/retention.ts';
import { type Periods, periodsOf } from './periods.ts';

/** The tag by which lifecycle rules find an object: a tier, `staged` until Publish, `held` while it must not expire. */
export const tierTag = 'holdfast-tier';
export const held = 'held';
export const staged = 'staged';

const tiers: readonly Tier[] = [
  ...(['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const),
  ...(['manual', 'safety'] as const),
];

/** Days for which a backup of this tier is listed, and can be restored, from when it was published. */
export function daysOf(tier: Tier, policy: RetentionPolicy): number {
  const hourly = Math.max(1, Math.ceil(policy.hourly / 24));
  const daily = Math.max(hourly, policy.daily);
  // The first backup of a week is also the one of its day: kept for the longer of the two.
  const weekly = Math.max(daily, 7 * policy.weekly);
  const monthly = Math.max(weekly, 31 * policy.monthly);
  const yearly = Math.max(monthly, 366 * policy.yearly);
  const { manualDays: manual, safetyDays: safety } = policy;
  return { hourly, daily, weekly, monthly, yearly, manual, safety }[tier];
}

/** The end of the Object Lock: as long as the backup is listed, counted from when it was sealed. */
export const keepUntil = (tier: Tier, sealedAt: Date, policy: RetentionPolicy): Date =>
  new Date(sealedAt.getTime() + daysOf(tier, policy) * 86_400_000);

/** A rule as S3 knows it, as plain data: the stack translates it word for word. */
export interface LifecycleRule {
  readonly id: string;
  /** Keys that begin so; empty: the whole bucket. */
  readonly prefix: string;
  readonly tag?: { readonly key: string; readonly value: string };
  readonly largerThanBytes?: number;
  /** From the birth of the object, to the next midnight UTC. In a bucket with versions: a delete marker. */
  readonly expirationDays?: number;
  /** From the delete marker on. What is locked S3 leaves alone, and comes again the next day. */
  readonly noncurrentDays?: number;
  readonly transition?: { readonly storageClass: 'GLACIER_IR'; readonly afterDays: number };
  readonly abortUploadDays?: number;
  readonly removesExpiredDeleteMarkers?: true;
}

/** S3 takes no more: 58 sources. */
const rulesAtMost = 1000;
/**
 * Data lives that much longer than the entry that lists it. It is born up to a day before (a snapshot is held for 24 h at
 * most), and ages count in whole days of UTC: with less, the first objects of a long run would expire under a backup
 * that is still listed.
 */
const lagDays = 2;
/** What was deleted or expired by a mistake can be undone over a weekend; a failed run's rest is gone the next day. */
const undoDays = 3;
/**
 * Glacier Instant Retrieval costs 0.004 $/GB-month instead of 0.023, 0.03 $/GB for each reading, 0.02 $ per 1,000 objects
 * to move there, and at least 90 days (us-east-1; other Regions are alike). After 31 days a newer monthly backup is the
 * one that is drilled and restored, so that it is not read any more. 512 KiB × 0.019 $/GB-month × 3 months = 0.000028 $:
 * larger objects earn back the 0.00002 $ of the move in the shortest time that is paid for; smaller ones stay.
 */
const colder = { afterDays: 31, atLeastDays: 90, largerThanBytes: 512 << 10 } as const;

/**
 * The rules of a vault's bucket, and of its replica's (lifecycle is not replicated; tags are).
 *
 * Not in any rule that removes: `vault.json`, evidence/ and audit/ (small, and the only witnesses of what was), `held`
 * objects, and all that belongs to a source that the environment does not name any more.
 * @throws ConfigurationError for more sources than a bucket can have rules for
 */
export function lifecycleRulesOf(
  sources: readonly { readonly name: string; readonly retention: RetentionPolicy }[],
): LifecycleRule[] {
  const rules = [cleaning, ...sources.flatMap(({ name, retention }) => rulesOf(name, retention))];
  if (rules.length <= rulesAtMost) return rules;
  const each = rulesOf('any', (sources[0] as (typeof sources)[0]).retention).length;
  throw new HoldfastError(
    'ConfigurationError',
    `sources has ${sources.length} entries, which need ${rules.length} lifecycle rules; allowed are ${rulesAtMost} ` +
      `rules, about ${Math.floor((rulesAtMost - 1) / each)} sources.`,
    { hint: 'Divide the sources among two environments: each has a vault of its own.' },
  );
}

/** These two cannot go with a tag. Uploads end with the task that makes them, in 15 minutes. */
const cleaning: LifecycleRule = {
  id: 'uploads-and-markers',
  prefix: '',
  abortUploadDays: 1,
  removesExpiredDeleteMarkers: true,
};

function rulesOf(source: string, policy: RetentionPolicy): LifecycleRule[] {
  const backups = `backups/${source}/`;
  const rule = (id: string, prefix: string, value: string) => ({
    ...{ id: `${id}-${source}-${value}`, prefix, tag: { key: tierTag, value } },
  });
  return [
    {
      ...rule('backups', backups, staged),
      ...{ expirationDays: policy.stagedDays, noncurrentDays: 1 },
    },
    ...tiers.flatMap((tier) => {
      const days = daysOf(tier, policy);
      const isLong = tier === 'monthly' || tier === 'yearly';
      const { afterDays, atLeastDays, largerThanBytes } = colder;
      const moves = isLong && days - afterDays >= atLeastDays;
      const transition = { storageClass: 'GLACIER_IR', afterDays } as const;
      return [
        {
          ...rule('catalog', `catalog/${source}/`, tier),
          ...{ expirationDays: days, noncurrentDays: undoDays },
        },
        {
          ...rule('backups', backups, tier),
          ...{ expirationDays: days + lagDays, noncurrentDays: undoDays },
        },
        // On its own: a size in a rule holds for all that the rule does.
        ...(moves ? [{ ...rule('colder', backups, tier), largerThanBytes, transition }] : []),
      ];
    }),
  ];
}

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
