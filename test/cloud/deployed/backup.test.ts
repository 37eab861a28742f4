import { beforeAll, expect, test } from 'vitest';
import { fillShop, start, succeeded } from './harness.ts';

beforeAll(() => fillShop());

test('start-execution with a source alone: dumped, verified, published, replicated', async () => {
  const report = await succeeded(await start('backup', { source: 'shop' }));
  expect(report).toMatchObject({ state: 'published', scope: 'full', tables: 2 });
  console.log(report);
});
