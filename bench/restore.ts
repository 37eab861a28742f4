/**
 * How fast is a restore, against psql with a plain dump and pg_restore with a directory, on the same server and machine?
 *
 * Rounds are interleaved (each runs every contender once); ratios are made per round. The server has its default
 * wal_level, as one that matters has. Environment: PG_DUMP (psql and pg_restore beside it), BENCH_MB (text, default 2000),
 * BENCH_ROUNDS (3). A restore costs about a second whatever it is of: the share of a small table says little without the
 * size of the database, which is printed beside it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { runBackup } from '../local/engine/run-backup.ts';
import { initVault } from '../local/vault/open-vault.ts';
import { knowsZstd } from './contenders.ts';
import { fillOrders } from './fill.ts';
import {
  admin,
  beside,
  type Restored,
  type RestoreTimes,
  restoreByShell,
  restoreByUs,
  shell,
} from './restore-runs.ts';
import { startServerFor, versionOf } from './server.ts';
import { summary } from './statistics.ts';

const jobs = 2;
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const textBytes = Number(process.env.BENCH_MB ?? 2000) * 1e6;
const pgDump = process.env.PG_DUMP ?? 'pg_dump';
const version = versionOf(pgDump);
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
await using resources = new AsyncDisposableStack();
const settings = ['shared_buffers=512MB', 'max_wal_size=8GB', 'autovacuum=off'];
const server = resources.adopt(await startServerFor(version, settings), (started) =>
  started.stop(),
);

const contenders = [
  {
    name: 'psql of a plain dump',
    command: `"${beside(pgDump, 'psql')}" -X -q -v ON_ERROR_STOP=1 -f "$PLAIN" >/dev/null`,
  },
  {
    name: `pg_restore -j${jobs} of -Fd`,
    command: `"${beside(pgDump, 'pg_restore')}" -j${jobs} -d "$PGDATABASE" "$DIRECTORY"`,
  },
];

console.log(
  `${version.text}, ${Math.round(textBytes / 1e6)} MB of text with indexes, ${jobs} jobs, ${rounds} rounds.`,
);
await compare('equal', 'Two equal tables', { first: 0.5, second: 0.5 });
await compare('skewed', 'One table with 80 % of the data', {
  ...{ large: 0.8, other_1: 0.07, other_2: 0.07, other_3: 0.05 },
  one_percent: 0.01,
});

async function compare(
  name: string,
  title: string,
  shares: Readonly<Record<string, number>>,
): Promise<void> {
  await admin(server, `CREATE DATABASE ${name} TEMPLATE template0`);
  const client = new pg.Client({ connectionString: server.url(name) });
  await client.connect();
  await fillOrders(client, textBytes, shares);
  await client.end();
  const files = { PLAIN: join(folder, `${name}.sql`), DIRECTORY: join(folder, `${name}.d`) };
  const zstd = knowsZstd(pgDump) ? '--compress=zstd:1' : '';
  const dump = `"${pgDump}" -Fp -f "$PLAIN" && "${pgDump}" -Fd -j${jobs} ${zstd} -f "$DIRECTORY"`;
  shell(server, dump, { ...files, PGDATABASE: name });
  const vault = { vaultDirectory: join(folder, name), keyFile: join(folder, `${name}.json`), jobs };
  await initVault(vault.vaultDirectory, vault);
  await runBackup({
    ...vault,
    connection: server.settings(name),
    input: { source: 'bench', requestedBy: { user: 'bench', host: 'bench' } },
  });
  await admin(server, `DROP DATABASE ${name}`);
  const ours: Restored[] = [];
  const parts: Restored[] = [];
  const theirs: RestoreTimes[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    ours.push(await restoreByUs(server, vault));
    if ('one_percent' in shares) {
      const selection = { tables: ['public.one_percent'] };
      parts.push(await restoreByUs(server, vault, { mode: 'into', selection }));
    }
    for (const [index, { command }] of contenders.entries()) {
      theirs[index]?.push(await restoreByShell(server, command, files));
    }
  }
  print(title, ours, theirs);
  if (parts.length > 0) printPart(ours, parts);
  for (const path of [vault.vaultDirectory, files.PLAIN, files.DIRECTORY])
    rmSync(path, { recursive: true, force: true });
}

function print(title: string, ours: readonly Restored[], theirs: readonly RestoreTimes[][]): void {
  console.log(`\n${title}`);
  const line = (name: string, all: readonly RestoreTimes[]) =>
    console.log(
      `  ${name.padEnd(38)} wall ${summary(all.map((one) => one.wallSeconds))} s   cpu of client ${summary(all.map((one) => one.clientCpuSeconds))} s   of server ${summary(all.map((one) => one.serverCpuSeconds))} s`,
    );
  line(
    'holdfast, with the comparison',
    ours.map(({ whole }) => whole),
  );
  for (const [index, { name }] of contenders.entries()) line(name, theirs[index] ?? []);
  console.log(`  phases of holdfast, ms: ${JSON.stringify(ours.at(-1)?.phases)}`);
  for (const [index, { name }] of contenders.entries()) {
    for (const part of ['built', 'whole'] as const) {
      const ratios = ours.map(
        (own, round) => own[part].wallSeconds / (theirs[index]?.[round]?.wallSeconds ?? Number.NaN),
      );
      const what = part === 'built' ? 'up to the last index' : 'with the comparison';
      console.log(`  ${`holdfast ${what} / ${name}`.padEnd(64)} wall ${summary(ratios)}`);
    }
  }
}

function printPart(ours: readonly Restored[], parts: readonly Restored[]): void {
  const shares = parts.map(
    (part, round) => part.whole.wallSeconds / (ours[round]?.whole.wallSeconds ?? Number.NaN),
  );
  const bytes = parts.map((part, round) => part.readBytes / (ours[round]?.readBytes ?? Number.NaN));
  console.log(
    `  a table of ${Math.round(textBytes / 1e8)} MB / everything (${Math.round(textBytes / 1e6)} MB): wall ${summary(shares, 3)}, bytes read ${summary(bytes, 4)}`,
  );
  console.log(`  wall of that table ${summary(parts.map(({ whole }) => whole.wallSeconds))} s`);
  console.log(`  its phases, ms: ${JSON.stringify(parts.at(-1)?.phases)}`);
}
