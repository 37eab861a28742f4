import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RestoreRun } from '../../core/contract/restore.ts';
import { readDatabase } from '../../core/inventory/database.ts';
import { openSession } from '../../core/postgres/session.ts';
import { createWorkDatabase } from '../../core/restore/create/work-database.ts';
import { identifier } from '../../core/schema/sql-text.ts';
import { sharedSettings, type TestDatabase, testDatabase } from '../support/postgres.ts';

let admin: TestDatabase;
const made: string[] = [];
beforeAll(async () => {
  admin = await testDatabase('locale');
});
afterAll(async () => {
  for (const name of made) await admin.query(`DROP DATABASE IF EXISTS ${identifier(name)}`);
  await admin.drop();
});

const open = (database: string) =>
  openSession(sharedSettings(database), { applicationName: 'locale', purpose: 'writer' });

async function factsOf(database: string) {
  await using session = await open(database);
  const { name: _, ...facts } = await readDatabase(session);
  return facts;
}

test.each([
  ['UTF8 and C', `ENCODING UTF8 LOCALE 'C'`],
  ['Latin, by libc', `ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C'`],
  ['bytes without an encoding', `ENCODING SQL_ASCII LOCALE 'C'`],
  ['ICU with rules', `LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' ICU_RULES '&a < g' LOCALE 'C'`],
  ['the builtin provider', `LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'`],
])('the new database has encoding and locale of the source: %s', async (_, options) => {
  const source = `locale_${randomBytes(4).toString('hex')} "x"`;
  const workDatabase = `${source}_restore`;
  made.push(source, workDatabase);
  await admin.query(`CREATE DATABASE ${identifier(source)} TEMPLATE template0 ${options}`);
  const facts = await factsOf(source);
  const run = {
    runId: workDatabase,
    input: { mode: 'new', target: 't' },
    backup: { backupId: 'b' },
    workDatabase,
  } as RestoreRun;
  const deps = { connectionOf: async () => sharedSettings('postgres') };
  await using maintenance = await open('postgres');
  await createWorkDatabase(deps, run, { name: source, ...facts }, maintenance);
  // Nobody else may connect before the cutover.
  const acl = ['=T/postgres', 'postgres=CTc/postgres'];
  expect(await factsOf(workDatabase)).toEqual({ ...facts, acl });
});

test('a locale that the server does not have is named', async () => {
  const workDatabase = `locale_${randomBytes(4).toString('hex')}`;
  const run = {
    runId: workDatabase,
    input: { mode: 'new', target: 't' },
    backup: { backupId: 'b' },
    workDatabase,
  } as RestoreRun;
  const source = { ...(await factsOf(admin.name)), name: 'x', collate: 'xx_XX.nonsense' };
  await using maintenance = await open('postgres');
  const deps = { connectionOf: async () => sharedSettings('postgres') };
  await expect(createWorkDatabase(deps, run, source, maintenance)).rejects.toMatchObject({
    name: 'RestoreStatementError',
    message: expect.stringMatching(/^DATABASE locale_\w+: invalid LC_COLLATE locale name/),
  });
});
