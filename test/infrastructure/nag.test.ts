import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { environmentOf, synthesize } from './synthesize.ts';

test.each(['example', 'everything'])(
  'cdk-nag AwsSolutions finds nothing in any stack of %s that has no written reason',
  { timeout: 180_000 },
  (name) => {
    const { app, stacks } = synthesize(environmentOf(name));
    const checks = new AwsSolutionsChecks(app);
    const found = [...stacks.values()].flatMap((stack) =>
      checks
        .validateScope(stack)
        .violations.flatMap(({ ruleName, violatingResources }) =>
          violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
        ),
    );
    expect(found).toEqual([]);
    expect(stacks.size).toBeGreaterThan(10);
  },
);
