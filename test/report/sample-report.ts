/** A report with something of everything, for tests of the page. */
import type { RestoreReport } from '../../core/contract/restore.ts';
import type { Identity } from '../../core/report/html/identity.ts';

export const sampleIdentity: Identity = {
  vault: '/backups/shop',
  vaultId: 'vault-1c9f',
  manifestSha256: 'ab'.repeat(32),
  sourceVersion: '18.2',
  requestedBy: { user: 'ada', host: 'laptop' },
  tools: { holdfast: '0.2.0', node: '24.1.0' },
  selection: [],
  estimateMs: 95_000,
  evidence: null,
};

const at = (seconds: number): string =>
  new Date(Date.parse('2026-11-21T05:30:00.000Z') + seconds * 1000).toISOString();

const spans: readonly (readonly [string, number, number])[] = [
  ['preflight', 0, 0.4],
  ['create', 0.5, 2.1],
  ['load', 2.1, 31.4],
  ['build', 31.4, 52],
  ['compare', 52, 71.5],
  ['checks', 71.5, 71.9],
  ['cutover', 71.9, 72.2],
];

export function sampleReport(more: Partial<RestoreReport> = {}): RestoreReport {
  const tables = Array.from({ length: 34 }, (_, index) => ({
    table: `public.table_${index + 1}`,
    rows: 1000 * index,
    fingerprint: index.toString(16).padStart(32, '0'),
    targetRows: 1000 * index,
    targetFingerprint: index.toString(16).padStart(32, '0'),
  }));
  return {
    runId: '20261121t053000z-0a1b2c3d',
    kind: 'restore',
    state: 'succeeded',
    verdict: 'identical',
    mode: 'new',
    backupId: 'shop-20261121T042100Z-abcdef',
    source: 'shop',
    sourceDatabase: 'shop',
    snapshotAt: '2026-11-21T04:21:03.000Z',
    server: 'db-2.internal:5432, PostgreSQL 18.2',
    database: 'shop_restore_abcdef',
    previousDatabase: null,
    safetyBackupId: null,
    startedAt: at(0),
    finishedAt: at(72.4),
    tables: tables.length,
    rows: 561_000,
    readBytes: 48_211_004,
    rawBytes: 162_000_000,
    rtoMs: 72_200,
    rpoMs: 4_137_000,
    objectives: { rtoSeconds: 14_400, rpoSeconds: 3_600 },
    phases: Object.fromEntries(
      spans.map(([part, from, to]) => [part, Math.round((to - from) * 1000)]),
    ),
    timeline: spans.map(([part, from, to]) => ({ part, from: at(from), to: at(to) })),
    preflight: [
      { check: 'target-reachable', verdict: 'ok', message: 'The target is PostgreSQL 18.2.' },
      {
        check: 'collation-versions',
        verdict: 'warning',
        message: 'Collation "de_DE" was 2.36 at the source and is 2.39 here.',
        hint: 'Indexes are built anew here, so nothing needs to be done.',
      },
    ],
    comparedTables: tables,
    differences: [],
    checks: [
      { name: 'orders have customers', isPassed: true, expected: 't', got: 't', durationMs: 412 },
    ],
    warnings: [
      {
        code: 'stale-view',
        message: 'The materialized view sales.turnover was stale at the source.',
        hint: 'A restore refreshes it; compare it with care.',
      },
    ],
    error: null,
    page: '/backups/shop/workspace/restores/20261121t053000z-0a1b2c3d/report.html',
    ...more,
  };
}
