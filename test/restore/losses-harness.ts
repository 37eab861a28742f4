/**
 * One database, restored twice: the plain way (pg_dump into psql, of this machine where their version allows it, else the
 * text and rows that pg_dump would give), and by Holdfast.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { BackupReport } from '../../core/contract/catalogue.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { readSection } from '../../core/restore/definitions.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { initVault } from '../../local/vault/open-vault.ts';
import { nativePgDumpMajor } from '../matrix/native-pg-dump.ts';
import { databaseOn, startServer } from '../support/postgres.ts';

const requestedBy = { user: 'test', host: 'test' };
const nativeMajor = nativePgDumpMajor() ?? 0;
const isInstalled = (major: number) =>
  existsSync(join(import.meta.dirname, '../../.matrix/node_modules', `pg${major}`));

/** Of the server: the newest that this machine's pg_dump can read and that is at hand. */
export const major =
  [18, 17, 16, 15].find((one) => one <= nativeMajor && (one === 18 || isInstalled(one))) ?? 18;
/** Is the plain way the pg_dump and psql of this machine? */
export const isNative = nativeMajor >= major;

export interface BothWays {
  /** What the plain way complained about. */
  readonly errors: string;
  readonly backup: BackupReport;
  readonly report: RestoreReport;
  /** The first column of a query, in the source, after the plain way, and after Holdfast's. */
  ask(sql: string): Promise<{ source: unknown[]; plain: unknown[]; holdfast: unknown[] }>;
}

export interface Losses extends AsyncDisposable {
  /** @param finish told the quoted name of the database, for what is set on it; run when all else is there */
  restore(name: string, sql: string, finish?: (database: string) => string): Promise<BothWays>;
  readonly server: EmbeddedServer;
}

export async function startLosses(): Promise<Losses> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-losses-'));
  const vault = { vaultDirectory: join(folder, 'vault'), keyFile: join(folder, 'key.json') };
  await initVault(vault.vaultDirectory, { keyFile: vault.keyFile });
  const server = await startServer({ major });

  const run = async (database: string, sql: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: server.url(database) });
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  };
  /** What went wrong is an answer, too. */
  const firstColumn = (database: string, sql: string): Promise<unknown[]> =>
    run(database, sql).then(
      ({ rows }) => rows.map((row: Record<string, unknown>) => Object.values(row)[0]),
      (error: Error) => [error.message],
    );

  async function plainly(name: string, target: string, backupId: string): Promise<string> {
    await run('postgres', `CREATE DATABASE ${target} TEMPLATE template0`);
    if (isNative) return dumpAndLoad(server.url(name), server.url(target));
    return textAndRows(name, target, backupId);
  }

  /** In pg_dump's order: definitions, rows by name of the table, the rest; errors are passed over as psql does. */
  async function textAndRows(name: string, target: string, backupId: string): Promise<string> {
    const { deps } = await openLocalDeps({ ...vault, connection: server.settings(name) });
    const { manifest } = await loadManifest(deps, sourceOf(name), backupId);
    const client = new pg.Client({ connectionString: server.url(target) });
    const errors: string[] = [];
    const attempt = async (sql: string, values?: unknown[]) => {
      await client.query(sql, values).catch(({ message }: Error) => errors.push(message));
    };
    await client.connect();
    await attempt(await readSection(deps, manifest, 'pre-data'));
    await attempt(`SET search_path = ''`);
    for (const { schema, name: table, root } of [...manifest.tables].sort(byName)) {
      const [from, to] = [`${schema}.${table}`, `${schema}.${root?.name ?? table}`];
      const [rows] = await firstColumn(name, `SELECT json_agg(t) FROM ${from} AS t`);
      const insert = `INSERT INTO ${to} SELECT * FROM pg_catalog.json_populate_recordset(NULL::${to}, $1)`;
      if (rows !== null) await attempt(insert, [JSON.stringify(rows)]);
    }
    await attempt(await readSection(deps, manifest, 'post-data'));
    await client.end();
    return errors.join('\n');
  }

  return {
    server,
    async restore(name, sql, finish = () => '') {
      const database = await databaseOn(server, name);
      await database.query(sql);
      await database.client.end();
      await run('postgres', finish(pg.escapeIdentifier(name)));
      const backup = await runBackup({
        ...vault,
        connection: server.settings(name),
        input: { source: sourceOf(name), requestedBy },
        jobs: 2,
      });
      const errors = await plainly(name, `${name}_plain`, backup.backupId);
      const report = await runRestore({
        ...vault,
        connection: server.settings(),
        input: { target: 'here', choice: { source: sourceOf(name) }, requestedBy },
        jobs: 2,
      });
      return {
        ...{ errors, backup, report },
        ask: async (query) => ({
          source: await firstColumn(name, query),
          plain: await firstColumn(`${name}_plain`, query),
          holdfast: await firstColumn(report.database ?? '', query),
        }),
      };
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const sourceOf = (database: string) => database.replaceAll('_', '-');

/** As everybody does it: errors are printed and passed over. */
function dumpAndLoad(from: string, to: string): string {
  const dump = spawnSync('pg_dump', ['--dbname', from], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (dump.status !== 0) return dump.stderr;
  const load = spawnSync('psql', ['-X', '-q', '--dbname', to], {
    ...{ input: dump.stdout, encoding: 'utf8', maxBuffer: 1 << 28 },
  });
  return load.stderr;
}
