import { beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../core/contract/manifest.ts';
import { writeEvidence } from '../../core/evidence/record.ts';
import { compareVersions } from '../../core/restore/preflight/extensions.ts';
import { databaseNamesOf } from '../../core/restore/preflight/names.ts';
import { sharedSettings, startServer } from '../support/postgres.ts';
import { roleOf } from '../support/role-of.ts';
import { sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import {
  bad,
  inputOf,
  only,
  type PreflightCase,
  preflightCase,
  withInventory,
} from './preflight-support.ts';

const folder = temporaryFolders();
let at: PreflightCase;
beforeAll(async () => {
  at = await preflightCase(await folder(), sharedSettings('postgres'));
});

const databaseOf = (change: Partial<Manifest['inventory']['database']>) =>
  withInventory(at.manifest, { database: { ...at.manifest.inventory.database, ...change } });

describe('where all is well', () => {
  it('every check is ok but for what nobody has looked at yet, and the names are said', async () => {
    const seen = await at.run({ roles: { noOwner: true } });
    expect(bad(seen).map(({ check }) => check)).toEqual(['backup-evidence']);
    expect(seen.workDatabase).toMatch(/^shop_restore_[a-z0-9]{6}$/);
    expect(seen).toMatchObject({ finalDatabase: seen.workDatabase, previousDatabase: null });
    expect(seen.server).toMatchObject({ host: '127.0.0.1', versionNum: expect.any(Number) });
    expect(seen.estimate.seconds).toBeGreaterThan(0);
    const stored = at.manifest.totals.storedBytes;
    expect(seen.estimate.readBytes).toBe(stored);
    expect(seen.items.every(({ message }) => message.length > 10)).toBe(true);
    expect(only(seen, 'disk-space').message).toMatch(/needed/);
  });
});

describe('the backup', () => {
  it('a partial one is a warning, one of rows alone cannot become a database', async () => {
    const partial: Manifest = { ...at.manifest, scope: 'partial' };
    expect(only(await at.run({}, { manifest: partial }), 'backup-whole').verdict).toBe('warning');
    const rows: Manifest = { ...partial, filters: { ...partial.filters, sections: 'data' } };
    expect(only(await at.run({}, { manifest: rows }), 'backup-whole').verdict).toBe('failed');
  });

  it('what the last look found is said', async () => {
    const sample = await sampleVault(await folder());
    const manifest = await sampleBackup(sample, { rows: 5 });
    const record = (kind: 'verified' | 'damaged', time: string) =>
      writeEvidence(
        { ...sample.deps, now: () => new Date(time) },
        {
          kind,
          source: 'shop',
          backupId: manifest.backupId,
          by: { user: 'me', host: 'here' },
          manifestSha256: '0'.repeat(64),
          facts: {},
        },
      );
    const look = async () =>
      only(await at.run({}, { manifest, deps: sample.deps }), 'backup-evidence');
    await record('verified', '2026-11-22T00:00:00Z');
    expect(await look()).toMatchObject({
      verdict: 'ok',
      message: expect.stringMatching(/verified on 2026-11-22/),
    });
    await record('damaged', '2026-11-23T00:00:00Z');
    expect(await look()).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/DAMAGED/),
    });
  });
});

describe('the server', () => {
  it('an older major than that of the backup is refused', async () => {
    const source = { ...at.manifest.source, serverVersionNum: 190001, serverVersion: '19.1' };
    const seen = await at.run({}, { manifest: { ...at.manifest, source } });
    expect(only(seen, 'server-version')).toMatchObject({
      verdict: 'failed',
      hint: expect.stringMatching(/19 or newer/),
    });
  });

  it('one that cannot be reached is one failed item beside those of the backup', async () => {
    const connection = { ...sharedSettings('postgres'), port: 1 };
    const seen = await at.run({}, { connection });
    expect(only(seen, 'server-reachable').verdict).toBe('failed');
    expect(only(seen, 'backup').verdict).toBe('ok');
    expect(seen.items.some(({ check }) => check === 'roles')).toBe(false);
    expect(seen.server).toEqual({ host: '127.0.0.1', port: 1, version: 'unknown', versionNum: 0 });
  });

  it('too few free connections say how many jobs would do', async () => {
    // Of its own: on the shared one the sessions of other tests come and go.
    const server = await startServer();
    try {
      const look = async (jobs: number) => {
        const connection = server.settings();
        return only(await at.run({ options: { jobs } }, { connection }), 'connections');
      };
      const item = await look(1000);
      expect(item.verdict).toBe('failed');
      const jobs = Number(/--jobs (\d+)/.exec(item.hint ?? '')?.[1]);
      expect((await look(jobs)).verdict).toBe('ok');
      expect((await look(jobs + 1)).verdict).toBe('failed');
    } finally {
      await server.stop();
    }
  });
});

