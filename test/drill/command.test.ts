import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../core/contract/manifest.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { damageOneByte } from '../../local/demo/damage.ts';
import { type CliVault, makeCliVault } from '../support/cli-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();

describe('drill and report', () => {
  let database: TestDatabase;
  let vault: CliVault;
  let drill: RestoreReport;
  let target: readonly string[];

  beforeAll(async () => {
    database = await testDatabase('drill_command');
    await database.query('CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id');
    vault = await makeCliVault(await folders());
    const backup = await vault.run(['backup', '--source', 'shop', '--database', database.url]);
    expect(backup.code, backup.stderr).toBe(0);
    target = ['--target', database.url];
    const result = await vault.run(['drill', ...target, '--rto', '1h', '--rpo', '1h', '--json']);
    expect(result.code, result.stderr).toBe(0);
    drill = result.json<RestoreReport>();
  }, 180_000);

  afterAll(() => database.drop());

  test('drill --json is the report of a backup that is proven', () => {
    expect(drill).toMatchObject({
      kind: 'drill',
      state: 'succeeded',
      verdict: 'identical',
      rows: 1000,
      objectives: { rtoSeconds: 3600, rpoSeconds: 3600 },
    });
  });

  test('list and show tell that it is proven, and when', async () => {
    const { stdout } = await vault.run(['list']);
    expect(stdout).toMatch(/LAST LOOK +PROVEN\n.* proven +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/);
    const [entry] = (await vault.run(['list', '--json'])).json<{ provenAt: string }[]>();
    expect(Date.parse(entry?.provenAt ?? '')).toBeGreaterThan(Date.parse(drill.startedAt) - 1000);
    const shown = (await vault.run(['show'])).stdout;
    expect(shown).toMatch(/^Proven +\d{4}-.*by a restore that came back identical/m);
    expect(shown).toMatch(/proven {2}by .*: restored in .*, 1,000 rows identical/);
  });

  test('report lists the recoveries; the restore within a drill is not told twice', async () => {
    const { stdout } = await vault.run(['report']);
    expect(stdout.split('\n').filter((line) => line.includes(drill.runId))).toHaveLength(1);
    expect((await vault.run(['report', '--json'])).json<{ runId: string }[]>()).toMatchObject([
      { runId: drill.runId, kind: 'drill' },
    ]);
  });

  test('report of one: in words, as JSON, its path, and a copy of its page', async () => {
    const words = (await vault.run(['report', 'latest'])).stdout;
    expect(words).toContain('The backup is proven');
    expect(words).toContain(`Report: ${drill.page}`);
    expect((await vault.run(['report', drill.runId.slice(0, 20), '--json'])).json()).toEqual(drill);
    expect((await vault.run(['report', 'latest', '--open-path'])).stdout).toBe(`${drill.page}\n`);
    const copy = join(vault.folder, 'copy.html');
    expect((await vault.run(['report', 'latest', '--html', copy])).code).toBe(0);
    expect(await readFile(copy, 'utf8')).toBe(await readFile(drill.page as string, 'utf8'));
  });

  test.each([
    [['report', 'nosuch'], /no report of a run "nosuch"[\s\S]*holdfast report/],
    [['report', '../../../etc/passwd'], /no report of a run/],
    [['report', '--open-path'], /No run was named/],
    [['report', 'latest', '--html', '/nosuch/x.html'], /cannot be written \(ENOENT\)/],
  ])('holdfast %j is wrong use', async (args, message) => {
    const result = await vault.run(args);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(2);
  });

  test('a check that fails is no verdict on the backup: exit code 1, and the report says what it gave', async () => {
    const result = await vault.run([
      'drill',
      ...target,
      '--check',
      'many=SELECT count(*) > 5000 FROM public.kept',
    ]);
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('no verdict on the backup');
    expect(result.stdout).toContain('Check many: expected t, got f');
    expect((await vault.run(['list'])).stdout).toMatch(/ proven +\d{4}/);
  });

  test('a damaged backup: exit code 3, and the list says so', async () => {
    const { manifest } = (await vault.run(['show', '--json'])).json<{ manifest: Manifest }>();
    await damageOneByte(vault.vault, manifest);
    const result = await vault.run(['drill', ...target, '--json']);
    expect(result.code).toBe(3);
    expect(result.json()).toMatchObject({ kind: 'drill', state: 'failed', database: null });
    expect((await vault.run(['list'])).stdout).toContain('DAMAGED');
    expect((await vault.run(['show'])).stdout).toMatch(/^Proven +NO: found DAMAGED/m);
  });
});
