import { chmod } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeCliVault } from '../support/cli-vault.ts';
import { testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();

interface Doctor {
  readonly verdict: string;
  readonly checks: { id: string; status: string; detail: string; hint: string | null }[];
}

test('doctor looks at vault, key and server; all is well: exit 0', async () => {
  await using database = await testDatabase();
  const made = await makeCliVault(await folders());
  const result = await made.run(['doctor', '--database', database.url, '--json']);
  const { verdict, checks } = result.json<Doctor>();
  expect(checks.filter(({ status }) => status === 'problem')).toEqual([]);
  expect([verdict, result.code]).toEqual(['good', 0]);
  const ids = checks.map(({ id }) => id);
  expect(ids).toEqual(
    expect.arrayContaining(['vault-writable', 'server-reachable', 'lock-slots', 'clock-skew']),
  );
  const text = await made.run(['doctor', '--database', database.url]);
  expect(text.stdout).toMatch(/^ok {7}Server: /m);
});

test('a vault that others can read is a problem: exit 1, with the command that helps', async () => {
  const made = await makeCliVault(await folders());
  await chmod(made.vault, 0o755);
  const { code, stdout } = await made.run(['doctor']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/PROBLEM .*mode 755[\s\S]*What to do: chmod 700/);
});

test('a server that is not there is a problem among others, not the end of the look', async () => {
  const made = await makeCliVault(await folders());
  const result = await made.run(['doctor', '--database', 'postgresql://u@127.0.0.1:1/d', '--json']);
  const { checks } = result.json<Doctor>();
  expect(result.code).toBe(1);
  expect(checks.find(({ id }) => id === 'server-reachable')?.status).toBe('problem');
  expect(checks.find(({ id }) => id === 'vault-writable')?.status).toBe('ok');
});

test('doctor without anything named is wrong use', async () => {
  const made = await makeCliVault(await folders());
  const { code, stderr } = await made.run(['doctor'], { env: { HOLDFAST_VAULT: '' } });
  expect(code).toBe(2);
  expect(stderr).toContain('--database URL, or both');
});
