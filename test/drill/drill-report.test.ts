import { expect, test } from 'vitest';
import { drillInputSchema } from '../../core/contract/restore.ts';
import { drillReportOf } from '../../core/drill/drill-report.ts';
import { requestedBy } from '../backup/harness.ts';
import { sampleReport } from '../report/sample-report.ts';

const record = {
  runId: 'drill-1',
  request: drillInputSchema.parse({ target: 't', requestedBy }),
  startedAt: '2026-11-21T05:30:00.000Z',
  backup: {
    source: 'shop',
    backupId: 'shop-20261121T042100Z-abcdef',
    database: 'shop',
    snapshotAt: '2026-11-21T04:21:03.000Z',
    manifestSha256: 'ab'.repeat(32),
  },
  scratch: 'shop_drill_1',
};
const end = {
  finishedAt: '2026-11-21T05:32:00.000Z',
  ...{ server: 'db:5432', failure: null, left: null, page: 'page.html' },
};
const different = (kind: string) =>
  sampleReport({
    verdict: 'different',
    differences: [{ kind, object: 'x', left: 'a', right: 'b', isExpected: false }],
  });

test('a setting that the server of a drill refuses says nothing about the backup', () => {
  expect(drillReportOf(record, different('setting'), end)).toMatchObject({
    state: 'succeeded',
    verdict: 'identical',
    differences: [{ object: 'x', isExpected: true }],
    error: null,
  });
});

test('any other difference does', () => {
  expect(drillReportOf(record, different('rows'), end)).toMatchObject({
    state: 'failed',
    verdict: 'different',
    error: { name: 'RestoreDifferentError' },
  });
});
