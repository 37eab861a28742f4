/**
 * What an environment promises of a source, and what its schedules suggest where it promises nothing. Alarms and
 * `holdfast status` measure against the same.
 */
import type { Source } from '../contract/environment.ts';

const hour = 3_600;
const day = 24 * hour;
/** A week between drills, the age of the backup that is drilled, and a day to be late (the retries of its schedule). */
const provenDays = 9;

/** As core/sentinel/source-status.ts: a copy has that long to follow. */
export const replicationSeconds = hour;

/** Without a promise, twice what the clock does and a margin: three hours where it is hourly, thirty where it is daily. */
const hoursBySchedule = ({ schedules }: Source): number | undefined => {
  const tiers = schedules.map(({ tier }) => tier);
  if (tiers.includes('hourly')) return 3;
  return tiers.includes('daily') ? 30 : undefined;
};

/** The age of the newest backup, at most; undefined: nothing is promised. */
export const rpoSecondsOf = (source: Source): number | undefined =>
  times(source.objectives?.rpoHours ?? hoursBySchedule(source), hour);

/** The age of the newest backup that a drill has restored, at most; undefined: nothing is promised. */
export const provenSecondsOf = ({ objectives, drill }: Source): number | undefined =>
  times(objectives?.provenDays ?? (drill === undefined ? undefined : provenDays), day);

const times = (amount: number | undefined, seconds: number): number | undefined =>
  amount === undefined ? undefined : amount * seconds;
