/**
 * A database made of everything, backed up and restored by the product on another server: the same major, and upgrades.
 * Judges: Holdfast's own comparison, pg_dump's text of both sides, and the pg_dump of this machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { initVault } from '../../local/vault/open-vault.ts';
import { backup, compare, live, unexpected } from '../compare/support.ts';
import { everything, everythingOfDatabase } from '../support/everything.ts';
import { databaseOn, startServer, type TestDatabase } from '../support/postgres.ts';
import { changedLines, columnsOfChildren, printedByNewer } from './changed-lines.ts';
import { nativeDump, needNativePgDump } from './native-pg-dump.ts';
import { settingsOn, textOf } from './plain-text.ts';

const requestedBy = { user: 'test', host: 'test' };

describe.each([
  [14, [14, 18]],
  [15, [15, 17]],
  [16, [16]],
  [17, [17]],
  [18, [18]],
])('everything on PostgreSQL %i', (major, targets) => {
  let server: EmbeddedServer;
  let source: TestDatabase;
  let folder: string;
  let vault: { vaultDirectory: string; keyFile: string };
  let backupId: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-everything-'));
    vault = { vaultDirectory: join(folder, 'vault'), keyFile: join(folder, 'key.json') };
    await initVault(vault.vaultDirectory, { keyFile: vault.keyFile });
    server = await startServer({ major });
    source = await databaseOn(server, 'everything');
    await source.query(everything(major));
    await source.query(everythingOfDatabase('everything', major));
    // Small units, so that tables are really read and loaded in pieces.
    const report = await runBackup({
      ...vault,
      connection: source.settings,
      input: { source: 'everything', options: { chunkBytes: 1 << 14 }, requestedBy },
      jobs: 2,
    });
    expect(report).toMatchObject({ state: 'published', scope: 'full' });
    backupId = report.backupId;
  });

  afterAll(async () => {
    await source?.client.end();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(targets)('restored on %i', (targetMajor) => {
    let other: EmbeddedServer;
    let report: RestoreReport;

    beforeAll(async () => {
      other = await startServer({ major: targetMajor });
      report = await runRestore({
        ...vault,
        connection: other.settings(),
        input: { target: 'other', roles: { createMissing: true }, requestedBy },
        jobs: 2,
      });
    });
    afterAll(() => other?.stop());

    test('is identical, says the restore', () => {
      expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', error: null });
      expect(report.differences.filter(({ isExpected }) => !isExpected)).toEqual([]);
    });

    test('is identical to the backup and to the source, with database settings and all', async () => {
      const { deps } = await openLocalDeps({ ...vault, connection: source.settings });
      const { manifest } = await loadManifest(deps, 'everything', backupId);
      const target = { settings: settingsOn(other, report.database) };
      expect(unexpected(await compare(backup(deps, manifest), live(target)))).toEqual([]);
      expect(unexpected(await compare(live(source), live(target)))).toEqual([
        'validity index ev.invalid_one',
      ]);
    });

    test('has the same text by pg_dump, but for what the newer major prints differently', async () => {
      const [before, after] = [
        await textOf(settingsOn(server, 'everything')),
        await textOf(settingsOn(other, report.database)),
      ];
      expect(changedLines(before, after)).toEqual(printedByNewer(major, targetMajor));
    });

    test('has the same text by the pg_dump of this machine', ({ skip }) => {
      needNativePgDump(Math.max(major, targetMajor), skip);
      const [before, after] = [server.url('everything'), other.url(report.database ?? '')].map(
        (url) => nativeDump(url, '--encoding=UTF8'),
      );
      expect(changedLines(before ?? '', after ?? '')).toEqual(columnsOfChildren);
    });
  });
});
