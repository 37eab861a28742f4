/** How long backups are kept: grandfather, father, son. One policy per source; S3 lifecycle rules and Publish follow it. */
import { z } from 'zod';

const keep = z.int().nonnegative();

/**
 * How many backups of each tier are kept, counted in its own periods: `daily: 30` keeps a daily backup for 30 days,
 * `monthly: 12` a monthly one for 12 months. 0: no backup is promoted to this tier.
 */
export const retentionPolicySchema = z.strictObject({
  /** Hours × this many; backups taken by an hourly schedule. */
  hourly: keep.default(48),
  daily: keep.min(1).default(30),
  weekly: keep.default(12),
  monthly: keep.default(12),
  yearly: keep.default(7),
  /** Days. */
  manualDays: z.int().positive().default(90),
  safetyDays: z.int().positive().default(30),
  /** Days after which what a failed run left behind is removed. Longer than the longest run and its repair. */
  stagedDays: z.int().min(2).default(7),
  /** This many of the newest verified backups never expire, nor does the newest proven one. */
  minKeep: z.int().positive().default(3),
});
export type RetentionPolicy = z.infer<typeof retentionPolicySchema>;

/** Hours per day are what PostgreSQL and people call it: the zone decides when a day, week, month, year begins. */
export const timeZoneSchema = z.string().refine(
  (zone) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone });
      return true;
    } catch {
      return false;
    }
  },
  { error: 'is no time zone of the IANA database; allowed are names as Europe/Berlin or UTC' },
);
