import { expect, test, vi } from 'vitest';
import { environmentOf, resourcesOf, type Synthesized, synthesize } from './synthesize.ts';

/** Named resources of AWS are unique by name within an account and Region, and some within an account or beyond. */
const nameProperties = [
  ...['BucketName', 'AliasName', 'RoleName', 'FunctionName', 'StateMachineName', 'TopicName'],
  ...['QueueName', 'LogGroupName', 'Name', 'AlarmName', 'DashboardName'],
] as const;

/** Type and name (with its path, for names that are no text). */
function physicalNames(synthesized: Synthesized): string[] {
  const types = new Set<string>();
  for (const name of synthesized.stacks.keys()) {
    for (const resource of Object.values(synthesized.template(name).toJSON()['Resources'] ?? {})) {
      types.add((resource as { Type: string }).Type);
    }
  }
  // It names the function that it is about.
  types.delete('AWS::Lambda::Permission');
  return resourcesOf(synthesized, ...types).flatMap(({ stack, resource }) =>
    nameProperties.flatMap((property) => {
      const value = resource.Properties?.[property];
      const region = synthesized.stacks.get(stack)?.region;
      const isGlobal = ['AWS::IAM::Role', 'AWS::S3::Bucket'].includes(resource.Type);
      // Schedules are named within their group; what is no text names another resource.
      const group = resource.Properties?.['GroupName'];
      return typeof value === 'string'
        ? [
            `${isGlobal ? '' : region} ${resource.Type} ${group === undefined ? '' : `${group}/`}${value}`,
          ]
        : [];
    }),
  );
}

// Two whole apps each: on a busy machine of two cores that takes most of a minute.
vi.setConfig({ testTimeout: 180_000 });

test('two environments of one account share no name, even when one name begins as the other', () => {
  const environment = environmentOf('everything');
  const named = (name: string) => {
    const synthesized = synthesize({ ...environment, name });
    return { stacks: [...synthesized.stacks.keys()], names: physicalNames(synthesized) };
  };
  const one = named('prod');
  const other = named('prod-eu');
  expect(one.names.length).toBeGreaterThan(100);
  expect(one.names.filter((name, index) => one.names.indexOf(name) !== index)).toEqual([]);
  expect(one.names.filter((name) => other.names.includes(name))).toEqual([]);
  expect(one.stacks.filter((stack) => other.stacks.includes(stack))).toEqual([]);
});

test('the longest name of an environment, in the Region with the longest name, fits into all of AWS', () => {
  const environment = environmentOf('everything');
  const synthesized = synthesize({
    ...environment,
    name: 'twelve-chars',
    regions: { primary: 'ap-northeast-1', replica: 'ap-southeast-4' },
  });
  const limits = { 'AWS::IAM::Role': 64, 'AWS::S3::Bucket': 63, 'AWS::Lambda::Function': 64 };
  for (const [type, limit] of Object.entries(limits)) {
    const property = { 'AWS::IAM::Role': 'RoleName', 'AWS::S3::Bucket': 'BucketName' }[type];
    for (const { resource } of resourcesOf(synthesized, type)) {
      const name = resource.Properties[property ?? 'FunctionName'];
      if (name !== undefined) expect(String(name).length, String(name)).toBeLessThanOrEqual(limit);
    }
  }
});

test('a changed schedule of one source changes that schedule and nothing else', () => {
  const environment = environmentOf('everything');
  const [shop, ...others] = environment.sources;
  if (shop === undefined) throw new Error('everything has no source');
  const [hourly, daily] = shop.schedules;
  if (hourly === undefined || daily === undefined) throw new Error('shop has two schedules');
  const changed = {
    ...environment,
    sources: [{ ...shop, schedules: [hourly, { ...daily, at: 'cron(0 4 * * ? *)' }] }, ...others],
  };
  const before = synthesize(environment);
  const after = synthesize(changed);
  const differing = [...before.stacks.keys()].flatMap((stack) => {
    const [was, is] = [before, after].map((one) => one.template(stack).toJSON()['Resources']);
    return [...new Set([...Object.keys(was), ...Object.keys(is)])]
      .filter((id) => JSON.stringify(was[id]) !== JSON.stringify(is[id]))
      .map((id) => ({ stack, type: is[id]?.Type, name: is[id]?.Properties?.Name }));
  });
  // In the replica Region it is switched off, and waits there as it is in the primary.
  const schedule = {
    type: 'AWS::Scheduler::Schedule',
    name: expect.stringContaining('shop-daily'),
  };
  expect(differing).toEqual([
    { stack: 'Holdfast-everything-Backup-eu-central-1', ...schedule },
    { stack: 'Holdfast-everything-Backup-eu-west-1', ...schedule },
  ]);
});
