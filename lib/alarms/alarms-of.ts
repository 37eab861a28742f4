/**
 * The alarms of one Region of an environment, as data: which metric, what is too much, what it means and where to look.
 *
 * The replica Region has its own, on what its own sentinel sees of the copies: they speak when the primary cannot.
 */
import type { Environment, Source } from '../../core/contract/environment.ts';
import { type MetricName, metricNamespace, unknownSource } from '../../core/contract/metrics.ts';
import { type MachineName, machineNames, namesOf, type Place } from '../../core/contract/names.ts';
import { replicationSeconds } from '../../core/environment/objectives.ts';
import { vaultPlaceOf } from '../places.ts';
import { consoleLink } from './console-link.ts';
import {
  type AgedKind,
  type AlarmKind,
  type AlarmKindSpec,
  alarmKinds,
  runbookOf,
} from './kinds.ts';

export interface AlarmSpec {
  readonly kind: AlarmKind;
  /** Absent: of the environment, not of one source. */
  readonly source?: string;
  readonly machine?: MachineName;
  readonly name: string;
  readonly description: string;
  readonly metric: {
    readonly namespace: string;
    readonly name: string;
    readonly dimensions: Readonly<Record<string, string>>;
    readonly statistic: 'Sum' | 'Maximum' | 'Minimum';
    readonly periodSeconds: number;
  };
  /** How many periods are looked at; one bad one is enough. */
  readonly periods: number;
  readonly threshold: number;
  readonly comparison: 'greater' | 'greater or equal';
  readonly missing: 'breaching' | 'notBreaching' | 'ignore';
}

export interface AlarmPlace {
  readonly environment: Environment;
  readonly place: Place;
  readonly isPrimary: boolean;
}

const minute = 60;
/** The sentinel looks every 15 minutes: in twice that it has spoken, even when one call was lost. */
const sentinelPeriod = 30 * minute;
/** An event is told once. An hour in which it does not come again ends the alarm. */
const eventPeriod = 5 * minute;
const eventPeriods = 12;

export function alarmsOf(where: AlarmPlace): AlarmSpec[] {
  const kinds = Object.entries(alarmKinds) as [AlarmKind, AlarmKindSpec][];
  return kinds.flatMap(([kind, spec]) => (isHere(kind, where) ? ofKind(kind, spec, where) : []));
}

function isHere(kind: AlarmKind, { environment, place, isPrimary }: AlarmPlace): boolean {
  switch (kind) {
    case 'replica-behind':
      return isPrimary && environment.regions.replica !== undefined;
    // Drills are scheduled in the primary alone. Of exercises no age is told: the replica vault has copies of the primary's
    // proofs, and CloudWatch looks back a week.
    case 'drill-stale':
      return isPrimary;
    // What is done to a bucket is told in its own account.
    case 'vault-changed':
    case 'delete-attempted':
      return vaultPlaceOf(environment, isPrimary).account === place.account;
    default:
      return true;
  }
}

function ofKind(kind: AlarmKind, spec: AlarmKindSpec, where: AlarmPlace): AlarmSpec[] {
  const { sources } = where.environment;
  switch (spec.by) {
    case 'count': {
      const names = sources.map(({ name }) => name);
      if (spec.mayLackSource) names.push(unknownSource);
      return [...new Set(names)].map((source) => counted(kind, spec.metric, source, where));
    }
    case 'machine':
      return machineNames.map((machine) => ofMachine(kind, spec.metric, machine, where));
    case 'age':
      return sources.flatMap((source) => aged(kind, spec, source, where));
    case 'state':
      return sources.map(({ name }) => ({
        ...base(kind, where, { source: name }),
        metric: {
          ...ours(spec.metric, name, where),
          statistic: 'Minimum',
          periodSeconds: sentinelPeriod,
        },
        ...{ periods: 1, threshold: 1, comparison: 'greater or equal', missing: 'notBreaching' },
      }));
    case 'queue':
      return [onQueue(kind, where)];
    case 'rule':
      return [onRule(kind, where)];
  }
}

