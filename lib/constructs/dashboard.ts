/**
 * The dashboard. Its first row answers "are we safe?" for every source: how much a disaster now would lose, how long the
 * last restore took, how old the newest backup is that was restored and compared. Below it: the alarms, then how it got so.
 */
import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  MathExpression,
  Metric,
  SingleValueWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { type MetricName, metricNamespace, metrics } from '../../core/contract/metrics.ts';
import { machineNames, namesOf } from '../../core/contract/names.ts';
import type { AlarmPlace } from '../alarms/alarms-of.ts';

/** Wide enough for the last weekly drill. */
const shown = Duration.days(14);
/** As many as a widget takes. */
const mostAlarms = 100;
/** The sentinel looks every 15 minutes. */
const sentinelPeriod = Duration.minutes(15);

const inHours = { Seconds: 3_600, Milliseconds: 3_600_000 } as const;

export class HoldfastDashboard extends Construct {
  readonly #where: AlarmPlace;

  constructor(scope: Construct, id: string, where: AlarmPlace, alarms: readonly IAlarm[]) {
    super(scope, id);
    this.#where = where;
    const { environment, place } = where;
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: namesOf(environment.name).dashboard(place.region),
      defaultInterval: shown,
    });
    const objectives = environment.sources.map(({ name, objectives: it }) =>
      it === undefined
        ? `${name}: no promise`
        : `${name}: RPO ${it.rpoHours} h, RTO ${it.rtoHours} h`,
    );
    dashboard.addWidgets(
      this.#answer(
        'RPO achieved: age of the newest published backup',
        'VerifiedAge',
        sentinelPeriod,
      ),
      this.#answer('RTO measured: the last restore or drill', 'RestoreDuration', Duration.days(1)),
      this.#answer('Newest proven backup: its age', 'ProvenAge', sentinelPeriod),
    );
    dashboard.addWidgets(
      new AlarmStatusWidget({
        title: `Alarms (${objectives.join('; ')})`,
        alarms: alarms.slice(0, mostAlarms),
        ...{ width: 24, height: 2 + Math.ceil(alarms.length / 4) },
      }),
    );
    dashboard.addWidgets(
      this.#graph('Ages, hours', ['SealedAge', 'VerifiedAge', 'ReplicatedAge', 'ProvenAge']),
      this.#graph('Durations, hours', ['BackupDuration', 'RestoreDuration', 'SnapshotAge']),
    );
    dashboard.addWidgets(
      this.#graph('Backups and drills', [
        ...(['BackupPublished', 'BackupFailed', 'VerifyDamaged', 'ReplicaBehind'] as const),
        ...(['RestoreFailed', 'DrillProven', 'DrillFailed'] as const),
      ]),
      this.#graph('Bytes', ['BackupRawBytes', 'BackupStoredBytes']),
      this.#graph('Rows', ['BackupRows']),
    );
    dashboard.addWidgets(this.#leftBehind());
  }

  #leftBehind(): GraphWidget {
    const { environment } = this.#where;
    return new GraphWidget({
      title: 'Left behind: what could not be taken away after a run',
      left: machineNames.map((machine) => {
        const dimensionsMap = { machine, environment: environment.name };
        return new Metric({
          ...{ namespace: metricNamespace, metricName: 'CleanUpTroubles' satisfies MetricName },
          ...{ dimensionsMap, period: Duration.hours(1), statistic: 'Sum', label: machine },
        });
      }),
      ...{ width: 8, height: 7 },
    });
  }

  /** One number for each source: hours. */
  #answer(title: string, name: MetricName, period: Duration): SingleValueWidget {
    return new SingleValueWidget({
      title: `${title} (hours)`,
      metrics: this.#ofSources(name, period),
      ...{ width: 8, height: 5 },
    });
  }

  #graph(title: string, names: readonly MetricName[]): GraphWidget {
    const left = names.flatMap((name) =>
      this.#ofSources(name, Duration.hours(1), names.length > 1),
    );
    return new GraphWidget({
      title,
      left,
      ...{ width: title.includes('hours') ? 12 : 8, height: 7 },
    });
  }

  #ofSources(name: MetricName, period: Duration, hasName = false): IMetric[] {
    const { environment } = this.#where;
    const unit: string = metrics[name];
    return environment.sources.map(({ name: source }, index) => {
      const label = hasName ? `${source} ${name}` : source;
      const statistic = unit === 'Count' && name !== 'BackupRows' ? 'Sum' : 'Maximum';
      const metric = new Metric({
        ...{ namespace: metricNamespace, metricName: name, period, statistic, label },
        dimensionsMap: { source, environment: environment.name },
      });
      const divisor = unit in inHours ? inHours[unit as keyof typeof inHours] : undefined;
      if (divisor === undefined) return metric;
      const id = `${name[0]?.toLowerCase()}${name.slice(1)}${index}`;
      return new MathExpression({
        // What is told once in a while is shown until it is told anew; a silent age is no age.
        expression: `${name === 'RestoreDuration' ? `FILL(${id}, REPEAT)` : id} / ${divisor}`,
        ...{ usingMetrics: { [id]: metric }, label, period },
      });
    });
  }
}
