/**
 * What an alarm can be about: one line for each kind, as data. The stack makes alarms of it, the runbook has a section for
 * each, the tests walk it.
 *
 * Invariant: what is measured is told by the code (`core/contract/metrics.ts`) or by a service of AWS; nothing is counted
 * that nobody emits.
 */
import type { Source } from '../../core/contract/environment.ts';
import type { MetricName } from '../../core/contract/metrics.ts';
import { provenSecondsOf, rpoSecondsOf } from '../../core/environment/objectives.ts';

interface KindBase {
  /** One sentence of what it means, for the alarm's description. */
  readonly means: string;
  /** The page of the console that is looked at first; see `consoleLink`. */
  readonly console: 'dashboard' | 'backup' | 'restore' | 'drill' | 'queue' | 'keys' | 'vault';
}

/** Something happened: one is enough, and it is over when it has not happened again for an hour. */
export interface CountedKind extends KindBase {
  readonly by: 'count';
  readonly metric: MetricName;
  /** It may fail before anybody knows of which source it is. */
  readonly mayLackSource: boolean;
}

/** The same of a machine: which source it was about does not matter to who mends it. */
export interface MachineKind extends KindBase {
  readonly by: 'machine';
  readonly metric: MetricName;
}

/** Something is too old. */
export interface AgedKind extends KindBase {
  readonly by: 'age';
  readonly metric: MetricName;
  /** Seconds; undefined: nothing is promised of this source. */
  readonly limitSeconds: (source: Source) => number | undefined;
  /** The sentinel tells it every 15 minutes; without a figure there is none to be proud of. */
  readonly isBadWhenMissing: boolean;
}

/** What is so, by the sentinel's last look. */
export interface StateKind extends KindBase {
  readonly by: 'state';
  readonly metric: MetricName;
}

/** What somebody did, as CloudTrail tells it: a rule tells people who did what, an alarm counts the rule's calls. */
export interface WatchedKind extends KindBase {
  readonly by: 'rule';
}

/** Messages in the dead-letter queue. */
export interface QueuedKind extends KindBase {
  readonly by: 'queue';
}

export type AlarmKindSpec =
  | CountedKind
  | MachineKind
  | AgedKind
  | StateKind
  | WatchedKind
  | QueuedKind;

const hour = 3_600;

export const alarmKinds = {
  'backup-failed': {
    by: 'count',
    metric: 'BackupFailed',
    mayLackSource: true,
    means:
      'A backup did not end well: unless `list` shows it, nothing was published, and the latest backup is the one before.',
    console: 'backup',
  },
  'backup-missed': {
    by: 'age',
    metric: 'VerifiedAge',
    limitSeconds: rpoSecondsOf,
    isBadWhenMissing: true,
    means:
      'The newest backup that can be restored (whole, published, verified) is older than the RPO, or nobody could tell its age: a disaster now would lose more than is promised.',
    console: 'dashboard',
  },
  'verification-damaged': {
    by: 'count',
    metric: 'VerifyDamaged',
    mayLackSource: false,
    means:
      'An object that was read back from the vault or its replica is not what was written: that backup is not published, or its copy does not count.',
    console: 'backup',
  },
  'replica-behind': {
    by: 'state',
    metric: 'ReplicaBehind',
    means:
      'The newest backup has no verified copy in the other Region, an hour after it was published.',
    console: 'dashboard',
  },
  'drill-failed': {
    by: 'count',
    metric: 'DrillFailed',
    mayLackSource: true,
    means: 'A drill did not end with an identical database: the backup is not proven to restore.',
    console: 'drill',
  },
  'drill-stale': {
    by: 'age',
    metric: 'ProvenAge',
    limitSeconds: provenSecondsOf,
    isBadWhenMissing: true,
    means:
      'No backup that is recent enough has been restored by a drill: whether backups restore is presumed, not proven.',
    console: 'drill',
  },
  'restore-failed': {
    by: 'count',
    metric: 'RestoreFailed',
    mayLackSource: true,
    means:
      'A restore (a drill’s too) was given up. Its target is as it was, unless the cutover had happened or something could not be taken away: the report says.',
    console: 'restore',
  },
  'clean-up-failed': {
    by: 'machine',
    metric: 'CleanUpTroubles',
    means:
      'A run has ended and could not take everything away: a database with rows of a backup, sessions or a lease may be left. `holdfast cancel` of the run tries again.',
    console: 'dashboard',
  },
  'snapshot-too-old': {
    by: 'age',
    metric: 'SnapshotAge',
    limitSeconds: ({ objectives }) =>
      (objectives?.snapshotHours ?? objectives?.rpoHours ?? 12) * hour,
    isBadWhenMissing: false,
    means:
      'A backup has held its snapshot on the source for too long: VACUUM removes nothing that is newer, and tables grow.',
    console: 'backup',
  },
  'dead-letters': {
    by: 'queue',
    means:
      'Something that a schedule, a rule or an asynchronous call should have started did not start; the message in the queue names it and the error. Start what is missing by hand.',
    console: 'queue',
  },
  'key-disabled': {
    by: 'rule',
    means:
      'Somebody disabled a key of the backups, scheduled it for deletion, or changed its policy or its primary Region: without it no backup can be opened or made.',
    console: 'keys',
  },
  'vault-changed': {
    by: 'rule',
    means:
      'Somebody changed, or tried to change, settings of the vault’s bucket: lock, lifecycle, replication, policy.',
    console: 'vault',
  },
  'delete-attempted': {
    by: 'rule',
    means: 'Somebody tried to delete in the vault, which is denied to everybody.',
    console: 'vault',
  },
} as const satisfies Record<string, AlarmKindSpec>;

export type AlarmKind = keyof typeof alarmKinds;

/** `Backup failed`: the runbook's heading. */
export const headingOf = (kind: AlarmKind): string =>
  `${kind[0]?.toUpperCase()}${kind.slice(1).replaceAll('-', ' ')}`;

/** As GitHub makes an anchor of that heading. */
export const runbookOf = (kind: AlarmKind): string => `docs/runbook.md#${kind}`;
