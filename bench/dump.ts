/**
 * How fast and how large is a dump, against pg_dump on the same data, server and machine?
 *
 * Rounds are interleaved (each round runs every contender once), so that what else happens on the machine hits all alike;
 * ratios are made per round. Environment: PG_DUMP (another pg_dump), BENCH_MB (text, default 1100), BENCH_ROUNDS (5).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { EmbeddedServer } from '../local/embedded-server.ts';
import { contenders, knowsZstd, type Measured, measure } from './contenders.ts';
import { fillHugeFields, fillMixed, fillWide } from './fill.ts';
import { dumpByUs, type OurRun } from './ours.ts';
import { startServerFor, versionOf } from './server.ts';
import { median, summary } from './statistics.ts';

const jobs = 2;
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const textBytes = Number(process.env.BENCH_MB ?? 1100) * 1e6;
const pgDump = process.env.PG_DUMP ?? 'pg_dump';
const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

const version = versionOf(pgDump);
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
await using resources = new AsyncDisposableStack();
const settings = [
  'shared_buffers=512MB',
  'max_wal_size=4GB',
  'autovacuum=off',
  'wal_level=minimal',
  'max_wal_senders=0',
];
const server = resources.adopt(await startServerFor(version, settings), (started) =>
  started.stop(),
);

await withDatabase(server, 'mixed', (client) => fillMixed(client, textBytes), compare);
await withDatabase(
  server,
  'large',
  (client) => fillWide(client, 'large', 2e9),
  () => printPeak('large', 'a table of 2 GB of text'),
);
await withDatabase(
  server,
  'huge',
  (client) => fillHugeFields(client, 6),
  () => printPeak('huge', 'fields of 60 MB (120 MB of text each)'),
);

async function withDatabase<T>(
  on: EmbeddedServer,
  name: string,
  fill: (client: pg.Client) => Promise<T>,
  use: (filled: T) => Promise<void>,
): Promise<void> {
  const admin = new pg.Client({ connectionString: on.url() });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const client = new pg.Client({ connectionString: on.url(name) });
  try {
    await client.connect();
    const filled = await fill(client);
    await client.end();
    await use(filled);
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  } finally {
    await client.end();
    await admin.end();
  }
}

async function compare(rawBytes: number): Promise<void> {
  const others = contenders(knowsZstd(pgDump));
  console.log(
    `${version.text}, ${mb(rawBytes)} of text in two tables, ${jobs} jobs, ${rounds} rounds.`,
  );
  const ours: OurRun[] = [];
  const theirs: Measured[][] = others.map(() => []);
  // Round 0 warms the caches and is thrown away.
  for (let round = 0; round <= rounds; round++) {
    const own = await dumpByUs(server.settings('mixed'), join(folder, 'ours'), jobs);
    const measured = others.map((other) =>
      measure(other, pgDump, server, 'mixed', join(folder, 'theirs')),
    );
    if (round === 0) continue;
    ours.push(own);
    for (const [index, one] of measured.entries()) theirs[index]?.push(one);
  }
  const line = (name: string, all: readonly Measured[]) =>
    console.log(
      `  ${name.padEnd(52)} wall ${summary(all.map((one) => one.wallSeconds))} s   cpu ${summary(all.map((one) => one.cpuSeconds))} s`,
    );
  line(
    'holdfast, DumpUnit',
    ours.map(({ units }) => units),
  );
  line(
    'holdfast, HoldSnapshot to the last DumpUnit',
    ours.map(({ whole }) => whole),
  );
  for (const [index, other] of others.entries()) line(other.name, theirs[index] ?? []);
  const speed = rawBytes / 1e6 / median(ours.map(({ units }) => units.wallSeconds));
  console.log(
    `  holdfast: ${Math.round(speed)} MB/s of text, stored ${mb(ours[0]?.storedBytes ?? 0)}.\n`,
  );
  console.log('Ratio of holdfast to the other, per round (below 1: holdfast needs less):');
  for (const [index, other] of others.entries()) {
    for (const part of ['units', 'whole'] as const) {
      const ratios = (of: keyof Measured) =>
        ours.map((own, round) => own[part][of] / (theirs[index]?.[round]?.[of] ?? Number.NaN));
      const what = `${part === 'units' ? 'DumpUnit' : 'whole dump'} / ${other.name}`;
      console.log(
        `  ${what.padEnd(64)} wall ${summary(ratios('wallSeconds'))}   cpu ${summary(ratios('cpuSeconds'))}`,
      );
    }
  }
  console.log(`\nPeak memory of the worker process (${jobs} units at once):`);
  console.log(
    `  ${'the mixed tables'.padEnd(40)} ${mb(Math.max(...ours.map((own) => own.peakBytes)))}`,
  );
}

async function printPeak(database: string, what: string): Promise<void> {
  const { peakBytes } = await dumpByUs(server.settings(database), join(folder, 'ours'), jobs);
  console.log(`  ${what.padEnd(40)} ${mb(peakBytes)} (allowed: 268 MB = 256 MiB)`);
}
