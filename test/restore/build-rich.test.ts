/** Builds of a database with every kind of object: afterwards pg_dump writes of the copy what it wrote of the source. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noFilters } from '../../core/contract/filters.ts';
import { openSession } from '../../core/postgres/session.ts';
import { planBuilds } from '../../core/restore/plan-builds.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { richSchema } from '../support/rich-schema.ts';
import { buildAll, dropSubscriptions, type Loaded, loadRows } from './build-harness.ts';

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
    ...{ section: 'post-data' as const, filters, lockWaitMs: 1_000 },
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
