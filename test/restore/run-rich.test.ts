/** A database made of everything PostgreSQL has, through the whole state machine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noFilters } from '../../core/contract/filters.ts';
import { openSession } from '../../core/postgres/session.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import { sharedSettings } from '../support/postgres.ts';
import { richSchema } from '../support/rich-schema.ts';
import { dropSubscriptions } from './build-harness.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

let harness: RestoreHarness;
beforeAll(async () => {
  harness = await makeRestoreHarness('run_rich', async (database) => {
    await database.query(richSchema(18));
  });
});
afterAll(async () => {
  if (harness !== undefined) await dropSubscriptions(harness.source.database.client);
  await harness?.[Symbol.asyncDispose]();
});

/** One session each: pg_dump leaves its prepared statements. */
async function definitionsOf(database: string): Promise<string[]> {
  const texts: string[] = [];
  for (const section of ['pre-data', 'post-data'] as const) {
    await using session = await openSession(sharedSettings(database), {
      ...{ applicationName: 'test', purpose: 'control' as const },
    });
    const { sql } = await dumpSection(session, { section, filters: noFilters, lockWaitMs: 60_000 });
    texts.push(sql);
  }
  return texts.join('\n').split('\n');
}

describe('a rich database', { timeout: 180_000 }, () => {
  it.each([
    ['at once', {}],
    [
      'in tasks of 5 seconds and small units',
      { taskSeconds: 5, unitBytes: 4096, batchObjects: 20 },
    ],
  ])('comes back identical, restored %s', async (_, options) => {
    const { name } = harness.source.database;
    const report = await harness.restore({ options, roles: { createMissing: true } });
    const database = report.database as string;
    try {
      expect(report.differences.filter(({ isExpected }) => !isExpected)).toEqual([]);
      expect(report.verdict).toBe('identical');
      expect(await definitionsOf(database)).toEqual(await definitionsOf(name));
      expect(await contentOf(database)).toEqual(await contentOf(name));
    } finally {
      await dropSubscriptionsOf(database);
      await onServer('postgres', `DROP DATABASE "${database}" WITH (FORCE)`);
    }
  });
});

/** A database with a subscription cannot be dropped. */
async function dropSubscriptionsOf(database: string): Promise<void> {
  const found = await onServer<{ name: string }>(
    database,
    `SELECT subname AS name FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()`,
  );
  for (const { name } of found) {
    await onServer(database, `ALTER SUBSCRIPTION "${name}" SET (slot_name = NONE)`);
    await onServer(database, `DROP SUBSCRIPTION "${name}"`);
  }
}
