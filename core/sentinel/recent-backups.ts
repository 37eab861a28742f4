/**
 * Ids of the backups that were begun lately, published or not: from the names of the folders, with one short listing for
 * each. What never became a backup is under `staged` and goes within days.
 */
import { compactTime } from '../vault/keys.ts';
import type { Vault } from '../vault/vault.ts';

export interface RecentBackup {
  readonly backupId: string;
  /** By the clock of the run that began it. */
  readonly begunAt: Date;
}

/** Ascending. */
export async function recentBackups(
  vault: Vault,
  source: string,
  since: Date,
): Promise<RecentBackup[]> {
  const prefix = `backups/${source}/`;
  const found: RecentBackup[] = [];
  let startAfter = `${prefix}${source}-${compactTime(since)}`;
  for (;;) {
    let next: string | undefined;
    for await (const { key } of vault.list(prefix, { startAfter, limit: 1 })) next = key;
    if (next === undefined) return found;
    const backupId = next.slice(prefix.length).split('/')[0] ?? '';
    const begunAt = timeOf(backupId);
    if (begunAt !== undefined) found.push({ backupId, begunAt });
    // `~` comes after everything that is in a folder of ours.
    startAfter = `${prefix}${backupId}/~`;
  }
}

function timeOf(backupId: string): Date | undefined {
  const [, date, time] = /-(\d{8})T(\d{6})Z-[a-z0-9]{6}$/.exec(backupId) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const iso = `${date}T${time}`.replace(
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/,
    '$1-$2-$3T$4:$5:$6Z',
  );
  return new Date(iso);
}
