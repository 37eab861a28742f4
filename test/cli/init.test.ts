import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { makeCliVault } from '../support/cli-vault.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();

test('init makes a vault and a key apart from it, says where the key is and what to type next', async () => {
  const home = await folders();
  const vault = join(home, 'backups');
  const { code, stdout } = await holdfast(['init', '--vault', vault], { env: { HOME: home } });
  expect(code).toBe(0);
  const keyFile = /^Its key is in\s+(\S+)$/m.exec(stdout)?.[1] ?? '';
  expect(keyFile.startsWith(join(home, '.config/holdfast/keys/'))).toBe(true);
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  expect((await stat(vault)).mode & 0o777).toBe(0o700);
  expect(stdout).toMatch(/copy of this key file somewhere else/);
  expect(stdout).toContain(`holdfast backup --vault ${vault} --database`);
});

test('init --json tells vault, key file and key ids', async () => {
  const home = await folders();
  const args = ['init', '--vault', join(home, 'v'), '--key', join(home, 'k.json'), '--json'];
  const result = await holdfast(args, { env: { HOME: home } });
  expect(result.json()).toEqual({
    vault: join(home, 'v'),
    vaultId: expect.stringMatching(/^v-/),
    keyFile: join(home, 'k.json'),
    encryptionKeyId: expect.stringMatching(/^aes256-/),
    signingKeyId: expect.stringMatching(/^ed25519-/),
  });
});

test('init never takes over a folder that has something in it, nor a vault', async () => {
  const home = await folders();
  const vault = join(home, 'v');
  await mkdir(vault);
  await writeFile(join(vault, 'precious.txt'), 'mine');
  const env = { HOME: home };
  const full = await holdfast(['init', '--vault', vault], { env });
  expect(full.code).toBe(2);
  expect(full.stderr).toContain('precious.txt');
  const again = await makeCliVault(await folders()).then((made) => made.run(['init']));
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/is a vault already/);
});

test('list on a new vault is empty, as text and as JSON', async () => {
  const made = await makeCliVault(await folders());
  expect((await made.run(['list'])).stdout).toMatch(/no backup/);
  expect((await made.run(['list', '--json'])).json()).toEqual([]);
  expect((await made.run(['list', '--failed', '--json'])).json()).toEqual([]);
});

test('verify and show in an empty vault: exit 1 and what to do', async () => {
  const made = await makeCliVault(await folders());
  for (const command of ['verify', 'show']) {
    const { code, stdout, stderr } = await made.run([command, 'latest']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/BackupNotFoundError[\s\S]*take a backup first/);
  }
});

test('verify of all backups of an empty vault has verified nothing, and does not call that intact', async () => {
  const made = await makeCliVault(await folders());
  const { code, json } = await made.run(['verify', '--all', '--json']);
  expect(code).toBe(1);
  expect(json()).toMatchObject({ error: { name: 'BackupNotFoundError' } });
});

test('a key file of another vault, a lost one and one that others can read are refused by name', async () => {
  const made = await makeCliVault(await folders());
  const other = await makeCliVault(await folders());
  const wrong = await made.run(['show', '--key', other.keyFile]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/^KeyMismatchError: .*aes256-/);
  const lost = await made.run(['show', '--key', join(made.folder, 'lost.json')]);
  expect(lost.stderr).toMatch(/^KeyFileMissingError: .*lost\.json[\s\S]*--key FILE/);
  const loose = join(made.folder, 'loose.json');
  await writeFile(loose, '{}', { mode: 0o644 });
  const open = await made.run(['show', '--key', loose]);
  expect(open.stderr).toMatch(/^KeyFileInsecureError: .*0644[\s\S]*chmod 600/);
});
