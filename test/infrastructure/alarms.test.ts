/** Every alarm against the code that emits its metric, the runbook that it names, and the promise that it measures. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { metricNamespace, metrics } from '../../core/contract/metrics.ts';
import { type AlarmSpec, alarmsOf } from '../../lib/alarms/alarms-of.ts';
import { type AlarmKind, alarmKinds, headingOf, runbookOf } from '../../lib/alarms/kinds.ts';
import { everythingOn, regionOf, templatesOf } from './regions.ts';

const root = join(import.meta.dirname, '../..');
const environment = everythingOn({
  sources: [
    {
      name: 'orders',
      connection: { secret: 'orders/backup', dbInstance: 'orders-1' },
      schedules: [{ tier: 'hourly', at: 'rate(1 hour)' }],
      drill: { at: 'cron(0 6 ? * SUN *)', target: 'drills' },
      objectives: { rpoHours: 2, rtoHours: 4, provenDays: 8, snapshotHours: 1.5 },
    },
    {
      name: 'billing',
      connection: { secret: 'billing/backup' },
      schedules: [{ tier: 'daily', at: 'cron(0 4 * * ? *)' }],
    },
    { name: 'archive', connection: { secret: 'archive/backup' } },
  ],
});
const primary = regionOf(environment, true);
const replica = regionOf(environment, false);
const here = alarmsOf(primary);
const there = alarmsOf(replica);
const { observability } = templatesOf(environment, true);
const kinds = Object.keys(alarmKinds) as AlarmKind[];

/** Thresholds of a kind, by source. */
const thresholds = (specs: readonly AlarmSpec[], kind: AlarmKind) =>
  Object.fromEntries(
    specs.filter((one) => one.kind === kind).map(({ source, threshold }) => [source, threshold]),
  );

