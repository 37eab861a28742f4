import { beforeAll, expect, test } from 'vitest';
import { evidenceOf } from './evidence.ts';
import { fillShop, primary, replica, start, succeeded } from './harness.ts';

beforeAll(() => fillShop());

test('start-execution with a source alone: dumped, verified, published, replicated, with a signed record of each in both Regions', async () => {
  const report = await succeeded(await start('backup', { source: 'shop' }));
  expect(report).toMatchObject({
    ...{ state: 'published', scope: 'full', tables: 2, rows: 20_500 },
    replica: 'replicated',
  });
  for (const place of [primary(), replica()]) {
    const kinds = (await evidenceOf(report.backupId, place)).map(({ kind }) => kind);
    // What the replica's own state is, is written last, and arrives there by replication too.
    // Of the newest verified backup it is also recorded that it is held, once there are older ones.
    expect(kinds.filter((kind) => kind !== 'held')).toEqual([
      'verified',
      'published',
      'replicated',
    ]);
  }
});
