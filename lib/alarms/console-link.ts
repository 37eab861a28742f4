/** Pages of the console of AWS, for the descriptions of alarms. */
import { namesOf } from '../../core/contract/names.ts';
import { vaultPlaceOf } from '../places.ts';
import type { AlarmPlace } from './alarms-of.ts';
import type { AlarmKindSpec } from './kinds.ts';

export function consoleLink(
  page: AlarmKindSpec['console'],
  { environment, place, isPrimary }: AlarmPlace,
): string {
  const names = namesOf(environment.name);
  const { account, region } = place;
  const at = (path: string) => `https://${region}.console.aws.amazon.com/${path}`;
  switch (page) {
    case 'backup':
    case 'restore':
    case 'drill':
      return at(
        `states/home?region=${region}#/statemachines/view/${names.machineArn(page, place)}`,
      );
    case 'dashboard':
      return at(`cloudwatch/home?region=${region}#dashboards/dashboard/${names.dashboard(region)}`);
    case 'queue': {
      const url = `https://sqs.${region}.amazonaws.com/${account}/${names.deadLetters}`;
      return at(`sqs/v3/home?region=${region}#/queues/${encodeURIComponent(url)}`);
    }
    case 'keys':
      return at(`kms/home?region=${region}#/kms/keys`);
    case 'vault':
      return `https://s3.console.aws.amazon.com/s3/buckets/${names.vaultBucket(vaultPlaceOf(environment, isPrimary))}?tab=properties`;
  }
}
