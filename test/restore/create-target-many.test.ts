import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RestoreRun } from '../../core/contract/restore.ts';
import { openSession } from '../../core/postgres/session.ts';
import { runBatches } from '../../core/restore/create/run-batches.ts';
import { createBookkeeping } from '../../core/restore/progress.ts';
import { splitEntries } from '../../core/schema/split-entries.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { databaseOn, startServer, type TestDatabase } from '../support/postgres.ts';

const tables = 20_000;
let server: EmbeddedServer;
let database: TestDatabase;

beforeAll(async () => {
  // The lock table is as PostgreSQL ships it: the shared server of the tests has a larger one.
  server = await startServer();
  database = await databaseOn(server, 'many');
});
afterAll(() => server.stop());

/** As pg_dump writes it; each table has a TOAST table, and so takes three locks. */
const schemaText = Array.from(
  { length: tables },
  (_, n) => `--
-- Name: t${n}; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.t${n} (
    a text
);


ALTER TABLE public.t${n} OWNER TO postgres;

`,
).join('');

const runOf = (batchObjects: number) =>
  ({
    runId: 'r-many',
    input: { mode: 'new', options: { batchObjects } },
    backup: { backupId: 'b' },
    workDatabase: database.name,
  }) as RestoreRun;

async function open() {
  return openSession(database.settings, { applicationName: 'holdfast/many', purpose: 'writer' });
}

test('as one transaction they are too much for a server with default settings', async () => {
  await using session = await open();
  await createBookkeeping(session, runOf(tables));
  const text = splitEntries(schemaText);
  await expect(runBatches(session, runOf(tables), text)).rejects.toMatchObject({
    name: 'LockTableTooSmallError',
  });
}, 180_000);

test('20,000 tables are made in batches, also when it is broken off midway', async () => {
  const text = splitEntries(schemaText);
  const run = runOf(500);
  {
    await using session = await open();
    const broken = runBatches(session, run, text, (done) => {
      if (done >= 2_000) session.destroy();
    });
    await expect(broken).rejects.toMatchObject({ name: 'ConnectionLostError' });
  }
  await using session = await open();
  await runBatches(session, run, text);
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_class WHERE relname ~ '^t[0-9]+$' AND relkind = 'r'`,
  );
  expect(row).toEqual({ count: tables });
}, 180_000);
