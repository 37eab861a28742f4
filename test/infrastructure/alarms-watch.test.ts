/** Rules on what somebody does to keys and vaults, the trail that they need, the dashboard, the channel of Slack. */
import { describe, expect, test } from 'vitest';
import { alarmsOf } from '../../lib/alarms/alarms-of.ts';
import { runbookOf } from '../../lib/alarms/kinds.ts';
import { watched } from '../../lib/alarms/watched.ts';
import { everythingOn, keyArn, regionOf, templatesOf } from './regions.ts';
import { environmentOf, resourcesOf, synthesize } from './synthesize.ts';

const environment = everythingOn();
const { observability } = templatesOf(environment, true);
const replica = regionOf(environment, false);

describe('what somebody does to keys and vaults', () => {
  const rules = Object.values(observability.findResources('AWS::Events::Rule')).map(
    ({ Properties }) => Properties,
  );
  const ruleOf = (kind: keyof typeof watched) =>
    rules.find(({ Name }) => Name === `holdfast-prod-${kind}`);

  test('is heard of by rules on CloudTrail, about our keys and our vault alone', () => {
    expect(ruleOf('key-disabled')?.EventPattern).toEqual({
      source: ['aws.kms'],
      'detail-type': ['AWS API Call via CloudTrail'],
      detail: {
        eventSource: ['kms.amazonaws.com'],
        eventName: ['DisableKey', 'ScheduleKeyDeletion', 'PutKeyPolicy', 'UpdatePrimaryRegion'],
        resources: {
          ARN: [keyArn('encryption', 'eu-central-1'), keyArn('signing', 'eu-central-1')],
        },
      },
    });
    for (const kind of ['vault-changed', 'delete-attempted'] as const) {
      expect(ruleOf(kind)?.EventPattern.detail.requestParameters).toEqual({
        bucketName: ['holdfast-prod-vault-123456789012-eu-central-1'],
      });
    }
    expect(ruleOf('delete-attempted')?.EventPattern.detail.eventName).toEqual([
      ...['DeleteObject', 'DeleteObjects'],
    ]);
    // Denied ones too: nothing is said of the outcome.
    expect(ruleOf('delete-attempted')?.EventPattern.detail).not.toHaveProperty('errorCode');
  });

  test.each(Object.keys(watched) as (keyof typeof watched)[])(
    '%s tells people who did what',
    (kind) => {
      const [target] = ruleOf(kind)?.Targets ?? [];
      const lines = String(target.InputTransformer.InputTemplate).split('\n');
      // EventBridge delivers a template of lines only when each is a JSON text.
      const told = lines.map((line) => JSON.parse(line) as string);
      expect(told.at(-1)).toBe(`What to do: ${runbookOf(kind)}`);
      expect(Object.values(target.InputTransformer.InputPathsMap)).toContain(
        '$.detail.userIdentity.arn',
      );
      expect(target.DeadLetterConfig).toBeDefined();
    },
  );

  test('needs a trail, which is made when it is asked for, and logs no data but deletes in the vault', () => {
    const without = synthesize({ ...environmentOf('example'), trail: false });
    expect(resourcesOf(without, 'AWS::CloudTrail::Trail')).toEqual([]);
    const asked = resourcesOf(synthesize(environmentOf('everything')), 'AWS::CloudTrail::Trail');
    expect(asked.map(({ stack }) => stack).sort()).toEqual([
      ...['Holdfast-everything-Trail-eu-central-1', 'Holdfast-everything-Trail-eu-west-1'],
    ]);
    const [trail] = asked.map(({ resource }) => resource);
    expect(trail?.Properties).toMatchObject({ IsLogging: true, EnableLogFileValidation: true });
    const given = trail?.Properties['AdvancedEventSelectors'] as {
      FieldSelectors: { Field: string }[];
    }[];
    const selectors = given.map(({ FieldSelectors }) =>
      Object.fromEntries(FieldSelectors.map(({ Field, ...how }) => [Field, how])),
    );
    expect(selectors).toEqual([
      { eventCategory: { Equals: ['Management'] }, readOnly: { Equals: ['false'] } },
      {
        eventCategory: { Equals: ['Data'] },
        'resources.type': { Equals: ['AWS::S3::Object'] },
        'resources.ARN': {
          StartsWith: ['arn:aws:s3:::holdfast-everything-vault-111122223333-eu-central-1/'],
        },
        eventName: { Equals: ['DeleteObject', 'DeleteObjects'] },
      },
    ]);
  });

  test('to a vault in another account is that account’s to watch', () => {
    const elsewhere = {
      ...replica,
      environment: { ...environment, replicaAccount: '999999999999' },
    };
    const kindsThere = new Set(alarmsOf(elsewhere).map(({ kind }) => kind));
    expect(kindsThere.has('vault-changed')).toBe(false);
    expect(kindsThere.has('delete-attempted')).toBe(false);
    expect(kindsThere.has('key-disabled')).toBe(true);
  });
});

test('the dashboard’s first row answers for every source: RPO achieved, RTO measured, newest proven backup', () => {
  const [dashboard] = Object.values(observability.findResources('AWS::CloudWatch::Dashboard'));
  expect(dashboard?.Properties.DashboardName).toBe('holdfast-prod-eu-central-1');
  const widgets = observabilityWidgets(dashboard?.Properties.DashboardBody);
  const first = widgets.filter(({ y }) => y === 0);
  expect(first.map(({ properties }) => properties.title)).toEqual([
    'RPO achieved: age of the newest published backup (hours)',
    'RTO measured: the last restore or drill (hours)',
    'Newest proven backup: its age (hours)',
  ]);
  for (const { properties } of first) {
    const labels = (properties.metrics ?? [])
      .flat()
      .map((one) => (one as { label?: string })?.label);
    for (const { name } of environment.sources) expect(labels).toContain(name);
  }
  const measured = ['VerifiedAge', 'RestoreDuration', 'ProvenAge'];
  first.forEach(({ properties }, index) => {
    expect(JSON.stringify(properties.metrics)).toContain(`"${measured[index]}"`);
  });
});

interface Widget {
  readonly y: number;
  readonly properties: { readonly title: string; readonly metrics?: readonly unknown[][] };
}

/** The body is a text with references to alarms in it. */
function observabilityWidgets(body: string | { 'Fn::Join': [string, unknown[]] }): Widget[] {
  const text =
    typeof body === 'string'
      ? body
      : body['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'alarm')).join('');
  return JSON.parse(text).widgets;
}

test('a channel of Slack hears of alarms, and nothing may be done from it', () => {
  const notify = { emails: [], slack: { workspaceId: 'T0123ABCDEF', channelId: 'C0123ABCDEF' } };
  const template = templatesOf({ ...environment, notify }).observability;
  template.hasResourceProperties('AWS::Chatbot::SlackChannelConfiguration', {
    SlackWorkspaceId: 'T0123ABCDEF',
    SlackChannelId: 'C0123ABCDEF',
  });
  template.hasResourceProperties('AWS::IAM::ManagedPolicy', {
    PolicyDocument: { Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] },
  });
  observability.resourceCountIs('AWS::Chatbot::SlackChannelConfiguration', 0);
});
