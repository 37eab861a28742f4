import { expect, test } from 'vitest';
import { restoreReportSchema } from '../../core/contract/restore.ts';
import { smallOutput } from '../../core/report/small-output.ts';
import { storeReport } from '../../core/report/write-report.ts';
import { wholeReport } from '../../local/engine/run-restore.ts';
import { sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { sampleIdentity, sampleReport } from './sample-report.ts';

const folders = temporaryFolders();
const table = (index: number) => ({
  table: `public.table_${index}`,
  ...{ rows: 1, fingerprint: '0'.repeat(32), targetRows: 1, targetFingerprint: '0'.repeat(32) },
});
const difference = (index: number) => ({
  ...{ kind: 'schema', object: `v${index}`, left: 'x'.repeat(100), right: 'y' },
  isExpected: index !== 2_999,
});
const large = sampleReport({
  comparedTables: Array.from({ length: 5_000 }, (_, index) => table(index)),
  differences: Array.from({ length: 3_000 }, (_, index) => difference(index)),
  warnings: Array.from({ length: 3_000 }, (_, index) => ({
    ...{ code: 'stale-view', message: `view ${index}`, hint: 'none' },
  })),
});

test('a report of thousands of tables becomes an output that a state can carry, real differences first', () => {
  const output = restoreReportSchema.parse(smallOutput(large));
  expect(Buffer.byteLength(JSON.stringify(output))).toBeLessThan(8_000);
  expect(output).toMatchObject({
    isCut: true,
    tables: large.tables,
    verdict: large.verdict,
    comparedTables: [],
    page: large.page,
  });
  expect(output.differences[0]).toMatchObject({ object: 'v2999', isExpected: false });
  expect(output.differences.length).toBeGreaterThan(10);
});

test('a small one stays as it is', () => {
  const small = sampleReport({ comparedTables: [table(1)] });
  expect(smallOutput(small)).toEqual(small);
});

test('on one machine the whole report comes back', async () => {
  const { workspace } = await sampleVault(await folders());
  await storeReport({ workspace }, large, sampleIdentity);
  expect(await wholeReport({ workspace }, smallOutput(large))).toEqual(large);
});
