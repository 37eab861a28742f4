/** Builds of a database with every kind of object: afterwards pg_dump writes of the copy what it wrote of the source. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noFilters } from '../../core/contract/filters.ts';
import { openSession } from '../../core/postgres/session.ts';
import { planBuilds } from '../../core/restore/plan-builds.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { richSchema } from '../support/rich-schema.ts';
import {
  buildAll,
  dropSubscriptions,
  type Loaded,
  loadRows,
  planAsIfLarge,
} from './build-harness.ts';

/** Of the bookkeeping, which the cutover takes away. */
const filters = { ...noFilters, excludeSchemas: ['holdfast_restore'] };

let harness: Harness;
let loaded: Loaded;

beforeAll(async () => {
  harness = await makeHarness('build_rich');
  await harness.database.query(richSchema(18));
  loaded = await loadRows(harness, { roles: { createMissing: true } });
  await buildAll(loaded);
});
afterAll(async () => {
  await loaded?.[Symbol.asyncDispose]();
  await dropSubscriptions(harness.database.client);
  await harness?.[Symbol.asyncDispose]();
});

async function postData(database: string): Promise<string[]> {
  const session = await openSession(sharedSettings(database), {
    ...{ applicationName: 'test', purpose: 'control' as const },
  });
  const { sql } = await dumpSection(session, {
    ...{ section: 'post-data' as const, filters, lockWaitMs: 60_000 },
  });
  session.destroy();
  return sql.split('\n');
}

test('post-data of the copy is that of the source', async () => {
  expect(await postData(loaded.run.workDatabase)).toEqual(await postData(harness.database.name));
});

test('a second PlanBuilds plans nothing new', async () => {
  const before = await loaded.builds();
  const { waves } = await planBuilds(loaded.deps, { runId: loaded.run.runId });
  expect(await loaded.builds()).toEqual(before);
  expect(waves.flat()).toEqual(before.map(({ build }) => build));
});

test('built as for large tables, each thing by itself and several at once, it is the same', async () => {
  await using large = await loadRows(harness, { roles: { createMissing: true } });
  await buildAll(large, await planAsIfLarge(large));
  expect(await postData(large.run.workDatabase)).toEqual(await postData(harness.database.name));
  const kinds = new Set((await large.builds()).map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual([
    'analyze',
    'constraint',
    'foreign-key',
    'index',
    'refresh',
    'statements',
  ]);
});

test('materialized views: filled those that were, in their order; the one without data stays so', async () => {
  const populated = `SELECT relname AS name, relispopulated AS "isFilled" FROM pg_class
                      WHERE relkind = 'm' ORDER BY 1`;
  expect(await loaded.rows(populated)).toEqual(await harness.database.query(populated));
  expect(await loaded.rows('SELECT * FROM shop.totals ORDER BY 1')).toEqual(
    await harness.database.query('SELECT * FROM shop.totals ORDER BY 1'),
  );
});

test('no index and no constraint is invalid that was valid, and statistics are there', async () => {
  const invalid = `SELECT conrelid::regclass::text || '.' || conname AS name FROM pg_constraint
                    WHERE NOT convalidated
                    UNION ALL SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
                    ORDER BY 1`;
  expect(await loaded.rows(invalid)).toEqual(await harness.database.query(invalid));
  const analyzed = await loaded.rows<{ count: string }>(
    `SELECT count(DISTINCT tablename) FROM pg_stats WHERE schemaname = 'shop'
        AND tablename IN ('customers', 'orders', 'orders_2025', 'totals')`,
  );
  expect(analyzed).toEqual([{ count: '4' }]);
});

test('the connection string of a subscription is in no record', async () => {
  expect(JSON.stringify(await loaded.builds())).not.toContain('127.0.0.1');
});
