/** Everything that PostgreSQL 18 has, restored beside its source; what would keep a careless restore from it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOtherColumnOrder } from '../../core/compare/column-order.ts';
import { definitionsOf } from '../../core/compare/definitions.ts';
import { isPrintedDifferently } from '../../core/compare/print-rules.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { initVault } from '../../local/vault/open-vault.ts';
import { compare, live, unexpected } from '../compare/support.ts';
import { everything, everythingOfDatabase } from '../support/everything.ts';
import { databaseOn, startServer, type TestDatabase } from '../support/postgres.ts';

const requestedBy = { user: 'test', host: 'test' };

let server: EmbeddedServer;
let source: TestDatabase;
let folder: string;
let report: RestoreReport;
const options = () => ({
  vaultDirectory: join(folder, 'vault'),
  keyFile: join(folder, 'key.json'),
  jobs: 2,
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-everything-'));
  await initVault(options().vaultDirectory, { keyFile: options().keyFile });
  server = await startServer();
  source = await databaseOn(server, 'everything');
  await source.query(everything(18));
  await source.query(everythingOfDatabase('everything', 18));
  await runBackup({
    ...options(),
    connection: source.settings,
    input: { source: 'everything', options: { chunkBytes: 1 << 14 }, requestedBy },
  });
  report = await runRestore({
    ...options(),
    connection: server.settings(),
    input: { target: 'here', requestedBy },
  });
}, 120_000);
afterAll(async () => {
  await source?.client.end();
  await server?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe('a database with everything in it', () => {
  it('is restored identically', () => {
    expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', error: null });
    expect(report.differences.map(({ object }) => object)).toEqual(['TABLE ev.late_child']);
  });

  it('is identical to its source with settings and all, but for an index that is invalid there', async () => {
    const target = { settings: server.settings(report.database ?? undefined) };
    expect(unexpected(await compare(live(source), live(target)))).toEqual([
      'validity index ev.invalid_one',
    ]);
  }, 60_000);

  it('has no statistics of a table with an unreachable foreign partition, and says so', () => {
    const found = report.warnings.filter(({ code }) => code === 'no-statistics');
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringContaining('ANALYZE ONLY "ev"."detached" failed'),
    ]);
  });

  it('keeps its event triggers, which forbid to drop the bookkeeping that is gone', async () => {
    const target = await databaseClient(report.database ?? '');
    try {
      const { rows } = await target.query(
        `SELECT evtname, evtenabled FROM pg_event_trigger WHERE evtname LIKE 'ev%' ORDER BY 1`,
      );
      expect(rows.map(({ evtname, evtenabled }) => `${evtname} ${evtenabled}`)).toEqual([
        ...['ev_always A', 'ev_disabled D', 'ev_login O', 'ev_origin O', 'ev_replica R'],
      ]);
      await target.query(
        'SET default_transaction_read_only = off; SET session_replication_role = origin',
      );
      await expect(target.query('DROP TABLE ev.nothing_in_it')).rejects.toThrow('Nothing is');
    } finally {
      await target.end();
    }
  });
});

describe('definitions that say the same', () => {
  const policy = (roles: string) =>
    `-- Name: t p; Type: POLICY; Schema: s; Owner: o\n--\n\nCREATE POLICY p ON s.t TO ${roles} USING (true);\n`;

  it('have the roles of a policy in any order', () => {
    const [one, other] = ['b, "a ""x", c', '"a ""x", c, b'].map((roles) =>
      [...definitionsOf([policy(roles)]).values()].flat(),
    );
    expect(one).toHaveLength(1);
    expect(one).toEqual(other);
    expect(one).not.toEqual([...definitionsOf([policy('b, c')]).values()].flat());
  });

  it('leave the right that 17 invented with its owner, and with nobody else', () => {
    const none =
      'REVOKE SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON TABLE s.t FROM o';
    const is = (newer: string, major = 16) =>
      isPrintedDifferently('ACL', { text: none, major }, { text: newer, major: 18 });
    const all = 'REVOKE ALL ON TABLE s.t FROM o;\nGRANT MAINTAIN ON TABLE s.t TO ';
    expect(is(`${all}o`)).toBe(true);
    expect(is(`${all}o`, 17)).toBe(false);
    expect(is(`${all}x`)).toBe(false);
    expect(is(`${all}o;\nGRANT SELECT ON TABLE s.t TO o`)).toBe(false);
    expect(is('REVOKE ALL ON TABLE s.u FROM o;\nGRANT MAINTAIN ON TABLE s.u TO o')).toBe(false);
  });

  it('have the columns of a child in another order, and nothing else', () => {
    const child = (...lines: string[]) =>
      `CREATE TABLE s.t (\n    ${lines.join(',\n    ')}\n)\nINHERITS (s.p)`;
    const is = (one: string, other: string) => isOtherColumnOrder('TABLE', one, other);
    expect(is(child('a int', 'b text'), child('b text', 'a int'))).toBe(true);
    expect(is(child('a int', 'b text'), child('b text', 'a bigint'))).toBe(false);
    expect(is('CREATE TABLE s.t (\n a,\n b\n)', 'CREATE TABLE s.t (\n b,\n a\n)')).toBe(false);
  });
});

async function databaseClient(name: string) {
  const client = new pg.Client({ connectionString: server.url(name) });
  await client.connect();
  return client;
}