function base(kind: AlarmKind, where: AlarmPlace, of: Pick<AlarmSpec, 'source' | 'machine'> = {}) {
  const { environment, place } = where;
  const { means, console } = alarmKinds[kind];
  const what = Object.entries(of).map(([of, one]) => `, ${of} ${one}`);
  return {
    kind,
    ...of,
    name: namesOf(environment.name).alarm(kind, of.source ?? of.machine),
    description: [
      `Holdfast ${environment.name} (${place.region}${what.join('')}): ${means}`,
      `Console: ${consoleLink(console, where)}`,
      `Runbook: ${runbookOf(kind)}`,
    ].join('\n'),
  };
}

/** Dimensions as lambdas/telemetry.ts gives them: an alarm asks for exactly those that a metric has. */
const ours = (name: MetricName, source: string, { environment }: AlarmPlace) => ({
  ...{ namespace: metricNamespace, name, dimensions: { source, environment: environment.name } },
});

function counted(
  kind: AlarmKind,
  metric: MetricName,
  source: string,
  where: AlarmPlace,
): AlarmSpec {
  return {
    ...base(kind, where, { source }),
    metric: { ...ours(metric, source, where), statistic: 'Sum', periodSeconds: eventPeriod },
    ...{ periods: eventPeriods, threshold: 1 },
    ...{ comparison: 'greater or equal', missing: 'notBreaching' },
  };
}

function ofMachine(
  kind: AlarmKind,
  name: MetricName,
  machine: MachineName,
  where: AlarmPlace,
): AlarmSpec {
  const dimensions = { machine, environment: where.environment.name };
  return {
    ...base(kind, where, { machine }),
    metric: {
      ...{ namespace: metricNamespace, name, dimensions },
      ...{ statistic: 'Sum', periodSeconds: eventPeriod },
    },
    ...{ periods: eventPeriods, threshold: 1 },
    ...{ comparison: 'greater or equal', missing: 'notBreaching' },
  };
}

function aged(kind: AlarmKind, spec: AgedKind, source: Source, where: AlarmPlace): AlarmSpec[] {
  const limit = spec.limitSeconds(source);
  if (limit === undefined) return [];
  // Told by a run for itself, or by the sentinel: there the younger of two figures is the one of the newer backup.
  const byRun = { statistic: 'Maximum', periodSeconds: eventPeriod } as const;
  const bySentinel = { statistic: 'Minimum', periodSeconds: sentinelPeriod } as const;
  const isCopy = kind === 'backup-missed' && !where.isPrimary;
  return [
    {
      ...base(kind, where, { source: source.name }),
      metric: {
        ...ours(spec.metric, source.name, where),
        ...(spec.metric === 'SnapshotAge' ? byRun : bySentinel),
      },
      ...{
        periods: 1,
        threshold: limit + (isCopy ? replicationSeconds : 0),
        comparison: 'greater',
      },
      missing: spec.isBadWhenMissing ? 'breaching' : 'notBreaching',
    },
  ];
}

/**
 * SQS tells of a queue only while it is in use: after six hours at rest its letters are still there, and nothing says so.
 * The alarm stays as it was; emptying the queue is use.
 */
function onQueue(kind: AlarmKind, where: AlarmPlace): AlarmSpec {
  const QueueName = namesOf(where.environment.name).deadLetters;
  return {
    ...base(kind, where),
    metric: {
      ...{ namespace: 'AWS/SQS', name: 'ApproximateNumberOfMessagesVisible' },
      ...{ dimensions: { QueueName }, statistic: 'Maximum', periodSeconds: eventPeriod },
    },
    ...{ periods: 1, threshold: 1, comparison: 'greater or equal', missing: 'ignore' },
  };
}

/** EventBridge tells of calls of a rule's targets when there are any, and else nothing. */
function onRule(kind: AlarmKind, where: AlarmPlace): AlarmSpec {
  const RuleName = namesOf(where.environment.name).watchRule(kind);
  return {
    ...base(kind, where),
    metric: {
      ...{ namespace: 'AWS/Events', name: 'Invocations', dimensions: { RuleName } },
      ...{ statistic: 'Sum', periodSeconds: eventPeriod },
    },
    ...{ periods: eventPeriods, threshold: 1 },
    ...{ comparison: 'greater or equal', missing: 'notBreaching' },
  };
}
