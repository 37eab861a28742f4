/** Until the cutover nobody but the restore is let into the database, and its name is not the one that clients look for. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillShop } from '../backup/harness.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer, unique, urlOf } from './shared-server.ts';

const stranger = unique('closed_stranger');
let harness: RestoreHarness;
let original: Record<string, unknown>;

beforeAll(async () => {
  await onServer('postgres', `CREATE ROLE ${stranger} LOGIN PASSWORD 'x'`);
  harness = await makeRestoreHarness('closed', async (database) => {
    await fillShop(database);
    await database.query('CREATE TABLE last (id int PRIMARY KEY REFERENCES accounts)');
  });
  original = await contentOf(harness.source.database.name);
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await onServer('postgres', `DROP ROLE ${stranger}`);
});

/** What a client that tries again and again finds: in which databases it came, and whether they were whole. */
async function knock(isDone: () => boolean): Promise<{ seen: Set<string>; entered: Set<string> }> {
  const [seen, entered] = [new Set<string>(), new Set<string>()];
  while (!isDone()) {
    const all = await harness.databases();
    for (const name of all.filter((one) => one !== harness.source.database.name)) {
      seen.add(name);
      const url = Object.assign(new URL(urlOf(name)), { username: stranger, password: 'x' });
      const client = new pg.Client({ connectionString: url.href });
      client.on('error', () => undefined);
      try {
        await client.connect();
        const { rows } = await client.query<{ state: string }>(
          `SELECT CASE WHEN EXISTS (SELECT FROM pg_constraint WHERE conname = 'last_id_fkey')
             AND to_regnamespace('holdfast_restore') IS NULL THEN 'whole' ELSE 'half' END AS state`,
        );
        entered.add(`${name} ${rows[0]?.state}`);
      } catch {
        // Not let in.
      } finally {
        await client.end().catch(() => undefined);
      }
    }
    await sleep(5);
  }
  return { seen, entered };
}

const rightsOn = async (name: string) => {
  const [row] = await onServer<{ acl: string }>(
    'postgres',
    `SELECT array(SELECT unnest(coalesce(datacl, acldefault('d', datdba)))::text ORDER BY 1)::text AS acl
       FROM pg_database WHERE datname = '${name}'`,
  );
  return row?.acl;
};

describe.each(['new', 'swap'] as const)('mode %s', (mode) => {
  it('lets others in when the database is whole, under its name, with the usual rights', {
    timeout: 120_000,
  }, async () => {
    const database = harness.ownDatabase(`${harness.source.database.name}_${mode}_named`);
    if (mode === 'swap') {
      await onServer('postgres', `CREATE DATABASE ${database} TEMPLATE template0`);
      await onServer('postgres', `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
    }
    let isDone = false;
    const knocking = knock(() => isDone);
    const report = await harness
      .restore({ mode, database, safetyBackup: false })
      .finally(() => (isDone = true));
    const { seen, entered } = await knocking;
    expect(report).toMatchObject({ verdict: 'identical', database });
    const working = [...seen].filter((name) => name.startsWith(`${database}_restore_`));
    expect(working).toHaveLength(1);
    // Right before the rename it gets its rights.
    expect([...entered].filter((one) => one.endsWith(' half'))).toEqual([]);
    expect(await rightsOn(database)).toBe(await rightsOn(harness.source.database.name));
    expect(await contentOf(database)).toEqual(original);
  });
});

it('a database without a name of its own is closed as well, and opened in the end', {
  timeout: 120_000,
}, async () => {
  let isDone = false;
  const knocking = knock(() => isDone);
  const report = await harness.restore().finally(() => (isDone = true));
  const { entered } = await knocking;
  // It has that name all the time, and is whole when it is opened.
  expect([...entered].filter((one) => one.endsWith(' half'))).toEqual([]);
  expect(await rightsOn(report.database as string)).toBe(
    await rightsOn(harness.source.database.name),
  );
});
