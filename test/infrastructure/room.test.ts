import { Match, type Template } from 'aws-cdk-lib/assertions';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { newApp } from './assembly.ts';
import { everythingOn, regionOf, stacksOf, templatesOf } from './regions.ts';

/** As IAM counts them. */
const sizesIn = (template: Template, type: string): number[] =>
  Object.values(template.findResources(type)).map(
    ({ Properties }) => JSON.stringify(Properties.PolicyDocument).length,
  );

describe('with as many sources as S3 has rules for (58)', () => {
  const many = everythingOn({
    sources: Array.from({ length: 58 }, (_, index) => ({
      name: `orders-${index}`,
      connection: {
        secret: `rds!db-0a1b2c3d-1111-2222-3333-4444555566${index + 10}`,
        dbInstance: `a-server-with-a-rather-long-name-orders-${index}`,
      },
      schedules: [{ tier: 'daily' as const, at: 'cron(0 3 * * ? *)' }],
      drill: { at: 'cron(0 6 ? * SUN *)', target: 'drills' },
    })),
    exercise: undefined,
  });
  const { backup, restore } = templatesOf(many);

  test('each policy is as long as IAM takes it, and no role has more than ten besides its own', () => {
    for (const template of [backup, restore]) {
      const inside = sizesIn(template, 'AWS::IAM::Policy');
      expect(inside.length).toBeGreaterThan(10);
      expect(Math.max(...inside)).toBeLessThan(10_240);
      const managed = Object.values(template.findResources('AWS::IAM::ManagedPolicy'));
      expect(managed.length).toBeGreaterThan(0);
      expect(Math.max(...sizesIn(template, 'AWS::IAM::ManagedPolicy'))).toBeLessThan(6_144);
      const counts = new Map<string, number>();
      for (const { Properties } of managed) {
        const [role] = Properties.Roles as [{ Ref: string }];
        counts.set(role.Ref, (counts.get(role.Ref) ?? 0) + 1);
      }
      expect(Math.max(...counts.values())).toBeLessThanOrEqual(10);
    }
  });

  test('every secret and server is in the policies of a function that connects', () => {
    const text = JSON.stringify([
      backup.findResources('AWS::IAM::Policy', {
        Properties: { PolicyName: Match.stringLikeRegexp('^DumpUnit') },
      }),
      backup.findResources('AWS::IAM::ManagedPolicy', {
        Properties: { Description: Match.stringLikeRegexp('DumpUnit') },
      }),
    ]);
    for (const { connection } of many.sources) {
      expect(text).toContain(`secret:${connection.secret}-??????`);
      expect(text).toContain(`:db:${connection.dbInstance}"`);
    }
  });

  test('cdk-nag finds nothing without a written reason in managed policies either', () => {
    const app = newApp();
    const { backup: stack } = stacksOf(app, regionOf(many, true));
    // The CDK makes them when it synthesizes.
    app.synth();
    expect(
      stack.node.findAll().filter((one) => one instanceof ManagedPolicy).length,
    ).toBeGreaterThan(0);
    const { violations } = new AwsSolutionsChecks(app).validateScope(stack);
    expect(violations.map(({ ruleName }) => ruleName)).toEqual([]);
  });

  test('stacks stay within 500 resources', () => {
    for (const template of [backup, restore]) {
      expect(Object.keys(template.toJSON()['Resources']).length).toBeLessThan(500);
    }
  });
});

describe('with names of secrets that are hardly possible', () => {
  const withTargets = (count: number) =>
    templatesOf(
      everythingOn({
        sources: [{ name: 'orders', connection: { secret: 'orders' } }],
        targets: Array.from({ length: count }, (_, index) => ({
          name: `target-${index}`,
          connection: { secret: `${'x'.repeat(300)}-${index}` },
        })),
        exercise: undefined,
      }),
    );

  test('what fits into no role is refused at synth, with what to do', () => {
    expect(() => withTargets(150)).toThrow(
      /^environments\/prod\.json has 1 sources and 150 targets, whose secrets and servers make \d+ characters in the policies of \w+; allowed are 48500 /,
    );
  });

  test('what is not refused fits: ten managed policies at most', () => {
    const { restore } = withTargets(110);
    const managed = Object.values(restore.findResources('AWS::IAM::ManagedPolicy'));
    const roles = managed.map(({ Properties }) => Properties.Roles[0].Ref as string);
    const most = Math.max(...roles.map((role) => roles.filter((one) => one === role).length));
    expect(most).toBeGreaterThan(5);
    expect(most).toBeLessThanOrEqual(10);
    expect(Math.max(...sizesIn(restore, 'AWS::IAM::Policy'))).toBeLessThan(10_240);
    expect(Math.max(...sizesIn(restore, 'AWS::IAM::ManagedPolicy'))).toBeLessThan(6_144);
  });
});
