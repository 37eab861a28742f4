/** A swap among sessions and databases of others: by a role that sees little, and names that change hands meanwhile. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { type DatabaseIdentity, databaseNamed } from '../../core/restore/cutover/database-facts.ts';
import { exchange, rename } from '../../core/restore/cutover/exchange.ts';
import { sharedSettings } from '../support/postgres.ts';
import { databases, dropDatabases, onServer, unique, urlOf } from './shared-server.ts';

const made: string[] = [];
const [role, stranger] = [unique('swap_role'), unique('swap_stranger')];
let session: Session;

beforeAll(async () => {
  await onServer(
    'postgres',
    `CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'x'; CREATE ROLE ${stranger} LOGIN PASSWORD 'x'`,
  );
  session = await openSession(
    { ...sharedSettings('postgres', role), password: async () => 'x' },
    { applicationName: 'test', purpose: 'writer' },
  );
});

afterAll(async () => {
  await session?.close();
  await dropDatabases(made);
  await onServer('postgres', `DROP ROLE ${role}; DROP ROLE ${stranger}`);
});

const found = async (name: string) => (await databaseNamed(session, name)) as DatabaseIdentity;

/** Two databases of the role: the live one with a table `old`, and the one that shall have its place. */
async function standing() {
  const [live, work] = [unique('others_live'), unique('others_work')];
  const before = `${live}_before`;
  made.push(live, work, before);
  for (const name of [live, work]) {
    await onServer('postgres', `CREATE DATABASE ${name} OWNER ${role} TEMPLATE template0`);
  }
  const [leaving, entering] = [await found(live), await found(work)];
  const swap = (disconnect: boolean) =>
    exchange(session, {
      runId: 'others',
      leaving: { database: leaving, newName: before },
      entering,
      disconnect,
    });
  return { live, work, before, leaving, entering, swap };
}

async function connected(database: string, user: string | null): Promise<pg.Client> {
  const url = new URL(urlOf(database));
  if (user !== null) Object.assign(url, { username: user, password: 'x' });
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('a role that does not see what kind of sessions others have', () => {
  it.each([
    ['without --disconnect, of another role', false, 'stranger'],
    ['with it, of a role whose sessions it may not end', true, 'stranger'],
    ['with it, of a superuser', true, 'superuser'],
  ])('refuses before it closes anything: %s', async (_title, disconnect, who) => {
    const { live, before, swap } = await standing();
    const client = await connected(live, who === 'superuser' ? null : stranger);
    const queries = vi.spyOn(session, 'query');
    try {
      await expect(swap(disconnect)).rejects.toMatchObject({
        name: 'TargetInUseError',
        message: expect.stringContaining('1 session is connected'),
        hint: expect.stringContaining(disconnect ? 'pg_signal_backend' : '--disconnect'),
      });
      const statements = queries.mock.calls.map(([sql]) => sql);
      expect(statements.length).toBeGreaterThan(0);
      // Nor a rename, for which the server would wait.
      expect(statements.filter((sql) => sql.includes('ALTER DATABASE'))).toEqual([]);
      await client.query('SELECT 1');
      expect(await databases([live, before])).toEqual([live]);
    } finally {
      queries.mockRestore();
      await client.end();
    }
  });

  it('ends those that it may, and swaps', async () => {
    const { live, work, before, swap } = await standing();
    await onServer('postgres', `GRANT ${stranger} TO ${role}`);
    const client = await connected(live, stranger);
    await swap(true);
    await expect(client.query('SELECT 1')).rejects.toThrow();
    expect(await databases([live, work, before])).toEqual([live, before]);
    await onServer('postgres', `REVOKE ${stranger} FROM ${role}`);
  });

  it('ends who looks into the working database, asked or not', async () => {
    const { live, before, swap } = await standing();
    const { work, entering } = await standing();
    await onServer('postgres', `GRANT pg_signal_backend TO ${role}`);
    const client = await connected(work, stranger);
    const named = unique('others_named');
    made.push(named);
    await rename(session, 'others', entering, named);
    await expect(client.query('SELECT 1')).rejects.toThrow();
    expect(await databases([work, named])).toEqual([named]);
    await onServer('postgres', `REVOKE pg_signal_backend FROM ${role}`);
    await swap(false);
    expect(await databases([live, before])).toEqual([live, before]);
  });
});

describe('a name that somebody gave to another database meanwhile', () => {
  it.each(['leaving', 'entering'] as const)(
    'stops the exchange: the one that is %s',
    async (which) => {
      const { live, work, before, swap, ...both } = await standing();
      const { name } = both[which];
      const moved = `${name}_moved`;
      made.push(moved);
      await onServer('postgres', `ALTER DATABASE ${name} RENAME TO ${moved}`);
      await onServer('postgres', `CREATE DATABASE ${name} OWNER ${role} TEMPLATE template0`);
      await expect(swap(true)).rejects.toMatchObject({
        name: 'TargetChangedError',
        message: expect.stringContaining(moved),
      });
      expect(await databases([live, work, before, moved])).toEqual([live, work, moved].sort());
      expect((await found(live)).allowsConnections).toBe(true);
    },
  );

  it('stops it also between the look and the renames', async () => {
    const { live, work, before, entering, swap } = await standing();
    const moved = `${live}_moved`;
    made.push(moved);
    const query = session.query.bind(session);
    session.query = (async (sql: string, values?: unknown[]) => {
      if (sql.includes('RENAME TO')) {
        await onServer('postgres', `ALTER DATABASE ${live} RENAME TO ${moved}`);
        await onServer('postgres', `CREATE DATABASE ${live} OWNER ${role} TEMPLATE template0`);
      }
      return query(sql, values);
    }) as Session['query'];
    try {
      await expect(swap(true)).rejects.toMatchObject({ name: 'TargetChangedError' });
    } finally {
      session.query = query;
    }
    expect(await databases([live, work, before, moved])).toEqual([live, moved, work].sort());
    expect((await found(moved)).allowsConnections).toBe(true);
    expect((await found(work)).oid).toBe(entering.oid);
  });
});
