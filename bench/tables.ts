/** How long is a whole backup (verified, published) of many small tables? BENCH_TABLES (2000), BENCH_ROUNDS (3). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedServer } from '../local/embedded-server.ts';
import { runBackup } from '../local/engine/run-backup.ts';
import { initVault } from '../local/vault/open-vault.ts';

const tables = Number(process.env.BENCH_TABLES ?? 2000);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
await using resources = new AsyncDisposableStack();
const server = resources.adopt(
  await startEmbeddedServer({ settings: ['max_locks_per_transaction=1024'] }),
  (started) => started.stop(),
);

const client = new pg.Client({ connectionString: server.url() });
await client.connect();
for (let from = 0; from < tables; from += 200) {
  await client.query(`DO $$ BEGIN FOR i IN ${from}..${Math.min(from + 200, tables) - 1} LOOP
    EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, made timestamptz DEFAULT now(), name text NOT NULL, price numeric(10,2))', i);
    EXECUTE format('INSERT INTO t%s SELECT n, now(), md5(n::text), n FROM generate_series(1, 20) n', i);
    EXECUTE format('CREATE INDEX ON t%s (name)', i);
  END LOOP; END $$`);
}
await client.end();

for (let round = 0; round < rounds; round++) {
  const vaultDirectory = join(folder, `vault-${round}`);
  const keyFile = join(folder, `key-${round}.json`);
  await initVault(vaultDirectory, { keyFile });
  const began = performance.now();
  const report = await runBackup({
    vaultDirectory,
    keyFile,
    connection: server.settings(),
    jobs: 2,
    input: { source: 'bench', requestedBy: { user: 'bench', host: 'bench' } },
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${report.tables} tables, ${report.rows} rows: ${seconds} s ${JSON.stringify(report.phases)}`,
  );
}