describe('encoding, locale, collations', () => {
  it('an encoding that the server does not know', async () => {
    const seen = await at.run({}, { manifest: databaseOf({ encoding: 'EBCDIC' }) });
    expect(only(seen, 'encoding').verdict).toBe('failed');
  });

  it('a libc locale that the server does not have, and that the look leaves nothing behind', async () => {
    const missing = databaseOf({
      collate: 'xx_XX.utf8',
      ctype: 'xx_XX.utf8',
      localeProvider: 'libc',
    });
    const item = only(await at.run({}, { manifest: missing }), 'locale');
    expect(item).toMatchObject({
      verdict: 'failed',
      message: expect.stringMatching(/xx_XX\.utf8/),
      hint: expect.stringMatching(/locale-gen/),
    });
    const there = databaseOf({ collate: 'C', ctype: 'C', localeProvider: 'libc' });
    expect(only(await at.run({}, { manifest: there }), 'locale').verdict).toBe('ok');
  });

  it('an ICU locale is there; another version of the library is a warning', async () => {
    const icu = databaseOf({ localeProvider: 'icu', locale: 'de-DE' });
    expect(only(await at.run({}, { manifest: icu }), 'locale').verdict).toBe('ok');
    const version = { recordedVersion: '1.2', actualVersion: '1.2' };
    const collations = [{ schema: 'pg_catalog', name: 'default', provider: 'icu', ...version }];
    const older = withInventory(icu, { collations });
    const item = only(await at.run({}, { manifest: older }), 'locale');
    expect(item).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/it was 1\.2/),
    });
  });

  it('collations that columns name: missing ones fail, other versions warn', async () => {
    const named = (name: string, actualVersion: string | null) =>
      withInventory(at.manifest, {
        collations: [
          { schema: 'pg_catalog', name, provider: 'icu', recordedVersion: null, actualVersion },
        ],
      });
    const look = async (name: string, version: string | null) =>
      only(await at.run({}, { manifest: named(name, version) }), 'collations');
    expect(await look('xx-x-icu', null)).toMatchObject({
      verdict: 'failed',
      message: expect.stringMatching(/xx-x-icu/),
    });
    expect(await look('und-x-icu', null)).toMatchObject({ verdict: 'ok' });
    expect(await look('und-x-icu', '1.2')).toMatchObject({ verdict: 'warning' });
  });
});

describe('extensions', () => {
  const extension = (name: string, version: string) =>
    withInventory(at.manifest, {
      extensions: [{ name, version, schema: 'public', isTrusted: true }],
    });

  it('one that the server does not have, and one that it has in an older version', async () => {
    const missing = await at.run({}, { manifest: extension('no_such_extension', '1.0') });
    expect(only(missing, 'extensions')).toMatchObject({
      verdict: 'failed',
      message: expect.stringMatching(/no_such_extension 1\.0/),
    });
    const older = await at.run({}, { manifest: extension('plpgsql', '99.0') });
    // It is in template0 and comes with the server.
    expect(only(older, 'extensions').verdict).toBe('ok');
  });

  it('versions are compared by their numbers', () => {
    expect(compareVersions('1.10', '1.9')).toBeGreaterThan(0);
    expect(compareVersions('1.1', '1.1.0')).toBe(0);
    expect(compareVersions('3.4.0dev', '3.4.1')).toBeLessThan(0);
  });
});

