import { chmod, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { compareSides } from '../../core/compare/compare-sides.ts';
import { openLiveSide } from '../../core/compare/live-side.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { currentFormat, decodeManifest } from '../../core/verify/manifest-formats.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 120_000 });

const folders = temporaryFolders();
const frozen = new URL('../fixtures/vault-v1/', import.meta.url);

/** git keeps no modes, and a restore writes its run into the vault's folder. */
async function thaw() {
  const folder = await folders();
  await cp(frozen, folder, { recursive: true });
  const keyFile = join(folder, 'key.json');
  await chmod(keyFile, 0o600);
  return { vaultDirectory: join(folder, 'vault'), keyFile };
}

it('the vault of format 1 restores, identical to what its source was made of', async () => {
  const sql = await readFile(new URL('source.sql', frozen), 'utf8');
  await using source = await testDatabase('frozen_source');
  await source.client.query(sql);
  const database = `${source.name}_restored`;
  try {
    const report = await runRestore({
      ...(await thaw()),
      connection: { ...source.settings, database: 'postgres' },
      jobs: 2,
      input: { target: 'target', database, requestedBy: { user: 'tester', host: 'here' } },
    });
    expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', rows: 2_503 });
    const sides = await Promise.all(
      [source.name, database].map((name) =>
        openLiveSide(
          { ...source.settings, database: name },
          { applicationName: 'frozen', jobs: 2 },
        ),
      ),
    );
    const [left, right] = sides as [(typeof sides)[0], (typeof sides)[0]];
    const { differences, tables } = await compareSides(left, right, { withKeys: true });
    await Promise.all(sides.map((side) => side.close()));
    // The frozen database was made with another locale, and is of another name.
    const content = differences.filter(({ isExpected, kind }) => !isExpected && kind !== 'setting');
    expect(content).toEqual([]);
    expect(tables.length).toBeGreaterThanOrEqual(4);
  } finally {
    await source.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  }
});

it('a manifest of a format that is not known yet is refused with what to do', async () => {
  const body = Buffer.from(JSON.stringify({ formatVersion: currentFormat + 1 }));
  expect(() => decodeManifest(body, vaultKeys.manifest('s', 'b'))).toThrow(
    expect.objectContaining({
      name: 'ManifestInvalidError',
      message: expect.stringContaining('this Holdfast reads formats 1 to'),
      hint: expect.stringContaining('Upgrade Holdfast'),
    }),
  );
});

it('the frozen manifest is what its reader was made for', async () => {
  const { vaultDirectory } = await thaw();
  const id = 'frozen-20261121T083121Z-scf374';
  const path = join(vaultDirectory, vaultKeys.manifest('frozen', id));
  const manifest = decodeManifest(await readFile(path), path);
  expect(manifest).toMatchObject({ formatVersion: 1, backupId: id, totals: { rows: 2_503 } });
  const bad = JSON.parse(await readFile(path, 'utf8'));
  delete bad.tables;
  await writeFile(path, JSON.stringify(bad));
  const body = await readFile(path);
  expect(() => decodeManifest(body, path)).toThrow('tables');
});
