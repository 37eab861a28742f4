/** Promise 4: what docs/restore.md says, done word by word with an AWS Encryption SDK, zstd and psql that are not ours. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/restore.md'), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] as string);

let folder: string;
let source: TestDatabase;
let target: TestDatabase;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-stock-'));
  source = await testDatabase('stock');
  target = await testDatabase('stock_target');
  await source.query(`
    CREATE SCHEMA shop;
    CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TABLE shop.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
      mood shop.mood, note text, data bytea, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
    CREATE TABLE shop.orders (id int, customer bigint REFERENCES shop.customers, made timestamptz, total numeric(12,2),
      PRIMARY KEY (id, made)) PARTITION BY RANGE (made);
    CREATE TABLE shop.orders_old PARTITION OF shop.orders FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
    CREATE TABLE shop.orders_new PARTITION OF shop.orders FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
    CREATE TABLE public."Od""d ☃" ("a b" int, "C" text[]);
    INSERT INTO shop.customers (name, mood, note, data)
      SELECT 'n' || i, (ARRAY['sad','ok','happy'])[1 + i % 3]::shop.mood,
        CASE WHEN i % 7 = 0 THEN NULL ELSE E'tab\\t newline\\n back\\\\slash \\\\N \\\\.' || i END, decode(md5(i::text), 'hex')
      FROM generate_series(1, 20000) AS i;
    INSERT INTO shop.orders SELECT i, 1 + i % 20000, '2025-06-01'::timestamptz + i * interval '20 minutes', i / 3.0
      FROM generate_series(1, 50000) AS i;
    INSERT INTO "Od""d ☃" VALUES (1, ARRAY['x', NULL, 'ü']);
    SELECT lo_from_bytea(4711, decode(repeat('00ff10', 3000), 'hex'));
    CREATE MATERIALIZED VIEW shop.totals AS SELECT customer, sum(total) FROM shop.orders GROUP BY 1;
    CREATE INDEX ON shop.customers (name);`);
});

afterAll(async () => {
  await source.drop();
  await target.drop();
  rmSync(folder, { recursive: true, force: true });
});

test('a backup opens and restores by docs/restore.md alone', async () => {
  const vault = join(folder, 'vault');
  const key = join(folder, 'key.json');
  holdfast('init', '--vault', vault, '--key', key);
  const report = JSON.parse(
    holdfast('backup', '--vault', vault, '--key', key, '--database', source.url, '--json'),
  );
  expect(report).toMatchObject({ state: 'published', scope: 'full' });

  writeFileSync(join(folder, 'open.py'), blocks('python')[0] as string);
  writeFileSync(join(folder, 'steps.sh'), ['set -euo pipefail', ...blocks('sh')].join('\n'));
  execFileSync('bash', ['steps.sh'], {
    cwd: folder,
    env: { ...process.env, VAULT: vault, KEY: key, TARGET: target.url },
    stdio: ['ignore', 'inherit', 'inherit'],
  });

  for (const table of ['shop.customers', 'shop.orders', 'shop.totals', '"Od""d ☃"']) {
    const content = `SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM ${table} AS t`;
    expect(await target.query(content), table).toEqual(await source.query(content));
  }
  const rest = `SELECT md5(lo_get(4711)) AS lo, (SELECT last_value FROM shop.customers_id_seq) AS seq,
    (SELECT string_agg(indexdef, ';' ORDER BY indexdef) FROM pg_indexes WHERE schemaname = 'shop') AS indexes,
    (SELECT string_agg(conname || pg_get_constraintdef(oid), ';' ORDER BY conname) FROM pg_constraint
      WHERE connamespace = 'shop'::regnamespace) AS constraints`;
  expect(await target.query(rest)).toEqual(await source.query(rest));
});

test('a flipped byte is refused by the stock tools too', () => {
  const manifest = join(folder, 'vault');
  const entry = execFileSync('bash', ['-c', `ls ${manifest}/backups/*/*/manifest.json`], {
    encoding: 'utf8',
  }).trim();
  const { objects, tables } = JSON.parse(readFileSync(entry, 'utf8'));
  const index = tables.findIndex((table: { name: string }) => table.name === 'customers');
  const segment = tables[index].segments[0];
  const file = join(manifest, objects[segment.object].key);
  const bytes = readFileSync(file);
  const at = segment.offset + (segment.storedBytes >> 1);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(file, bytes);
  expect(() =>
    execFileSync(
      join(folder, 'opener/bin/python'),
      ['open.py', manifest, join(folder, 'key.json'), entry, 'table', String(index)],
      { cwd: folder, stdio: 'pipe' },
    ),
  ).toThrow(/damaged/);
});

function holdfast(...args: string[]): string {
  return execFileSync(process.execPath, [join(root, 'cli/holdfast.ts'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
