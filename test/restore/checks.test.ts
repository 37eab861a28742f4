import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HoldfastError } from '../../core/contract/errors.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

const temporaryFolder = temporaryFolders();

let harness: RestoreHarness;
beforeAll(async () => {
  harness = await makeRestoreHarness('checks', async (database) => {
    await database.query(`
      CREATE TABLE people (id int PRIMARY KEY, name text);
      INSERT INTO people SELECT i, 'secret ' || i FROM generate_series(1, 100) i;`);
  });
});
afterAll(() => harness?.[Symbol.asyncDispose]());

type Input = Parameters<RestoreHarness['restore']>[0];

const restored = async (input: Input): Promise<RestoreReport> => {
  const report = await harness.restore(input);
  await onServer('postgres', `DROP DATABASE "${report.database}" WITH (FORCE)`);
  return report;
};

async function failedWith(input: Input): Promise<{ error: HoldfastError; report: RestoreReport }> {
  const before = await harness.databases();
  const error = await harness.restore(input).then(
    () => {
      throw new Error('It did not fail.');
    },
    (thrown: HoldfastError) => thrown,
  );
  expect((await harness.databases()).sort()).toEqual(before.sort());
  const report = await harness.read(String(error.evidence.report));
  return { error, report: report as unknown as RestoreReport };
}

describe('checks of the user', { timeout: 180_000 }, () => {
  it('are queries that see what psql would show, and commands that reach the restored database', async () => {
    const { checks } = await restored({
      checks: [
        { name: 'all there', sql: 'SELECT count(*) FROM people', expect: '100' },
        { name: 'true is t', sql: 'SELECT max(id) = 100 FROM people' },
        { name: 'null is empty', sql: 'SELECT NULL', expect: '' },
        {
          name: 'a command',
          command: 'test -n "$PGPASSWORD" && echo "$PGDATABASE" | grep _restore_',
        },
      ],
    });
    expect(checks.map(({ isPassed }) => isPassed)).toEqual([true, true, true, true]);
    expect(checks[0]).toMatchObject({ name: 'all there', expected: '100', got: '100' });
  });

  it('all run, and one that fails takes the restore back; what it gave is in the report only', async () => {
    const { error, report } = await failedWith({
      checks: [
        { name: 'wrong name', sql: 'SELECT name FROM people WHERE id = 7', expect: 'x' },
        { name: 'no such table', sql: 'SELECT * FROM missing' },
        { name: 'not zero', command: 'echo broken; exit 4' },
        { name: 'good', sql: 'SELECT true' },
      ],
    });
    expect(error).toMatchObject({
      name: 'CheckFailedError',
      message: '3 checks of your own failed: "wrong name", "no such table", "not zero".',
    });
    expect(JSON.stringify(error.evidence)).not.toContain('secret 7');
    expect(report.checks.map(({ isPassed, got }) => [isPassed, got])).toEqual([
      [false, 'secret 7'],
      [false, expect.stringContaining('relation "missing" does not exist')],
      [false, 'exit code 4\nbroken'],
      [true, 't'],
    ]);
  });

  it('can change nothing, not even behind a COMMIT', async () => {
    const { report } = await failedWith({
      checks: [
        { name: 'delete', sql: 'DELETE FROM people' },
        { name: 'after a commit', sql: 'COMMIT; DELETE FROM people' },
      ],
    });
    expect(report.checks.map(({ got }) => got)).toEqual([
      expect.stringContaining('read-only transaction'),
      expect.stringContaining('cannot insert multiple commands'),
    ]);
  });

  it('that take too long fail', async () => {
    const { report } = await failedWith({
      checks: [{ name: 'slow', sql: 'SELECT pg_sleep(600)' }],
      options: { taskSeconds: 3 },
    });
    expect(report.checks[0]?.got).toContain('statement timeout');
  });
});

describe('an interrupted restore', { timeout: 180_000 }, () => {
  it('leaves nothing running of the command that it was at', async () => {
    const controller = new AbortController();
    const file = join(await temporaryFolder(), 'pid');
    const command = `echo $$ > ${file}; trap '' TERM; sleep 600`;
    const restore = harness.restore(
      { checks: [{ name: 'long', command }] },
      { signal: controller.signal },
    );
    restore.catch(() => undefined);
    const pid = async () => Number(await readFile(file, 'utf8').catch(() => ''));
    await expect.poll(pid, { timeout: 60_000 }).toBeGreaterThan(0);
    controller.abort();
    await expect(restore).rejects.toMatchObject({ name: 'RunAbortedError' });
    expect(await readFile(`/proc/${await pid()}/status`, 'utf8').catch(() => 'gone')).toMatch(
      /gone|State:\s+Z/,
    );
  });
});

describe('the hook before the cutover', { timeout: 180_000 }, () => {
  it('takes the restore back when it fails', async () => {
    const { error, report } = await failedWith({
      hooks: { beforeCutover: 'echo no; false' },
      checks: [{ name: 'good', sql: 'SELECT true' }],
    });
    expect(error.name).toBe('HookFailedError');
    expect(report.checks.at(-1)).toMatchObject({ isPassed: false, got: 'exit code 1\nno' });
  });

  it('does not run after a check that failed, and is told among the checks when it did', async () => {
    const { report } = await failedWith({
      hooks: { beforeCutover: 'true' },
      checks: [{ name: 'bad', sql: 'SELECT false' }],
    });
    expect(report.checks).toHaveLength(1);
    const { checks } = await restored({ hooks: { beforeCutover: 'true' } });
    expect(checks).toMatchObject([{ name: 'hook before the cutover', isPassed: true }]);
  });
});
