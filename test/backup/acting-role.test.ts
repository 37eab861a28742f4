/** Logins with a `role` of their own: what acts is not what logged in, and its rights over the login's sessions count. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ownSessions } from '../../core/doctor/checks/rights.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { endPredecessors } from '../../core/postgres/end-predecessors.ts';
import { openSession } from '../../core/postgres/session.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { look } from '../support/doctor.ts';
import { expectNoSessions, type Harness, makeHarness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('acting');
  await harness.database.query('CREATE TABLE t (id int); INSERT INTO t VALUES (1)');
});
afterAll(() => harness[Symbol.asyncDispose]());

let login: string;
let acting: string;
let connection: ConnectionSettings;
beforeEach(async () => {
  const random = randomBytes(4).toString('hex');
  [login, acting] = [`login_${random}`, `acting_${random}`];
  await harness.database.query(`CREATE ROLE ${acting}; CREATE ROLE ${login} LOGIN PASSWORD 'x';
    GRANT pg_read_all_data TO ${acting}; GRANT ${acting} TO ${login};
    ALTER ROLE ${login} SET role = ${acting}`);
  connection = { ...harness.database.settings, user: login, password: async () => 'x' };
});
afterEach(() => harness.database.query(`DROP ROLE ${login}; DROP ROLE ${acting}`));

const backUp = () => runBackup(harness.options({ connection }));

test('one that may not end the sessions of its login is refused before anything is held', async () => {
  const told = {
    name: 'ConfigurationError',
    message: expect.stringContaining(`"${login}" has role = "${acting}"`),
    hint: expect.stringContaining(`ALTER ROLE "${login}" RESET role`),
  };
  await expect(backUp()).rejects.toMatchObject(told);
  await expectNoSessions(harness);
  expect(await harness.catalogue()).toEqual([]);
  expect(await look(ownSessions, connection)).toMatchObject({
    status: 'problem',
    detail: told.message,
    hint: told.hint,
  });
});

test.each([
  ['ALTER ROLE … RESET role', /ALTER ROLE \S+ RESET role/],
  ['GRANT …', /GRANT pg_read_all_stats.*(?=\.$)/],
])('%s of the hint is enough for a backup', async (_, statement) => {
  const { hint } = await look(ownSessions, connection);
  await harness.database.query(`GRANT pg_read_all_data TO ${login}`);
  await harness.database.query(statement.exec(hint ?? '')?.[0] ?? 'no such hint');
  expect(await look(ownSessions, connection)).toMatchObject({ status: 'ok' });
  expect(await backUp()).toMatchObject({ state: 'published', rows: 1 });
  await expectNoSessions(harness);
});

test('a superuser is not ended by whoever has its role: only RESET helps', async () => {
  await harness.database.query(`REVOKE ${acting} FROM ${login}; ALTER ROLE ${login} SUPERUSER;
    GRANT ${login} TO ${acting}`);
  const { status, hint } = await look(ownSessions, connection);
  expect(status).toBe('problem');
  expect(hint).not.toContain('GRANT');
});

test('the sessions of an earlier attempt are found by the login', async () => {
  await harness.database.query(`GRANT pg_read_all_stats, pg_signal_backend TO ${acting}`);
  const open = () =>
    openSession(connection, { applicationName: 'holdfast/acting/unit-0', purpose: 'worker' });
  const earlier = await open();
  await using session = await open();
  await endPredecessors(session, 'holdfast/acting/unit-0');
  await expect(earlier.query('SELECT')).rejects.toMatchObject({ name: 'ConnectionLostError' });
});
