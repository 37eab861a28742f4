import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { detectPooler, refusePooler } from '../../core/postgres/pooler.ts';
import { openSession } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { TransactionPooler } from '../support/transaction-pooler.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('pooler');
});
afterAll(async () => {
  await database?.drop();
});
const worker = { applicationName: 'holdfast/t', purpose: 'worker' } as const;

test('a direct connection is no pooler', async () => {
  await using session = await openSession(database.settings, worker);
  expect(await detectPooler(session)).toBeUndefined();
  await refusePooler(session);
});

test.each(['lifo', 'fifo'] as const)(
  'a transaction pooler (%s) is refused when the session is opened, with the way round',
  async (order) => {
    await using pooler = await TransactionPooler.start(database.settings, { order });
    await expect(openSession(pooler.settings, worker)).rejects.toMatchObject({
      name: 'PoolerDetectedError',
      message: expect.stringMatching(/PgBouncer.*server process/s),
      hint: expect.stringMatching(/pool_mode = session/),
    });
  },
);

test('nothing is pinned on sessions of a transaction pooler, which the application gets next', async () => {
  await using pooler = await TransactionPooler.start(database.settings, { order: 'lifo' });
  await openSession(pooler.settings, worker).catch(() => undefined);
  const pids = pooler.servers.map(({ backendPid }) => backendPid);
  const application = new pg.Client({
    host: '127.0.0.1',
    port: pooler.settings.port,
    user: 'postgres',
    database: database.name,
    password: '',
  });
  await application.connect();
  for (let i = 0; i < pids.length; i++) {
    const { rows } = await application.query(
      `SELECT current_setting('default_transaction_read_only') AS value`,
    );
    expect(rows).toEqual([{ value: 'off' }]);
  }
  await application.end();
});

test.each(['lifo', 'fifo'] as const)(
  'a transaction pooler (%s) that passes process numbers on is found by what it does',
  async (order) => {
    await using pooler = await TransactionPooler.start(database.settings, {
      order,
      forwardsPid: true,
    });
    const finding = await openSession(pooler.settings, worker).then(
      async (session) => {
        const found = await detectPooler(session);
        session.destroy();
        return found?.detail;
      },
      (error: Error) => error.message,
    );
    expect(finding).toMatch(/server process/);
  },
);

test('a pooler in session mode is accepted and pinned', async () => {
  await using pooler = await TransactionPooler.start(database.settings, {
    order: 'fifo',
    mode: 'session',
  });
  const session = await openSession(pooler.settings, worker);
  const [row] = await session.query(
    `SELECT current_setting('default_transaction_read_only') AS value`,
  );
  expect(row).toEqual({ value: 'on' });
  await session.close();
});

test('RDS Proxy is refused by its name, since it pins sessions and looks like a server', async () => {
  await using session = await openSession(database.settings, worker);
  const host = 'shop.proxy-abc123def456.eu-central-1.rds.amazonaws.com';
  const proxied = Object.assign(Object.create(session), {
    settings: { ...session.settings, host },
  });
  expect(await detectPooler(proxied)).toMatchObject({
    pooler: 'RDS Proxy',
    hint: expect.stringMatching(/instance/),
  });
});
