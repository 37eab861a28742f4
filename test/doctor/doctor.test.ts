import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Check } from '../../core/doctor/check.ts';
import { type DoctorVault, doctor } from '../../core/doctor/doctor.ts';
import { directoryStorage } from '../../local/doctor/directory-storage.ts';
import { loadKeyFile } from '../../local/keyring/key-file.ts';
import { openLocalKeyRing } from '../../local/keyring/local-key-ring.ts';
import { initVault } from '../../local/vault/open-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { TransactionPooler } from '../support/transaction-pooler.ts';

const temporaryFolder = temporaryFolders();
const now = () => new Date();
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('whole');
});
afterAll(async () => {
  await database?.drop();
});

interface MadeVault extends DoctorVault {
  readonly root: string;
  readonly keyFile: string;
}

async function makeVault(): Promise<MadeVault> {
  const folder = await temporaryFolder();
  const opened = await initVault(join(folder, 'vault'), { keyFile: join(folder, 'key') });
  const keyRing = async () => openLocalKeyRing(await loadKeyFile(opened.keyFile));
  return { ...opened, ...directoryStorage(opened.root), keyRing };
}

const connection = async () => database.settings;
const find = (checks: readonly Check[], id: string) => checks.find((check) => check.id === id);

test('where all is well every check is ok, and says what it saw', async () => {
  const vault = await makeVault();
  const checks = await doctor({ connection, vault: async () => vault, now });
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(checks.every(({ detail, hint }) => detail.length > 10 && hint === null)).toBe(true);
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  expect(checks.map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      'vault-opens',
      'vault-writable',
      'vault-private',
      'key-usable',
      'server-reachable',
      'pooler',
      'clock-skew',
      'free-space',
    ]),
  );
});

test('the doctor leaves nothing behind in the vault', async () => {
  const vault = await makeVault();
  await doctor({ vault: async () => vault, now });
  const left: string[] = [];
  for await (const { key } of vault.vault.list('')) left.push(key);
  for await (const key of vault.workspace.list('')) left.push(key);
  expect(left).toEqual(['vault.json']);
});

test('a server that is not there is one problem, and the vault is looked at all the same', async () => {
  const vault = await makeVault();
  const checks = await doctor({
    connection: async () => ({ ...database.settings, port: 1 }),
    vault: async () => vault,
    now,
  });
  expect(find(checks, 'server-reachable')).toMatchObject({
    status: 'problem',
    hint: expect.stringMatching(/firewall/),
  });
  expect(find(checks, 'key-usable')).toMatchObject({ status: 'ok' });
  expect(find(checks, 'table-rights')).toBeUndefined();
});

test('a vault that cannot be opened is one problem, and the server is looked at all the same', async () => {
  const checks = await doctor({
    connection,
    vault: () => Promise.reject(new HoldfastError('VaultNotFoundError', '/x is not a vault.')),
    now,
  });
  expect(checks[0]).toMatchObject({
    id: 'vault-opens',
    status: 'problem',
    detail: '/x is not a vault.',
  });
  expect(find(checks, 'table-rights')).toMatchObject({ status: 'ok' });
});

test('a transaction pooler is told as such, with the way round', async () => {
  await using pooler = await TransactionPooler.start(database.settings, { order: 'lifo' });
  const checks = await doctor({ connection: async () => pooler.settings, now });
  expect(checks).toEqual([
    expect.objectContaining({
      id: 'pooler',
      status: 'problem',
      hint: expect.stringMatching(/session/),
    }),
  ]);
});

test('a vault that others can read is a problem, worse when they can write', async () => {
  const vault = await makeVault();
  await chmod(vault.root, 0o755);
  expect(find(await doctor({ vault: async () => vault, now }), 'vault-private')).toMatchObject({
    status: 'problem',
    detail: expect.stringMatching(/Others can read .*mode 755/),
    hint: `chmod 700 ${vault.root}`,
  });
  await chmod(vault.root, 0o777);
  expect(find(await doctor({ vault: async () => vault, now }), 'vault-private')?.detail).toMatch(
    /destroy/,
  );
});

test('a vault that cannot be written is a problem', async () => {
  const vault = await makeVault();
  // Root may write anywhere, so a missing right would not do here.
  await rm(join(vault.root, '.tmp'), { recursive: true, force: true });
  await writeFile(join(vault.root, '.tmp'), 'in the way');
  expect(find(await doctor({ vault: async () => vault, now }), 'vault-writable')).toMatchObject({
    status: 'problem',
  });
});

test('a key that is missing, or another vault’s, is a problem', async () => {
  const [vault, other] = [await makeVault(), await makeVault()];
  const swapped = { ...vault, keyRing: other.keyRing };
  expect(find(await doctor({ vault: async () => swapped, now }), 'key-usable')).toMatchObject({
    status: 'problem',
    detail: expect.stringMatching(/needs/),
  });
  await rm(vault.keyFile);
  expect(find(await doctor({ vault: async () => vault, now }), 'key-usable')).toMatchObject({
    status: 'problem',
    hint: expect.stringMatching(/--key/),
  });
});

test('a check that fails for a reason nobody foresaw is a finding and does not end the others', async () => {
  const vault = await makeVault();
  const broken = { ...vault, freeBytes: () => Promise.reject(new Error('EIO: i/o error')) };
  const checks = await doctor({ connection, vault: async () => broken, now });
  expect(find(checks, 'free-space')).toMatchObject({
    status: 'problem',
    detail: expect.stringMatching(/EIO/),
  });
  expect(find(checks, 'clock-skew')).toMatchObject({ status: 'ok' });
});
