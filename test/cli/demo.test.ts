import { chmod, readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();

test('the demo finds the damage that it did, and leaves no files', {
  timeout: 180_000,
}, async () => {
  const home = await folders();
  // As root, the server runs as another user, who must get into the folder of temporary files.
  await chmod(home, 0o755);
  const result = await holdfast(['demo', '--json'], { env: { TMPDIR: home, HOME: home } });
  expect(result.code, result.stderr).toBe(0);
  const { isAsExpected, damaged, verifiedDamaged } = result.json<{
    isAsExpected: boolean;
    damaged: { object: string; table: string };
    verifiedDamaged: { verdict: string; problems: { object: string; table: string }[] };
  }>();
  expect(isAsExpected).toBe(true);
  expect(verifiedDamaged.verdict).toBe('damaged');
  expect(verifiedDamaged.problems[0]).toMatchObject({
    object: damaged.object,
    table: damaged.table,
  });
  expect(await readdir(home)).toEqual([]);
});
