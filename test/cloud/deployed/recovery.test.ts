import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { primaryRegion, replicaRegion } from '../emulator-clients.ts';
import { isOurs, onlyOurs } from '../own-emulator.ts';
import { evidenceOf } from './evidence.ts';
import {
  clientsIn,
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
  const drill = await start('drill', {
    target: 'scratch',
    choice: { source: 'shop' },
    options: { pollSeconds: 1 },
  });
  const report = await succeeded(drill);
  expect(report).toMatchObject({
    kind: 'drill',
    state: 'succeeded',
    verdict: 'identical',
    database: null,
  });
  const records = await evidenceOf(report.backupId);
  const facts = { drill: drill.split(':').at(-1), verdict: 'identical', rows: 20_500 };
  expect(records.filter(({ kind }) => kind === 'proven')).toMatchObject([{ facts }]);
});

const gone = `with the primary Region gone, the other one drills and restores: identical${onlyOurs('it cannot close a Region')}`;
test.skipIf(!isOurs)(gone, async () => {
  await closeRegion(primaryRegion);
  try {
    const list = (region: string) => clientsIn(region).s3.send(new ListBucketsCommand({}));
    await expect(list(primaryRegion)).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    await expect(list(replicaRegion)).resolves.toBeDefined();
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
        database: 'shop_recovered',
        options: { pollSeconds: 1 },
      },
      { at: replica() },
    );
    expect(await succeeded(restore)).toMatchObject({
      verdict: 'identical',
      database: 'shop_recovered',
    });
    expect(await contentOf('replica', 'shop_recovered')).toEqual(source);
  } finally {
    await openRegions();
  }
});
