import { expect, test } from 'vitest';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { renderPage } from '../../core/report/html/page.ts';
import { sampleIdentity, sampleReport } from './sample-report.ts';

const page = (more: Partial<RestoreReport> = {}) => renderPage(sampleReport(more), sampleIdentity);
const hostile =
  '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u0000\u001b[31m&amp;';

/** Text of the page without its tags and style. */
const textOf = (html: string): string =>
  html
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

test('names of tables, checks, users and messages of servers are text and never markup', () => {
  const clean = page();
  const dirty = renderPage(
    sampleReport({
      sourceDatabase: hostile,
      source: hostile,
      database: hostile,
      previousDatabase: hostile,
      safetyBackupId: hostile,
      server: hostile,
      comparedTables: [
        {
          table: hostile,
          rows: 1,
          fingerprint: hostile,
          targetRows: 2,
          targetFingerprint: hostile,
        },
      ],
      differences: [
        { kind: hostile, object: hostile, left: hostile, right: hostile, isExpected: false },
        { kind: hostile, object: hostile, left: hostile, right: hostile, isExpected: true },
      ],
      checks: [{ name: hostile, isPassed: false, expected: hostile, got: hostile, durationMs: 1 }],
      warnings: [{ code: hostile, message: hostile, hint: hostile }],
      preflight: [{ check: hostile, verdict: 'warning', message: hostile, hint: hostile }],
      error: { name: hostile, message: hostile, hint: hostile },
    }),
    {
      ...sampleIdentity,
      vault: hostile,
      evidence: hostile,
      selection: [hostile],
      requestedBy: { user: hostile, host: hostile },
    },
  );
  expect(dirty).not.toMatch(/<script|<img/i);
  expect(dirty).not.toContain('\u202e');
  expect(dirty).not.toContain('\u0000');
  expect(dirty).not.toContain('\u001b');
  expect(dirty).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  const attributes = (html: string) =>
    new Set([...html.matchAll(/\s([a-z-]+)="/g)].map(([, name]) => name));
  expect([...attributes(dirty)].filter((name) => !attributes(clean).has(name ?? ''))).toEqual([]);
});

test('the page stands alone: no script, nothing from elsewhere, and the browser is told so', () => {
  const html = page();
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(html).not.toMatch(/<script|<link|<iframe|<object|<embed|<base|@import|url\(|javascript:/i);
  expect(html).not.toMatch(/\s(src|href|srcset|on[a-z]+)=/i);
  expect(html).not.toMatch(/https?:\/\//);
});

test('the numbers on the page are those of the report', () => {
  const text = textOf(page());
  for (const expected of [
    'Identical, and proven so',
    '34 tables, 561,000 rows',
    '48.2 MB',
    '1 min 12 s',
    'met target 4 h',
    '1 h 08 min',
    'missed target 1 h',
    '2026-11-21 04:21:03 UTC',
    'shop_restore_abcdef',
    'ab'.repeat(32),
    '34 tables with 561,000 rows: each has the same count and the same fingerprint',
    'public.table_34 33,000 33,000 0000000000000000 0000000000000021 0000000000000000 0000000000000021 same',
  ]) {
    expect(text).toContain(expected);
  }
});

test('a table that differs comes first, however many are the same', () => {
  const tables = sampleReport().comparedTables.map((entry, index) =>
    index === 30 ? { ...entry, targetRows: entry.rows - 1 } : entry,
  );
  const text = textOf(
    page({ state: 'failed', verdict: 'different', database: null, comparedTables: tables }),
  );
  expect(text).toContain('1 table of 34 differs.');
  expect(text.indexOf('public.table_31 ')).toBeLessThan(text.indexOf('public.table_1 '));
  expect(text).toContain('30,000 29,999');
});

test('a target without a measurement is missed, and one that was not set is no failure', () => {
  const failed = textOf(
    page({
      state: 'failed',
      verdict: 'not-compared',
      database: null,
      error: { name: 'TargetFullError', message: 'No space left.', hint: 'Free some.' },
    }),
  );
  expect(failed).toContain('not reached missed target 4 h');
  expect(failed).toContain('The restore failed');
  expect(failed).toContain('TargetFullError No space left. What to do now: Free some.');
  expect(textOf(page({ objectives: {} }))).not.toContain('missed');
});

test.each<[Partial<RestoreReport>, string]>([
  [{ kind: 'drill', database: null }, 'The backup is proven'],
  [
    {
      kind: 'drill',
      state: 'failed',
      verdict: 'not-compared',
      error: { name: 'ObjectDamagedError', message: 'm', hint: 'h' },
    },
    'The backup is damaged',
  ],
  [
    {
      kind: 'drill',
      state: 'failed',
      verdict: 'not-compared',
      error: { name: 'TargetFullError', message: 'm', hint: 'h' },
    },
    'The drill failed; no verdict on the backup',
  ],
  [{ kind: 'dry-run', state: 'checked', verdict: 'not-compared' }, 'It would work'],
  [
    {
      kind: 'dry-run',
      state: 'checked',
      preflight: [{ check: 'rights', verdict: 'failed', message: 'm', hint: 'h' }],
    },
    'It would not work',
  ],
  [{ state: 'rolled-back' }, 'Rolled back'],
  [{ verdict: 'not-compared' }, 'Restored, not compared'],
  [{ state: 'failed', verdict: 'different' }, 'Different'],
])('the verdict in words of %j', (more, words) => {
  expect(/<h1>(.*?)<\/h1>/.exec(page(more))?.[1]).toBe(words);
});

test('a restore that could not clear the target away does not say that it did', () => {
  const failure = { state: 'failed', verdict: 'not-compared', database: null } as const;
  expect(page(failure)).toContain('the target is as it was before');
  const warnings = [
    { code: 'left-behind', message: 'Database "x" could not be dropped', hint: 'h' },
  ];
  expect(page({ ...failure, warnings })).not.toContain('the target is as it was before');
});

test('ten thousand tables make a page that still opens, and says what it leaves out', () => {
  const [first] = sampleReport().comparedTables;
  const comparedTables = Array.from({ length: 10_000 }, (_, index) => ({
    ...(first as RestoreReport['comparedTables'][number]),
    table: `t${index}`,
  }));
  const html = page({ comparedTables });
  expect(html.length).toBeLessThan(2_000_000);
  expect(html).toContain("8,000 more are in the report's JSON.");
});

test('the timeline has a bar for each part, in its place', () => {
  const html = page({
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:10.000Z',
    timeline: [
      { part: 'load', from: '2026-01-01T00:00:02.500Z', to: '2026-01-01T00:00:07.500Z' },
      { part: 'cutover', from: '2026-01-01T00:00:10.000Z', to: '2026-01-01T00:00:10.000Z' },
    ],
  });
  expect(
    [...html.matchAll(/class="bar" x="([\d.]+)%".*? width="([\d.]+)%"/g)].map((m) => m.slice(1)),
  ).toEqual([
    ['25', '50'],
    ['99.4', '0.6'],
  ]);
});
