import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareSchema } from '../../core/compare/compare-schema.ts';
import { compareUnit } from '../../core/compare/compare-unit.ts';
import { comparisonSchema } from '../../core/contract/restore.ts';
import { readMaterializedViews } from '../../core/inventory/materialized-views.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { readWarnings } from '../../core/report/facts.ts';
import { readFact } from '../../core/restore/restore-run.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { restoreBackup } from '../support/restore-backup.ts';
import { restoredRun } from './harness.ts';

let harness: Harness;
let target: TestDatabase;
beforeAll(async () => {
  harness = await makeHarness('stale_views');
  await harness.database.query(`
    CREATE TABLE orders (id int PRIMARY KEY, day date);
    INSERT INTO orders SELECT i, date '2026-01-01' + i % 7 FROM generate_series(1, 700) i;
    CREATE MATERIALIZED VIEW per_day AS SELECT day, count(*) FROM orders GROUP BY day;
    CREATE MATERIALIZED VIEW "Days" AS SELECT DISTINCT day FROM orders;
    CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS x WITH NO DATA;
    INSERT INTO orders VALUES (0, '2026-01-01')`);
  target = await testDatabase('stale_views_target');
});
afterAll(async () => {
  await target?.drop();
  await harness?.[Symbol.asyncDispose]();
});

const rows = (rows: number) => ({ rows, fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/) });

describe('a materialized view that was stale at the source', () => {
  it('is named by the comparison and by a warning, and is no difference of the restore', async () => {
    const { backupId } = await runBackup(harness.options());
    const manifest = await harness.manifest(backupId);
    expect(manifest.inventory.materializedViews).toEqual([
      { schema: 'public', name: 'Days', ...rows(7) },
      { schema: 'public', name: 'per_day', ...rows(7) },
    ]);
    await restoreBackup(harness.deps, manifest, target.url);
    const { deps, run } = await restoredRun(harness, backupId, target);
    await compareUnit(deps, { runId: run.runId, unit: 0 });
    expect(await compareSchema(deps, { runId: run.runId })).toEqual({ differences: 1 });
    const found = await readFact(deps.workspace, run.runId, 'comparison', comparisonSchema);
    expect(found?.differences).toMatchObject([
      {
        kind: 'stale-view',
        object: 'public.per_day',
        left: expect.stringContaining('was stale at the source; the restore refreshed it'),
        isExpected: true,
      },
    ]);
    expect(await readWarnings(deps, run.runId)).toMatchObject([
      { code: 'stale-view', message: expect.stringContaining('public.per_day') },
    ]);
  });

  it('is looked for among those that the backup takes', async () => {
    const taken = async (filters: Record<string, unknown>) => {
      const { backupId } = await runBackup(harness.options({}, { filters }));
      const { inventory } = await harness.manifest(backupId);
      return inventory.materializedViews?.map(({ name }) => name);
    };
    expect(await taken({ excludeTables: ['per_day'] })).toEqual(['Days']);
    expect(await taken({ sections: 'schema' })).toEqual([]);
  });
});

describe('reading materialized views', () => {
  const open = async (work: (session: Session) => Promise<void>) => {
    const options = { applicationName: 'holdfast/test/views', purpose: 'worker' } as const;
    await using session = await openSession(harness.database.settings, options);
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await work(session);
    // The transaction is alive, and no view is locked by it.
    const [locks] = await session.query<{ count: string }>(
      `SELECT count(*) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
        WHERE l.pid = pg_catalog.pg_backend_pid() AND c.relkind = 'm'`,
    );
    expect(locks?.count).toBe('0');
    expect(await session.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '0' }]);
    await session.query('COMMIT');
  };
  const all = () => true;

  it('leaves out what is too large or comes after the end of the time, with the reason', () =>
    open(async (session) => {
      const read = async (limits: { maxBytes: number; totalMs: number }) =>
        (await readMaterializedViews(session, all, limits)).map(({ notRead }) => notRead);
      expect(await read({ maxBytes: 100, totalMs: 10_000 })).toEqual(['size', 'size']);
      expect(await read({ maxBytes: 1e9, totalMs: 0 })).toEqual(['time', 'time']);
    }));

  it('does not wait for who refreshes one', async () => {
    const options = { applicationName: 'holdfast/test/refresh', purpose: 'writer' } as const;
    await using other = await openSession(harness.database.settings, options);
    await other.query('BEGIN; REFRESH MATERIALIZED VIEW public.per_day');
    await open(async (session) => {
      expect(await readMaterializedViews(session, all)).toEqual([
        { schema: 'public', name: 'Days', ...rows(7) },
        { schema: 'public', name: 'per_day', rows: null, fingerprint: null, notRead: 'time' },
      ]);
    });
    await other.query('ROLLBACK');
  });

  it('that the role may not read says so', async () => {
    await harness.database.query('CREATE ROLE stale_views_reader');
    try {
      await open(async (session) => {
        await session.query('SET LOCAL ROLE stale_views_reader');
        const read = await readMaterializedViews(session, all);
        expect(read.map(({ notRead }) => notRead)).toEqual(['rights', 'rights']);
      });
    } finally {
      await harness.database.query('DROP ROLE stale_views_reader');
    }
  });
});
