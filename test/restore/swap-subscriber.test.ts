/** A swap of a database in which the server itself works: a rename waits for a subscription's worker. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSession } from '../../core/postgres/session.ts';
import { type DatabaseIdentity, databaseNamed } from '../../core/restore/cutover/database-facts.ts';
import { exchange } from '../../core/restore/cutover/exchange.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { databaseOn, startServer, type TestDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { only, preflightCase } from './preflight-support.ts';

const folder = temporaryFolders();
let server: EmbeddedServer;
let [publisher, subscriber]: TestDatabase[] = [];

/** The slot is made beforehand: CREATE SUBSCRIPTION on the publisher's own server would wait for itself. */
beforeAll(async () => {
  server = await startServer({ settings: ['wal_level=logical'] });
  publisher = await databaseOn(server, 'publisher');
  subscriber = await databaseOn(server, 'subscriber');
  await publisher.query('CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t');
  await publisher.query(`SELECT pg_create_logical_replication_slot('s', 'pgoutput')`);
  await subscriber.query('CREATE TABLE t (id int PRIMARY KEY)');
  await subscriber.query(`CREATE SUBSCRIPTION s CONNECTION '${server.url('publisher')}'
    PUBLICATION p WITH (create_slot = false)`);
  await workers(1);
  await subscriber.client.end();
}, 60_000);

afterAll(async () => {
  await publisher?.client.end();
  await server?.stop();
});

async function workers(wanted: number): Promise<void> {
  for (;;) {
    const [row] =
      (await publisher?.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM pg_stat_activity
          WHERE datname = 'subscriber' AND backend_type LIKE 'logical replication%'`,
      )) ?? [];
    if (row?.count === wanted) return;
    await sleep(50);
  }
}

async function connected(database: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url(database) });
  await client.connect();
  return client;
}

const preflight = async () => {
  const at = await preflightCase(await folder(), server.settings('postgres'));
  return at.run({ mode: 'swap', database: 'subscriber' });
};

const swap = async () => {
  const options = { applicationName: 'test', purpose: 'writer' } as const;
  await using session = await openSession(server.settings('postgres'), options);
  await session.query('CREATE DATABASE work TEMPLATE template0');
  try {
    const found = async (name: string) => (await databaseNamed(session, name)) as DatabaseIdentity;
    const leaving = { database: await found('subscriber'), newName: 'subscriber_before' };
    const entering = await found('work');
    await exchange(session, { runId: 'test', leaving, entering, disconnect: false });
  } finally {
    await session.query('DROP DATABASE IF EXISTS work');
  }
};

it('fails a swap of it beforehand: the worker is named, and the statement that ends it', async () => {
  const seen = await preflight();
  expect(only(seen, 'background-workers')).toMatchObject({
    verdict: 'failed',
    message: expect.stringMatching(
      /1 background worker in "subscriber": logical replication .*worker \(pid \d+\)/,
    ),
  });
  expect(only(seen, 'replication')).toMatchObject({
    verdict: 'failed',
    message: expect.stringContaining('1 subscription (s)'),
    hint: expect.stringContaining('ALTER SUBSCRIPTION "s" DISABLE'),
  });
});

it('names it at the cutover, when it was made or enabled meanwhile', {
  timeout: 60_000,
}, async () => {
  await expect(swap()).rejects.toMatchObject({
    name: 'TargetInUseError',
    hint: expect.stringContaining('ALTER SUBSCRIPTION … DISABLE'),
  });
});

it('is a warning as soon as it is disabled, and the swap goes', { timeout: 60_000 }, async () => {
  const again = await connected('subscriber');
  await again.query('ALTER SUBSCRIPTION s DISABLE');
  await workers(0);
  const seen = await preflight();
  expect(only(seen, 'replication').verdict).toBe('warning');
  expect(only(seen, 'background-workers').verdict).toBe('ok');
  await again.end();
  await swap();
});
