import { afterAll, beforeAll, expect, test } from 'vitest';
import { primaryRegion } from '../emulator-clients.ts';
import {
  closeRegion,
  connectTo,
  contentOf,
  fillShop,
  openRegions,
  quick,
  replica,
  start,
  succeeded,
} from './harness.ts';

let source: Awaited<ReturnType<typeof contentOf>>;

beforeAll(async () => {
  await fillShop();
  source = await contentOf('primary', 'shop');
  const report = await succeeded(await start('backup', { source: 'shop', options: quick }));
  expect(report).toMatchObject({ state: 'published', replica: 'replicated' });
});

afterAll(() => openRegions());

test('start-execution restores into a database of its own, compared row by row: identical', async () => {
  const report = await succeeded(
    await start('restore', {
      target: 'scratch',
      choice: { source: 'shop' },
      options: { pollSeconds: 1 },
    }),
  );
  expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', rows: 20_500 });
  expect(await contentOf('primary', report.database)).toEqual(source);
});

test('a table that was dropped comes back alone', async () => {
  const shop = await connectTo('primary', 'shop');
  await shop.query('DROP TABLE orders CASCADE');
  await shop.end();
  const report = await succeeded(
    await start('restore', {
      target: 'shop',
      mode: 'into',
      database: 'shop',
      selection: { tables: ['public.orders'] },
      options: { pollSeconds: 1 },
    }),
  );
  expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical' });
  expect((await contentOf('primary', 'shop')).orders).toEqual(source.orders);
});

test('a drill leaves signed evidence and no database', async () => {
  const report = await succeeded(
    await start('drill', {
      target: 'scratch',
      choice: { source: 'shop' },
      options: { pollSeconds: 1 },
    }),
  );
  expect(report).toMatchObject({
    kind: 'drill',
    state: 'succeeded',
    verdict: 'identical',
    database: null,
  });
});

test('with the primary Region gone, the other one drills and restores: identical', async () => {
  await closeRegion(primaryRegion);
  try {
    const drill = await start(
      'drill',
      { target: 'dr-server', choice: { source: 'shop' }, options: { pollSeconds: 1 } },
      { at: replica() },
    );
    expect(await succeeded(drill)).toMatchObject({ state: 'succeeded', verdict: 'identical' });
    const restore = await start(
      'restore',
      {
        target: 'dr-server',
        choice: { source: 'shop' },
        database: 'shop',
        options: { pollSeconds: 1 },
      },
      { at: replica() },
    );
    expect(await succeeded(restore)).toMatchObject({ verdict: 'identical', database: 'shop' });
    expect(await contentOf('replica', 'shop')).toEqual(source);
  } finally {
    await openRegions();
  }
});
