/** The alarms of `lib/alarms/` in CloudWatch: each tells people when it begins and when it is over. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type AlarmPlace, alarmsOf } from '../alarms/alarms-of.ts';

const comparisons = {
  greater: ComparisonOperator.GREATER_THAN_THRESHOLD,
  'greater or equal': ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
} as const;

const missing = {
  breaching: TreatMissingData.BREACHING,
  notBreaching: TreatMissingData.NOT_BREACHING,
  ignore: TreatMissingData.IGNORE,
} as const;

export class Alarms extends Construct {
  /** In the order of the table. */
  readonly all: readonly IAlarm[];

  constructor(scope: Construct, id: string, where: AlarmPlace, topic: ITopic) {
    super(scope, id);
    const action = new SnsAction(topic);
    this.all = alarmsOf(where).map((spec) => {
      const { namespace, name, dimensions, statistic, periodSeconds } = spec.metric;
      const alarm = new Alarm(
        this,
        [spec.kind, spec.source ?? spec.machine].filter(Boolean).join('-'),
        {
          alarmName: spec.name,
          alarmDescription: spec.description,
          metric: new Metric({
            ...{ namespace, statistic, metricName: name, dimensionsMap: { ...dimensions } },
            period: Duration.seconds(periodSeconds),
          }),
          ...{ threshold: spec.threshold, evaluationPeriods: spec.periods, datapointsToAlarm: 1 },
          comparisonOperator: comparisons[spec.comparison],
          treatMissingData: missing[spec.missing],
        },
      );
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return alarm;
    });
  }
}
