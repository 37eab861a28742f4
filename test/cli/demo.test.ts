import { chmod, readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();

test('the demo brings lost rows back, proves its backup, finds its damage, and leaves one report', {
  timeout: 600_000,
}, async () => {
  const home = await folders();
  // As root, the server runs as another user, who must get into the folder of temporary files.
  await chmod(home, 0o755);
  const result = await holdfast(['demo', '--json'], { env: { TMPDIR: home, HOME: home } });
  expect(result.code, result.stderr).toBe(0);
  const { isAsExpected, damaged, verifiedDamaged, recovery } = result.json<{
    isAsExpected: boolean;
    damaged: { object: string; table: string };
    verifiedDamaged: { verdict: string; problems: { object: string; table: string }[] };
    recovery: { before: object; afterDeployment: object; afterRestore: object; page: string };
  }>();
  expect(isAsExpected).toBe(true);
  expect(verifiedDamaged.verdict).toBe('damaged');
  expect(verifiedDamaged.problems[0]).toMatchObject({
    object: damaged.object,
    table: damaged.table,
  });
  expect(recovery.afterDeployment).toEqual({ pictures: null, items: 600_000 });
  expect(recovery.afterRestore).toEqual(recovery.before);
  expect(await readFile(recovery.page, 'utf8')).toContain('<h1>The backup is proven</h1>');
  expect(await readdir(home)).toEqual([basename(recovery.page)]);
});
