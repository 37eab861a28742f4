import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createKeyFile, defaultKeyFilePath, loadKeyFile } from '../../local/keyring/key-file.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
const named = (name: string) => expect.objectContaining({ name });

it('makes a file that only its owner can read, in a folder of the same kind', async () => {
  const path = join(await folder(), 'holdfast', 'keys', 'v.json');
  const made = await createKeyFile(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700);
  const loaded = await loadKeyFile(path);
  expect(loaded.encryptionKeyId).toBe(made.encryptionKeyId);
  expect(loaded.encryptionKeyId).toMatch(/^aes256-[0-9a-f]{16}$/);
  expect(loaded.signingKeyId).toMatch(/^ed25519-[0-9a-f]{16}$/);
  expect(Buffer.from(loaded.encryptionKey).equals(made.encryptionKey)).toBe(true);
});

it('never overwrites a file', async () => {
  const path = join(await folder(), 'key.json');
  await createKeyFile(path);
  const before = await readFile(path, 'utf8');
  await expect(createKeyFile(path)).rejects.toEqual(named('UsageError'));
  expect(await readFile(path, 'utf8')).toBe(before);
});

it('says that the file is missing', async () => {
  await expect(loadKeyFile(join(await folder(), 'no.json'))).rejects.toEqual(
    named('KeyFileMissingError'),
  );
});

it.each([0o640, 0o604, 0o660, 0o610])('refuses a file with mode %o', async (mode) => {
  const path = join(await folder(), 'key.json');
  await createKeyFile(path);
  await chmod(path, mode);
  await expect(loadKeyFile(path)).rejects.toEqual(named('KeyFileInsecureError'));
  await chmod(path, 0o400);
  await loadKeyFile(path);
});

it('notices that a key in the file was exchanged', async () => {
  const path = join(await folder(), 'key.json');
  const other = join(await folder(), 'key.json');
  await createKeyFile(path);
  await createKeyFile(other);
  const ours = JSON.parse(await readFile(path, 'utf8'));
  const theirs = JSON.parse(await readFile(other, 'utf8'));
  for (const altered of [
    { ...ours, encryption: { ...ours.encryption, key: theirs.encryption.key } },
    { ...ours, encryption: { ...ours.encryption, key: ours.encryption.key.slice(4) } },
    { ...ours, signing: { ...ours.signing, privateKey: theirs.signing.privateKey } },
    { ...ours, signing: { ...ours.signing, privateKey: 'none' } },
  ]) {
    await writeFile(path, JSON.stringify(altered));
    await expect(loadKeyFile(path)).rejects.toEqual(named('KeyMismatchError'));
  }
});

it('says of another file that it is no key file, and quotes nothing of it', async () => {
  const path = join(await folder(), 'key.json');
  for (const content of ['{"password": "s3cret"}', 's3cret', '']) {
    await writeFile(path, content, { mode: 0o600 });
    const error = await loadKeyFile(path).catch((e: unknown) => e as Error & { cause?: unknown });
    expect(error).toEqual(named('ConfigurationError'));
    expect(`${(error as Error).message} ${(error as Error).cause}`).not.toContain('s3cret');
  }
});

it('says that the key file cannot be written', async () => {
  const inTheWay = join(await folder(), 'file');
  await writeFile(inTheWay, '');
  await expect(createKeyFile(join(inTheWay, 'key.json'))).rejects.toEqual(
    named('ConfigurationError'),
  );
  const taken = join(await folder(), 'folder');
  await mkdir(taken);
  await expect(createKeyFile(taken)).rejects.toEqual(named('UsageError'));
});

it('finds the usual place from the environment that it is given', () => {
  expect(defaultKeyFilePath('v-1', { HOME: '/home/me' })).toBe(
    '/home/me/.config/holdfast/keys/v-1.json',
  );
  expect(defaultKeyFilePath('v-1', { HOME: '/home/me', XDG_CONFIG_HOME: '/cfg' })).toBe(
    '/cfg/holdfast/keys/v-1.json',
  );
  // The XDG specification: a relative path is to be ignored.
  expect(defaultKeyFilePath('v-1', { HOME: '/home/me', XDG_CONFIG_HOME: 'cfg' })).toBe(
    '/home/me/.config/holdfast/keys/v-1.json',
  );
  expect(() => defaultKeyFilePath('v-1', {})).toThrow(named('ConfigurationError'));
});
