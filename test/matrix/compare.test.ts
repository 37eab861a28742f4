/** From an old major to the newest: everything that is printed differently is listed here. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPrintedDifferently } from '../../core/compare/print-rules.ts';
import type { Side } from '../../core/compare/side.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { backup, compare, dropSubscription, live, unexpected } from '../compare/support.ts';
import { databaseOn, startServer, type TestDatabase, testDatabase } from '../support/postgres.ts';
import { restoreBackup } from '../support/restore-backup.ts';
import { richSchema } from '../support/rich-schema.ts';
import { sampleVault } from '../support/sample-backup.ts';

/** What newer servers are known to print differently, on top of the rich schema. */
const odd = `
  CREATE TABLE src (a int PRIMARY KEY, b text, d date);
  INSERT INTO src VALUES (1, 'x', 'epoch');
  CREATE VIEW plain AS SELECT s.a, s.b, EXTRACT(year FROM s.d) AS y FROM src s WHERE s.b <> 's.a';
  CREATE VIEW joined AS SELECT x.a, y.b FROM src x JOIN src y ON y.a = x.a;
  CREATE TABLE ${'a'.repeat(63)} (${'b'.repeat(50)}1 int NOT NULL, ${'b'.repeat(50)}2 int NOT NULL);
  CREATE DOMAIN required AS text NOT NULL;`;

let server: EmbeddedServer;
let old: TestDatabase;
let recent: TestDatabase;
let stored: () => Side;
let folder: string;
beforeAll(async () => {
  server = await startServer({ major: 14 });
  old = await databaseOn(server, 'compare_old');
  await old.query(`${richSchema(14)};${odd}`);
  folder = await mkdtemp(join(tmpdir(), 'holdfast-compare-'));
  const sample = await sampleVault(folder);
  const report = await runBackup({
    ...{ vaultDirectory: sample.root, keyFile: sample.keyFile, connection: old.settings, jobs: 2 },
    input: { source: 'old', requestedBy: { user: 'tester', host: 'here' } },
  });
  const { manifest } = await loadManifest(sample.deps, 'old', report.backupId);
  stored = () => backup(sample.deps, manifest);
  recent = await testDatabase('compare_recent');
  await restoreBackup(sample.deps, manifest, recent.url);
}, 60_000);
afterAll(async () => {
  if (recent !== undefined) {
    await dropSubscription(recent);
    await recent.drop();
  }
  await old?.client.end();
  await server?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe('PostgreSQL 14 and 18', () => {
  it('are identical; what 18 prints differently is listed as expected', async () => {
    const comparison = await compare(stored(), live(recent));
    expect(unexpected(comparison)).toEqual([]);
    expect(comparison.verdict).toBe('identical');
    expect(comparison.differences.map(({ object }) => object).sort()).toEqual([
      'MATERIALIZED VIEW shop.totals',
      `TABLE public.${'a'.repeat(63)}`,
      'VIEW public.plain',
      'VIEW shop.barrier',
      'VIEW shop.circle_a',
      'VIEW shop.circle_b',
      'VIEW shop.numbers',
      'VIEW shop.rich_customers',
      'version of extension btree_gist',
      'version of extension citext',
      'version of extension postgres_fdw',
    ]);
  });

  it('still differ by what a view selects', async () => {
    await recent.query(
      `CREATE OR REPLACE VIEW plain AS SELECT s.a, s.b, EXTRACT(month FROM s.d) AS y FROM src s WHERE s.b <> 's.a'`,
    );
    expect(unexpected(await compare(stored(), live(recent)))).toEqual(['schema VIEW public.plain']);
  });
});

describe('a definition that is printed differently', () => {
  const view = (text: string, major: number) => ({ text, major });
  it.each([
    ['SELECT t.a FROM s.t', 14, 'SELECT a FROM s.t', 18, true],
    ['SELECT a FROM s.t', 18, 'SELECT t.a FROM s.t', 14, true],
    ['SELECT t.a FROM s.t', 16, 'SELECT a FROM s.t', 18, false],
    ['SELECT t.a FROM s.t', 14, 'SELECT a FROM u.t', 18, false],
    ['SELECT t.a FROM s.t', 14, 'SELECT b FROM s.t', 18, false],
    [`SELECT 't.a' FROM s.t`, 14, `SELECT 'a' FROM s.t`, 18, false],
    ['SELECT t.a FROM s.t', 14, 'SELECT a FROM s.t LIMIT 1', 18, false],
  ])('%s (%i) and %s (%i): %s', (one, oneMajor, other, otherMajor, expected) => {
    const [left, right] = [view(one, oneMajor), view(other, otherMajor)];
    expect(isPrintedDifferently('VIEW', left, right)).toBe(expected);
    expect(isPrintedDifferently('INDEX', left, right)).toBe(false);
  });

  it('may have a name for its NOT NULL from 18 on, and no other', () => {
    const is = (older: string, newer: string) =>
      isPrintedDifferently('TABLE', view(older, 17), view(newer, 18));
    expect(
      is('CREATE TABLE t (a int NOT NULL)', 'CREATE TABLE t (a int CONSTRAINT x NOT NULL)'),
    ).toBe(true);
    expect(is('CREATE TABLE t (a int)', 'CREATE TABLE t (a int CONSTRAINT x NOT NULL)')).toBe(
      false,
    );
    expect(is('CREATE TABLE t (a int)', 'CREATE TABLE t (a int CONSTRAINT x UNIQUE)')).toBe(false);
  });
});
