import pg from 'pg';
import { expect, test, vi } from 'vitest';
import type { BackupReport, CatalogueEntry } from '../../core/contract/catalogue.ts';
import { makeCliVault } from '../support/cli-vault.ts';
import { startServer } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 180_000 });

const folders = temporaryFolders();

interface SetReport {
  readonly setId: string;
  readonly backups: BackupReport[];
  readonly failed: { database: string; error: { name: string } }[];
}

test('--all-databases: each database one backup of its own under one set id, templates left out', async () => {
  const server = await startServer();
  try {
    const client = new pg.Client({ connectionString: server.url() });
    await client.connect();
    await client.query('CREATE DATABASE "Shop"');
    await client.query('CREATE DATABASE closed ALLOW_CONNECTIONS false');
    await client.end();
    const made = await makeCliVault(await folders());
    const result = await made.run([
      'backup',
      '--all-databases',
      '--database',
      server.url(),
      '--json',
    ]);
    expect(result.code, result.stderr).toBe(0);
    const { setId, backups, failed } = result.json<SetReport>();
    expect(backups.map(({ source }) => source.database).sort()).toEqual(['Shop', 'postgres']);
    expect(failed).toEqual([]);
    const entries = (await made.run(['list', '--json'])).json<CatalogueEntry[]>();
    expect(new Set(entries.map((entry) => entry.setId))).toEqual(new Set([setId]));
  } finally {
    await server.stop();
  }
});
