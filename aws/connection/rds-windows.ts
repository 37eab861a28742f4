/**
 * RDS has windows of its own: in one it takes a snapshot, in the other it may restart the server. A backup that begins
 * in one of them is warned about, not refused: it is complete all the same, or it fails by name.
 */
import type { Warning } from '../../core/contract/manifest.ts';
import type { RdsServer } from './rds-server.ts';

const dayMinutes = 24 * 60;
const weekMinutes = 7 * dayMinutes;
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** @returns what a person should know of a backup that begins at `at` */
export function windowWarnings(
  server: Pick<RdsServer, 'host' | 'backupWindow' | 'maintenanceWindow' | 'isMultiAz'>,
  at: Date,
): Warning[] {
  const { host, backupWindow, maintenanceWindow, isMultiAz } = server;
  const warnings: Warning[] = [];
  if (backupWindow !== undefined && isWithin(backupWindow, at)) {
    const harm = isMultiAz
      ? 'its answers may be slower'
      : 'it stops storage for seconds, and takes the same disk as this backup';
    warnings.push({
      code: 'rds-backup-window',
      message: `The backup began within the backup window of ${host} (${backupWindow} UTC): while RDS takes its own, ${harm}.`,
      hint: 'Move the schedule out of the window, or the window away from the schedule (--preferred-backup-window).',
    });
  }
  if (maintenanceWindow !== undefined && isWithin(maintenanceWindow, at)) {
    warnings.push({
      code: 'rds-maintenance-window',
      message: `The backup began within the maintenance window of ${host} (${maintenanceWindow} UTC): a restart in it ends the snapshot.`,
      hint: 'Move the schedule out of the window: a run whose snapshot is lost publishes nothing.',
    });
  }
  return warnings;
}

/** @param window `04:00-04:30` daily or `sun:05:00-sun:05:30` weekly, UTC; may go over midnight, or over the week's end */
export function isWithin(window: string, at: Date): boolean {
  const match = /^(?:(\w{3}):)?(\d\d):(\d\d)-(?:(\w{3}):)?(\d\d):(\d\d)$/.exec(
    window.toLowerCase(),
  );
  if (match === null) return false;
  const [, fromDay, fromHour, fromMinute, toDay, toHour, toMinute] = match;
  const isWeekly = fromDay !== undefined && toDay !== undefined;
  const minuteOf = (day: string | undefined, hour = '', minute = '') =>
    (isWeekly ? days.indexOf(day ?? '') * dayMinutes : 0) + Number(hour) * 60 + Number(minute);
  const from = minuteOf(fromDay, fromHour, fromMinute);
  const to = minuteOf(toDay, toHour, toMinute);
  const period = isWeekly ? weekMinutes : dayMinutes;
  const now = ((isWeekly ? at.getUTCDay() : 0) * 24 + at.getUTCHours()) * 60 + at.getUTCMinutes();
  // Minutes since its beginning, around the end of day or week.
  return (now - from + period) % period < (to - from + period) % period;
}
