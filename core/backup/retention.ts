/**
 * How long which backup is kept: the one place that knows. S3's lifecycle rules and the locks of Publish come from here;
 * which backup gets which tier is in tiers.ts. Both are pure: no reading, no writing, no clock.
 *
 * Invariants: no rule that removes or moves anything matches an object without its tier's tag, and none matches `held` or `leaving`;
 * a higher tier is never kept shorter than a lower one; an entry of the catalogue goes before the data that it lists.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Tier } from '../contract/manifest.ts';
import { type RetentionPolicy, retentionPolicySchema } from '../contract/retention.ts';

/** The tag by which lifecycle rules find an object: a tier, `staged` until Publish, `held` while it must not expire. */
export const tierTag = 'holdfast-tier';
export const held = 'held';
/** Of the manifest of a backup that was held and of which some objects may be so no longer; no rule matches it. */
export const leaving = 'leaving';
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

/** S3 takes no more; 58 sources. */
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
 * objects, and what schedules and people have made of a source that the environment does not name any more.
 * @throws ConfigurationError for more sources than a bucket can have rules for
 */
export function lifecycleRulesOf(
  sources: readonly { readonly name: string; readonly retention: RetentionPolicy }[],
): LifecycleRule[] {
  const rules = [
    cleaning,
    ...rulesOfUnnamed(sources.map(({ retention }) => retention)),
    ...sources.flatMap(({ name, retention }) => rulesOf(name, retention)),
  ];
  if (rules.length <= rulesAtMost) return rules;
  throw new HoldfastError(
    'ConfigurationError',
    `sources has ${sources.length} entries, which need ${rules.length} lifecycle rules; allowed are ${rulesAtMost} ` +
      `rules, about ${Math.floor((sources.length * rulesAtMost) / rules.length)} sources.`,
    { hint: 'Divide the sources among two environments: each has a vault of its own.' },
  );
}

/**
 * Safety backups may be of databases that are no source. Their rules hold for all sources, so they are no shorter than
 * the longest of these: where rules overlap S3 takes the earliest.
 */
function rulesOfUnnamed(policies: readonly RetentionPolicy[]): LifecycleRule[] {
  const all = [...policies, retentionPolicySchema.parse({})];
  const longest = (of: 'safetyDays' | 'stagedDays') => Math.max(...all.map((it) => it[of]));
  const [safety, leftovers] = [longest('safetyDays'), longest('stagedDays')];
  return [
    { id: 'any-backups-staged', ...removing('backups/', staged, leftovers, 1) },
    { id: 'any-catalog-safety', ...removing('catalog/', 'safety', safety) },
    { id: 'any-backups-safety', ...removing('backups/', 'safety', safety + lagDays) },
  ];
}

const tagged = (value: string) => ({ tag: { key: tierTag, value } });
const removing = (
  prefix: string,
  value: string,
  expirationDays: number,
  noncurrent = undoDays,
) => ({
  ...{ prefix, ...tagged(value), expirationDays, noncurrentDays: noncurrent },
});

/** These two cannot go with a tag. Uploads end with the task that makes them, in 15 minutes. */
const cleaning: LifecycleRule = {
  id: 'uploads-and-markers',
  prefix: '',
  abortUploadDays: 1,
  removesExpiredDeleteMarkers: true,
};

function rulesOf(source: string, policy: RetentionPolicy): LifecycleRule[] {
  const [backups, catalog] = [`backups/${source}/`, `catalog/${source}/`];
  const rules: LifecycleRule[] = [
    { id: `backups-${source}-${staged}`, ...removing(backups, staged, policy.stagedDays, 1) },
  ];
  for (const tier of tiers) {
    const days = daysOf(tier, policy);
    rules.push(
      { id: `catalog-${source}-${tier}`, ...removing(catalog, tier, days) },
      { id: `backups-${source}-${tier}`, ...removing(backups, tier, days + lagDays) },
    );
    const { afterDays, atLeastDays, largerThanBytes } = colder;
    if ((tier !== 'monthly' && tier !== 'yearly') || days - afterDays < atLeastDays) continue;
    // On its own: a size in a rule holds for all that the rule does.
    const transition = { storageClass: 'GLACIER_IR', afterDays } as const;
    const id = `colder-${source}-${tier}`;
    rules.push({ id, prefix: backups, ...tagged(tier), largerThanBytes, transition });
  }
  return rules;
}
