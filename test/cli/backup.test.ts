import { execFileSync } from 'node:child_process';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type BackupReport,
  backupReportSchema,
  type CatalogueEntry,
  catalogueEntrySchema,
  verifyReportSchema,
} from '../../core/contract/catalogue.ts';
import { manifestSchema } from '../../core/contract/manifest.ts';
import { type CliVault, makeCliVault } from '../support/cli-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const folders = temporaryFolders();

describe('one backup from end to end', () => {
  let database: TestDatabase;
  let made: CliVault;
  let report: BackupReport;
  let stderr: string;

  beforeAll(async () => {
    database = await testDatabase('cli_shop');
    await database.client.query(`
      CREATE SCHEMA sales;
      CREATE TABLE sales.customer (id int PRIMARY KEY, name text);
      INSERT INTO sales.customer SELECT i, 'name ' || i FROM generate_series(1, 5000) i;
      CREATE TABLE public.empty (id int);
      CREATE TABLE public.audit AS SELECT i FROM generate_series(1, 100) i;`);
    made = await makeCliVault(await folders());
    const git = (...args: string[]) => execFileSync('git', ['-C', made.folder, ...args]);
    git('init', '-q', '-b', 'topic');
    git(
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@example.com',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'x',
    );
    const result = await made.run([
      'backup',
      '--database',
      database.url,
      '--label',
      'release=1.2',
      '--json',
    ]);
    expect(result.code, result.stderr).toBe(0);
    report = backupReportSchema.parse(result.json());
    stderr = result.stderr;
  });

  test('the same name on another address is another source, unless a person says that it is the same', async () => {
    const elsewhere = database.url.replace('127.0.0.1', 'localhost');
    const refused = await made.run(['backup', '--database', elsewhere]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`on localhost:`);
    expect(refused.stderr).toContain('--source');
  });

  afterAll(() => database.drop());

  test('the report counts what is there', () => {
    expect(report).toMatchObject({ state: 'published', scope: 'full', tables: 3, rows: 5100 });
    expect(report.source.database).toBe(database.name);
    expect(report.source.name).toBe(database.name.replaceAll('_', '-'));
    expect(report.storedBytes).toBeGreaterThan(0);
    expect(report.manifest).toMatch(/manifest\.json$/);
  });

  test('progress is plain lines on stderr when nobody looks at a terminal', () => {
    expect(stderr).toMatch(/^dumping rows/m);
    expect(stderr).not.toContain('\u001b');
  });

  test('list shows it: as catalogue entry, and as a table', async () => {
    const entries = (await made.run(['list', '--json'])).json<CatalogueEntry[]>();
    expect(entries.map((entry) => catalogueEntrySchema.loose().parse(entry).backupId)).toEqual([
      report.backupId,
    ]);
    const { stdout } = await made.run(['list']);
    expect(stdout).toContain(report.backupId);
    expect(stdout).toMatch(/5,100/);
    expect((await made.run(['list', '--source', 'other', '--json'])).json()).toEqual([]);
  });

  test('show gives the signed manifest and its evidence; labels hold the git checkout', async () => {
    const shown = (await made.run(['show', '--json'])).json<{
      manifest: unknown;
      evidence: { kind: string }[];
    }>();
    const manifest = manifestSchema.parse(shown.manifest);
    expect(manifest.labels).toEqual({
      release: '1.2',
      'git.branch': 'topic',
      'git.commit': expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    expect(shown.evidence.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['verified', 'published']),
    );
    const { stdout } = await made.run(['show', report.backupId.slice(0, -3)]);
    expect(stdout).toMatch(/sales\.customer\s+table\s+5,000/);
    expect(stdout).toContain('signature is good');
  });

  test('verify finds it intact, quickly and fully', async () => {
    const full = await made.run(['verify', '--json']);
    expect(full.code).toBe(0);
    expect(verifyReportSchema.parse(full.json())).toMatchObject({
      verdict: 'intact',
      depth: 'full',
      problems: [],
    });
    const quick = await made.run(['verify', 'latest', '--quick', '--json']);
    expect(quick.json()).toMatchObject({ verdict: 'intact', depth: 'quick' });
    const since = await made.run(['verify', '--since', '1d', '--json']);
    expect(since.json()).toMatchObject({
      verdict: 'intact',
      backups: [{ backupId: report.backupId }],
    });
    const none = await made.run(['verify', '--since', '2099-01-01', '--json']);
    // Nothing looked at is not "intact": monitoring must not stay green over a lost catalogue.
    expect(none.code).toBe(1);
    expect(none.json()).toMatchObject({ error: { name: 'BackupNotFoundError' } });
  });

  test('a filtered backup says so everywhere, and is not "latest"', async () => {
    const args = [
      'backup',
      '--database',
      database.url,
      '--exclude-table-data',
      'audit',
      '--tier',
      'daily',
    ];
    const { code, stdout } = await made.run(args);
    expect(code).toBe(0);
    expect(stdout).toContain('PARTIAL');
    const [newest] = (await made.run(['list', '--json'])).json<CatalogueEntry[]>();
    expect(newest).toMatchObject({ scope: 'partial', tier: 'daily', rows: 5000 });
    const shown = await made.run(['show', newest?.backupId ?? '']);
    expect(shown.stdout).toMatch(/PARTIAL: --exclude-table-data audit/);
    expect((await made.run(['show', '--json'])).json()).toMatchObject({
      backupId: report.backupId,
    });
  });

  test('another database does not slip into the same source by its name alone', async () => {
    const source = report.source.name;
    const alike = source.toUpperCase();
    await database.query(`CREATE DATABASE "${alike}"`);
    try {
      const url = database.url.replace(database.name, alike);
      const refused = await made.run(['backup', '--database', url]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(/--source NAME/);
    } finally {
      await database.query(`DROP DATABASE "${alike}" WITH (FORCE)`);
    }
  });

  test('one changed byte: exit 3, and verify names object and table', async () => {
    const folder = join(made.vault, 'backups', report.source.name, report.backupId, 'data');
    const [name = ''] = await readdir(folder);
    const file = await open(join(folder, name), 'r+');
    await file.write(new Uint8Array([0xff, 0xff, 0xff]), 0, 3, 200);
    await file.close();
    const result = await made.run(['verify', report.backupId, '--json']);
    expect(result.code).toBe(3);
    const verdict = verifyReportSchema.parse(result.json());
    expect(verdict.verdict).toBe('damaged');
    expect(verdict.problems[0]).toMatchObject({ object: expect.stringContaining(name) });
    expect(verdict.problems[0]?.table).toMatch(/^(sales|public)\./);
    const text = await made.run(['verify', report.backupId]);
    expect(text.stdout).toMatch(/DAMAGED[\s\S]*object .*\n\s+table .*\n\s+what /);
    expect((await made.run(['list'])).stdout).toContain('DAMAGED');
    expect((await made.run(['verify', '--all', '--json'])).code).toBe(3);
  });
});