describe('roles', () => {
  const withRoles = (...names: string[]) =>
    withInventory(at.manifest, { roles: names.map((name) => roleOf(name)) });
  const look = async (roles: object, ...names: string[]) =>
    (await at.run({ roles }, { manifest: withRoles(...names) })).items.filter(
      ({ check }) => check === 'roles',
    );

  it('every missing one is named, with the ways out', async () => {
    const [item] = await look({}, 'postgres', 'pf_gone', 'pf_lost');
    expect(item).toMatchObject({
      verdict: 'failed',
      message: expect.stringMatching(/2 roles.*pf_gone, pf_lost/),
    });
    for (const way of ['--create-missing-roles', '--role-map', '--no-owner', '--no-privileges']) {
      expect(item?.hint).toContain(way);
    }
  });

  it('each way out is one', async () => {
    expect(await look({ createMissing: true }, 'pf_gone')).toMatchObject([{ verdict: 'ok' }]);
    expect(await look({ map: { pf_gone: 'postgres' } }, 'pf_gone')).toMatchObject([
      { verdict: 'ok' },
    ]);
    // The definitions of this backup name no role at all.
    expect(await look({ noOwner: true }, 'pf_gone')).toMatchObject([
      { verdict: 'ok', message: expect.stringContaining('pf_gone') },
    ]);
  });

  it('a map to a role that is not there fails; a map of a role that nobody needs is a warning', async () => {
    const items = await look({ map: { pf_gone: 'pf_nowhere', pf_typo: 'postgres' } }, 'pf_gone');
    expect(items).toMatchObject([
      { verdict: 'failed', message: expect.stringMatching(/pf_gone=pf_nowhere/) },
      { verdict: 'warning', message: expect.stringMatching(/pf_typo/) },
    ]);
  });
});

describe('what was asked for', () => {
  it('tables chosen for a whole database, and patterns that match nothing', async () => {
    const whole = await at.run({ selection: { tables: ['orders'] } });
    expect(only(whole, 'selection')).toMatchObject({
      verdict: 'failed',
      hint: expect.stringMatching(/--mode into/),
    });
    const into = { mode: 'into', database: 'postgres' };
    const nothing = await at.run({ ...into, selection: { tables: ['shop.ordres'] } });
    expect(only(nothing, 'selection')).toMatchObject({
      verdict: 'failed',
      message: expect.stringMatching(/ordres/),
    });
    // One mistake is told once, however many checks stumble over it.
    expect(nothing.items.filter(({ message }) => message.includes('ordres'))).toHaveLength(1);
    const part = await at.run({ ...into, selection: { tables: ['shop.clients'] } });
    expect(only(part, 'selection').verdict).toBe('ok');
    expect(part.estimate.readBytes).toBeLessThan(at.manifest.totals.storedBytes);
  });

  it('commands where there is no shell', async () => {
    const request = { checks: [{ name: 'app', command: 'true' }], hooks: { afterCutover: 'true' } };
    expect(only(await at.run(request), 'commands')).toMatchObject({
      verdict: 'failed',
      message: expect.stringMatching(/check app, afterCutover/),
    });
    const runCommand = async () => ({ exitCode: 0, output: '' });
    const seen = await at.run(request, { deps: { runCommand } });
    expect(only(seen, 'commands').verdict).toBe('ok');
  });
});

describe('names', () => {
  const id = '20261121t070000z-0123abcd';

  it('are never longer than the server keeps, and are cut between characters', () => {
    const long = databaseOf({ name: 'ü'.repeat(40) });
    const { workDatabase, previousDatabase } = databaseNamesOf(
      inputOf({ mode: 'swap', database: '🐘'.repeat(15) }),
      long,
      id,
    );
    for (const name of [workDatabase, previousDatabase ?? '']) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      expect(name.isWellFormed()).toBe(true);
    }
    expect(previousDatabase).toMatch(/^🐘+_before_0123abcd$/u);
    expect(databaseNamesOf(inputOf(), long, id).workDatabase).toMatch(/^ü+_restore_[a-z0-9]{6}$/);
  });

  it('a new database that was given a name is worked on under another one, which tells long names apart', () => {
    const names = (database: string) => databaseNamesOf(inputOf({ database }), at.manifest, id);
    expect(names('shop')).toMatchObject({ finalDatabase: 'shop', previousDatabase: null });
    expect(names('shop').workDatabase).toMatch(/^shop_restore_[a-z0-9]{6}$/);
    const long = [`${'x'.repeat(62)}1`, `${'x'.repeat(62)}2`, `${'x'.repeat(48)}_restore_k3x9qa`];
    const working = long.map((name) => names(name).workDatabase);
    expect(new Set([...working, ...long]).size).toBe(6);
    for (const name of working) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
  });

  it('a name of more bytes is refused', async () => {
    const item = only(await at.run({ database: 'x'.repeat(64) }), 'name-free');
    expect(item).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/64 bytes/) });
  });
});
