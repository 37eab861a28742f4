/** Bad input: a backup that is not there, was never finished, or cannot be trusted. Nothing is begun. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vaultKeys } from '../../core/vault/keys.ts';
import { initVault } from '../../local/vault/open-vault.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { expectRefused, vaultOf, whileDamaged } from './bad-input.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';

const folders = temporaryFolders();
let harness: RestoreHarness;
beforeAll(async () => {
  harness = await makeRestoreHarness('bad_backup', async (database) => {
    await database.query('CREATE TABLE one AS SELECT 1 AS a');
  });
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** A real backup that ends when it comes to `state`; its objects stay in the vault. */
async function endedIn(state: 'Seal' | 'Publish'): Promise<string> {
  const { source } = harness;
  const before = await vaultOf(source.vaultDirectory);
  await source
    .runHere(async (name, _input, call) => {
      if (name === state) throw new Error('The power is gone.');
      return call();
    })
    .catch(() => undefined);
  const added = [...(await vaultOf(source.vaultDirectory)).keys()].filter(
    (key) => !before.has(key),
  );
  const ids = new Set(added.flatMap((key) => /^backups\/shop\/([^/]+)\//.exec(key)?.[1] ?? []));
  expect(ids.size).toBe(1);
  return [...ids][0] as string;
}

describe('a restore of a backup', { timeout: 180_000 }, () => {
  it('that is not there names those that are', async () => {
    await expectRefused(
      harness,
      { choice: { backup: 'shop-20200101T000000Z-000000' } },
      {
        name: 'BackupNotFoundError',
        message: /shop-20200101T000000Z-000000/,
        hint: new RegExp(`${harness.backupId}|holdfast list`),
        isBegun: false,
      },
    );
  });

  it.each([
    ['a time before the first one', { at: '2020-01-01T00:00:00Z' }, /2020-01-01/],
    ['labels that none has', { labels: { release: 'none' } }, /release=none/],
    ['a source that the vault does not know', { source: 'nowhere' }, /nowhere/],
  ])('by %s names what there is', async (_, choice, message) => {
    await expectRefused(
      harness,
      { choice },
      {
        ...{ name: 'BackupNotFoundError', message, isBegun: false },
        hint: /There is: .*holdfast list|take a backup first/,
      },
    );
  });

  it('that was never sealed says so, and "latest" does not mean it', async () => {
    const backupId = await endedIn('Seal');
    await expectRefused(
      harness,
      { choice: { backup: backupId } },
      {
        ...{ name: 'BackupNotFoundError', message: /is unsealed/, isBegun: false },
        hint: new RegExp(`cannot be restored.*(${harness.backupId}|holdfast list)`),
      },
    );
    const { backupId: latest } = await harness.restore({ dryRun: true });
    expect(latest).toBe(harness.backupId);
  });

  it('that was sealed and never published says so, and "latest" does not mean it', async () => {
    const backupId = await endedIn('Publish');
    await expectRefused(
      harness,
      { choice: { backup: backupId } },
      {
        ...{ name: 'BackupNotFoundError', message: /sealed and never published/, isBegun: false },
        hint: new RegExp(`cannot be restored.*(${harness.backupId}|holdfast list)`),
      },
    );
    const { backupId: latest } = await harness.restore({ dryRun: true });
    expect(latest).toBe(harness.backupId);
  });
});

describe('a restore of a manifest', { timeout: 180_000 }, () => {
  const manifest = () => vaultKeys.manifest('shop', harness.backupId);
  const signature = () => vaultKeys.signature('shop', harness.backupId);
  const distrust = { name: 'SignatureInvalidError', hint: /Do not trust/, isBegun: false } as const;

  it('that has one more space is refused', async () => {
    await whileDamaged(
      harness,
      async ({ read, write }) => {
        const text = (await read(manifest())).toString();
        await write(manifest(), Buffer.from(text.replace('"rows":', '"rows": ')));
      },
      () => expectRefused(harness, {}, { ...distrust, message: /signature/ }),
    );
  });

  it('whose signature has one other bit is refused', async () => {
    await whileDamaged(
      harness,
      async ({ read, write }) => {
        const parsed = JSON.parse((await read(signature())).toString()) as { signature: string };
        const bytes = Buffer.from(parsed.signature, 'base64');
        bytes[10] = (bytes[10] ?? 0) ^ 1;
        const forged = JSON.stringify({ ...parsed, signature: bytes.toString('base64') });
        await write(signature(), Buffer.from(forged));
      },
      () => expectRefused(harness, {}, { ...distrust, message: /signature/ }),
    );
  });

  it('whose signature was taken away is refused', async () => {
    await whileDamaged(
      harness,
      ({ write }) => write(signature(), undefined),
      () => expectRefused(harness, {}, { ...distrust, message: /manifest\.sig is missing/ }),
    );
  });

  it('whose signature is noise is refused', async () => {
    await whileDamaged(
      harness,
      ({ write }) => write(signature(), randomBytes(200)),
      () =>
        expectRefused(
          harness,
          {},
          {
            ...distrust,
            name: /^(SignatureInvalid|ManifestInvalid)Error$/,
            message: /manifest\.sig/,
          },
        ),
    );
  });

  it('that was taken away is no backup any more', async () => {
    await whileDamaged(
      harness,
      ({ write }) => write(manifest(), undefined),
      () =>
        expectRefused(
          harness,
          {},
          {
            ...{ name: 'BackupNotFoundError', message: /no manifest/, isBegun: false },
            hint: /holdfast list/,
          },
        ),
    );
  });
});

describe('a restore with a key file', { timeout: 180_000 }, () => {
  it('of another vault is refused by the ids of the keys', async () => {
    const folder = await folders();
    const keyFile = join(folder, 'other.json');
    await initVault(join(folder, 'other'), { keyFile });
    await expectRefused(
      harness,
      {},
      {
        ...{ name: 'KeyMismatchError', message: /[0-9a-f]{8}/, isBegun: false },
        hint: /the key file, with th/,
      },
      { keyFile },
    );
  });

  it('that is not there is refused', async () => {
    const keyFile = join(await folders(), 'gone.json');
    await rm(keyFile, { force: true });
    await expectRefused(
      harness,
      {},
      {
        ...{ name: 'KeyFileMissingError', message: /gone\.json/, isBegun: false },
        hint: /--key FILE/,
      },
      { keyFile },
    );
  });
});
