/** With policies enforced every function does its work. What is denied here that should not be is a defect of rights.ts. */
import { beforeAll, expect, test } from 'vitest';
import { contentOf, fillShop, quick, start, succeeded } from '../deployed/harness.ts';

let source: Awaited<ReturnType<typeof contentOf>>;

beforeAll(async () => {
  await fillShop();
  source = await contentOf('primary', 'shop');
});

test('a backup is published and replicated', async () => {
  const report = await succeeded(await start('backup', { source: 'shop', options: quick }));
  expect(report).toMatchObject({ state: 'published', replica: 'replicated' });
});

test('a restore is identical', async () => {
  const report = await succeeded(
    await start('restore', {
      target: 'scratch',
      choice: { source: 'shop' },
      options: { pollSeconds: 1 },
    }),
  );
  expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical' });
  expect(await contentOf('primary', report.database)).toEqual(source);
});

test('a drill leaves evidence and no database', async () => {
  const report = await succeeded(
    await start('drill', {
      target: 'scratch',
      choice: { source: 'shop' },
      options: { pollSeconds: 1 },
    }),
  );
  expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', database: null });
});
