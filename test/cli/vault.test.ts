import { chmod, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();

it('vault upgrade tells the formats of what is there, and refuses a sub-command that is none', async () => {
  const folder = await folders();
  await cp(new URL('../fixtures/vault-v1/', import.meta.url), folder, { recursive: true });
  const key = join(folder, 'key.json');
  await chmod(key, 0o600);
  const options = ['--vault', join(folder, 'vault'), '--key', key];
  const told = await holdfast(['vault', 'upgrade', ...options]);
  expect(told).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('1 backup, all of format 1'),
  });
  const json = await holdfast(['vault', 'upgrade', ...options, '--json']);
  expect(json.json()).toEqual({ currentFormat: 1, formats: { 1: 1 }, upgraded: 0 });
  expect(await holdfast(['vault', 'downgrade', ...options])).toMatchObject({ code: 2 });
});
