import {
  chmod,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createKeyFile } from '../../local/keyring/key-file.ts';
import { initVault, openVault } from '../../local/vault/open-vault.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
const named = (name: string) => expect.objectContaining({ name });

it('makes a vault and its key, and opens it again', async () => {
  const base = await folder();
  const root = join(base, 'deep', 'vault');
  const made = await initVault(root, { keyFile: (id) => join(base, 'keys', `${id}.json`) });
  expect(made.marker.vaultId).toMatch(/^v-[a-z2-7]{16}$/);
  expect(made.keyFile).toBe(join(base, 'keys', `${made.marker.vaultId}.json`));
  expect((await stat(made.keyFile)).mode & 0o777).toBe(0o600);
  expect((await stat(root)).mode & 0o777).toBe(0o700);
  const opened = await openVault(root);
  expect(opened.marker).toEqual(made.marker);
  expect(opened.workspace.location).toBe(join(root, 'workspace'));
  expect(await readFile(join(root, 'vault.json'), 'utf8')).not.toContain('"key"');
});

it('takes an empty folder and makes it private', async () => {
  const base = await folder();
  const root = join(base, 'vault');
  await mkdir(join(root, 'lost+found'), { recursive: true });
  await chmod(root, 0o755);
  await initVault(root, { keyFile: join(base, 'key.json') });
  expect((await stat(root)).mode & 0o777).toBe(0o700);
});

it('uses a key file that is there and leaves it as it is', async () => {
  const base = await folder();
  const key = await createKeyFile(join(base, 'key.json'));
  const before = await readFile(key.path, 'utf8');
  const { marker } = await initVault(join(base, 'vault'), { keyFile: key.path });
  expect(marker.encryptionKeyId).toBe(key.encryptionKeyId);
  expect(marker.signingKeyId).toBe(key.signingKeyId);
  expect(await readFile(key.path, 'utf8')).toBe(before);
});

it('refuses to begin twice', async () => {
  const base = await folder();
  const options = { keyFile: join(base, 'key.json') };
  const { marker } = await initVault(join(base, 'vault'), options);
  await expect(initVault(join(base, 'vault'), options)).rejects.toEqual(named('UsageError'));
  expect((await openVault(join(base, 'vault'))).marker).toEqual(marker);
});

it('refuses a folder that has something else in it, and makes no key then', async () => {
  const base = await folder();
  await mkdir(join(base, 'photos'));
  await writeFile(join(base, 'photos', 'cat.jpg'), '');
  await expect(
    initVault(join(base, 'photos'), { keyFile: join(base, 'key.json') }),
  ).rejects.toThrow('cat.jpg');
  expect(await readdir(base)).toEqual(['photos']);
  expect(await readdir(join(base, 'photos'))).toEqual(['cat.jpg']);
});

it('refuses to keep the key inside the vault', async () => {
  const root = join(await folder(), 'vault');
  for (const name of ['key.json', 'workspace/key.json']) {
    await expect(initVault(root, { keyFile: join(root, name) })).rejects.toEqual(
      named('UsageError'),
    );
  }
  const beside = join(root, '..', 'vault-key.json');
  await initVault(root, { keyFile: beside });
});

it('sees through names and links which key files lie inside the vault', async () => {
  const base = await folder();
  const root = join(base, 'vault');
  await mkdir(root);
  await symlink(root, join(base, 'elsewhere'));
  for (const keyFile of [join(root, '..keys.json'), join(base, 'elsewhere', 'key.json')]) {
    await expect(initVault(root, { keyFile })).rejects.toEqual(named('UsageError'));
  }
});

it('refuses a key file that others can read', async () => {
  const base = await folder();
  const key = await createKeyFile(join(base, 'key.json'));
  await chmod(key.path, 0o644);
  await expect(initVault(join(base, 'vault'), { keyFile: key.path })).rejects.toEqual(
    named('KeyFileInsecureError'),
  );
  await expect(openVault(join(base, 'vault'))).rejects.toEqual(named('VaultNotFoundError'));
});

it('says of anything else that it is no vault', async () => {
  const base = await folder();
  await expect(openVault(join(base, 'nothing'))).rejects.toEqual(named('VaultNotFoundError'));
  await expect(openVault(base)).rejects.toEqual(named('VaultNotFoundError'));
  await writeFile(join(base, 'vault.json'), '{"format": "something else"}');
  await expect(openVault(base)).rejects.toEqual(named('VaultNotFoundError'));
  await expect(openVault(join(base, 'vault.json'))).rejects.toEqual(named('VaultNotFoundError'));
});

it('sweeps what a killed process left behind long ago, and nothing younger', async () => {
  const base = await folder();
  const { root } = await initVault(join(base, 'vault'), { keyFile: join(base, 'key.json') });
  for (const name of ['old', 'young']) await writeFile(join(root, '.tmp', name), '');
  const twoDaysAgo = new Date(Date.now() - 48 * 3600 * 1000);
  await utimes(join(root, '.tmp', 'old'), twoDaysAgo, twoDaysAgo);
  await openVault(root);
  expect(await readdir(join(root, '.tmp'))).toEqual(['young']);
});