/** All of core, which alone emits metrics. */
const sourceText = readdirSync(join(root, 'core'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('metrics.ts'))
  .map((file) => readFileSync(join(root, 'core', file), 'utf8'))
  .join('\n');

describe('the table', () => {
  test('has all that can go wrong: failures, silence, damage, age, keys, settings, deletes', () => {
    expect(new Set(here.map(({ kind }) => kind))).toEqual(new Set(kinds));
  });

  test('measures metrics of the contract that the code emits, with the dimensions that they have', () => {
    const own = [...here, ...there].filter(({ metric }) => metric.namespace === metricNamespace);
    expect(own.length).toBeGreaterThan(30);
    for (const { name, metric, source, machine } of own) {
      expect(Object.keys(metrics), name).toContain(metric.name);
      expect(sourceText, `${metric.name} is emitted by nobody`).toContain(`'${metric.name}'`);
      const of = machine === undefined ? { source } : { machine };
      expect(metric.dimensions).toEqual({ ...of, environment: 'prod' });
    }
  });

  test('measures of AWS only what it counts by name: a queue, and rules that are in the template', () => {
    const foreign = [...here, ...there].filter(
      ({ metric }) => metric.namespace !== metricNamespace,
    );
    const rules = Object.values(observability.findResources('AWS::Events::Rule'));
    const ruleNames = rules.map(({ Properties }) => Properties.Name);
    for (const { metric } of foreign) {
      if (metric.namespace === 'AWS/SQS') {
        expect(metric.dimensions).toEqual({ QueueName: 'holdfast-prod-dead-letters' });
      } else {
        expect(metric).toMatchObject({ namespace: 'AWS/Events', name: 'Invocations' });
        expect(ruleNames).toContain(metric.dimensions['RuleName']);
      }
    }
    expect(foreign.length).toBe(8);
  });
});

describe('limits are those of the source', () => {
  const hours = (count: number) => count * 3_600;

  test('a backup is missed after its RPO, or what its schedule lets expect; without either nobody misses it', () => {
    expect(thresholds(here, 'backup-missed')).toEqual({ orders: hours(2), billing: hours(30) });
  });

  test('a backup is missed by the age of what can be restored, not of what was only sealed', () => {
    const missed = [...here, ...there].filter(({ kind }) => kind === 'backup-missed');
    expect(new Set(missed.map(({ metric }) => metric.name))).toEqual(new Set(['VerifiedAge']));
  });

  test('the replica Region waits an hour longer for the copy', () => {
    expect(thresholds(there, 'backup-missed')).toEqual({ orders: hours(3), billing: hours(31) });
  });

  test('a drill is stale where drills are promised or scheduled', () => {
    expect(thresholds(here, 'drill-stale')).toEqual({ orders: hours(8 * 24) });
    const [orders, ...rest] = environment.sources;
    if (orders === undefined) throw new Error('no source');
    const { objectives: _, ...without } = orders;
    const unpromised = { ...primary, environment: { ...environment, sources: [without, ...rest] } };
    expect(thresholds(alarmsOf(unpromised), 'drill-stale')).toEqual({ orders: hours(9 * 24) });
    expect(thresholds(there, 'drill-stale')).toEqual({});
  });

  test('a snapshot is too old by its own limit, the RPO, or twelve hours', () => {
    expect(thresholds(here, 'snapshot-too-old')).toEqual({
      ...{ orders: hours(1.5), billing: hours(12), archive: hours(12) },
    });
  });

  test('silence is bad where an age is promised, and good where a failure would speak', () => {
    const bad = [
      ...new Set(here.filter((one) => one.missing === 'breaching').map((one) => one.kind)),
    ];
    expect(bad).toEqual(['backup-missed', 'drill-stale']);
  });

  test('a queue at rest, of which SQS tells nothing, is not an empty one', () => {
    const staying = here.filter(({ missing }) => missing === 'ignore').map(({ kind }) => kind);
    expect(staying).toEqual(['dead-letters']);
  });

  test('what failed before its source was known has alarms too', () => {
    const unknown = here.filter(({ source }) => source === 'unknown').map(({ name }) => name);
    expect(unknown).toEqual([
      'holdfast-prod-backup-failed-unknown',
      'holdfast-prod-drill-failed-unknown',
      'holdfast-prod-restore-failed-unknown',
    ]);
  });

  test('what was left behind is told by the machine whose run left it, in both Regions', () => {
    const left = ['backup', 'restore', 'drill'].map(
      (one) => `holdfast-prod-clean-up-failed-${one}`,
    );
    for (const specs of [here, there]) {
      const found = specs.filter(({ kind }) => kind === 'clean-up-failed');
      expect(found.map(({ name }) => name)).toEqual(left);
    }
  });

  test('a replica is behind only where there is one', () => {
    expect(Object.keys(thresholds(here, 'replica-behind'))).toEqual([
      'orders',
      'billing',
      'archive',
    ]);
    expect(thresholds(there, 'replica-behind')).toEqual({});
  });
});

describe('in the template', () => {
  const alarms = Object.values(observability.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties,
  );
  const [topicId] = Object.keys(observability.findResources('AWS::SNS::Topic'));

  test.each(here.map((spec) => [spec.name, spec] as const))('%s', (name, spec) => {
    const found = alarms.find(({ AlarmName }) => AlarmName === name);
    expect(found).toMatchObject({
      Namespace: spec.metric.namespace,
      MetricName: spec.metric.name,
      Statistic: spec.metric.statistic,
      Period: spec.metric.periodSeconds,
      EvaluationPeriods: spec.periods,
      DatapointsToAlarm: 1,
      Threshold: spec.threshold,
      TreatMissingData: spec.missing,
      AlarmActions: [{ Ref: topicId }],
      OKActions: [{ Ref: topicId }],
    });
    const dimensions = found?.Dimensions.map(({ Name, Value }: Record<string, string>) => [
      Name,
      Value,
    ]);
    expect(Object.fromEntries(dimensions)).toEqual(spec.metric.dimensions);
    // CloudWatch takes 1024 characters, and a day in all.
    expect(found?.AlarmDescription.length).toBeLessThan(1_024);
    expect(spec.periods * spec.metric.periodSeconds).toBeLessThanOrEqual(86_400);
    expect(name.length).toBeLessThanOrEqual(255);
  });

  test('promise nothing of what ended after Publish, or after the cutover', () => {
    const texts = (kind: AlarmKind) =>
      new Set(here.filter((one) => one.kind === kind).map(({ description }) => description));
    for (const text of texts('backup-failed')) expect(text).toContain('unless `list` shows it');
    for (const text of texts('restore-failed')) {
      expect(text).toContain(
        'unless the cutover had happened or something could not be taken away',
      );
    }
  });

  test('has no other alarm, and no name twice', () => {
    const names = alarms.map(({ AlarmName }) => AlarmName).sort();
    expect(names).toEqual(here.map(({ name }) => name).sort());
    expect(new Set(names).size).toBe(names.length);
  });

  test('each says what it means, where to look, and which section of the runbook', () => {
    for (const { AlarmDescription: text } of alarms) {
      const [meaning, console, runbook] = text.split('\n');
      expect(meaning).toMatch(/^Holdfast prod \(eu-central-1.*\): .+\.$/);
      expect(console).toMatch(/^Console: https:\/\/.*console\.aws\.amazon\.com\//);
      expect(runbook).toMatch(/^Runbook: docs\/runbook\.md#[a-z-]+$/);
    }
  });
});

describe('the runbook', () => {
  const text = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
  const sections = new Map(
    text
      .split(/^## /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part]),
  );

  test.each(kinds)(
    'has a section for %s: description, investigation, resolution, when not to act',
    (kind) => {
      const section = sections.get(headingOf(kind));
      if (section === undefined)
        throw new Error(`docs/runbook.md has no heading "${headingOf(kind)}"`);
      // As GitHub makes anchors.
      const anchor = headingOf(kind).toLowerCase().replaceAll(' ', '-');
      expect(runbookOf(kind)).toBe(`docs/runbook.md#${anchor}`);
      for (const part of ['Description', 'Investigation', 'Resolution', 'When not to act']) {
        expect(section, part).toContain(`**${part}.**`);
      }
      expect(section).toMatch(/```sh\n/);
    },
  );
});
