/** The files in examples/ on a real server: every command of a workflow, of the crontab and of its script, as it stands there. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { holdfast } from '../support/cli.ts';
import { startServer } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { root } from './document.ts';
import { openShell, type Shell } from './shell.ts';
import { contentOf, fillShop, on } from './shop.ts';
import { readWorkflow } from './workflow.ts';

vi.setConfig({ testTimeout: 600_000 });

const folders = temporaryFolders();
let server: EmbeddedServer;
let folder: string;
let good: Awaited<ReturnType<typeof contentOf>>;
/** What a person puts in the place of the example's values, by the names of the files. */
let values: Record<string, string>;

beforeAll(async () => {
  server = await startServer();
  await fillShop(server);
  good = await contentOf(server, 'shop');
  folder = await folders();
  values = {
    HOME: folder,
    HOLDFAST_VAULT: join(folder, 'vault'),
    HOLDFAST_KEY_FILE: join(folder, 'key.json'),
    VAULT_COPY: join(folder, 'elsewhere/vault'),
    DATABASE_URL: server.url('shop'),
    RESTORE_DATABASE_URL: server.url(),
    GITHUB_RUN_ID: '4711',
  };
  const made = await holdfast(['init'], { env: values });
  expect(made.code, made.stderr).toBe(0);
});
afterAll(() => server?.stop());

const workflows = readdirSync(join(root, 'examples/github-actions'));

/** A step after one that failed runs only when it says so; the first failure is the job's. */
async function runJobs(file: string, cwd: string): Promise<{ ran: number; error?: Error }> {
  let ran = 0;
  let failure: Error | undefined;
  for (const job of Object.values(readWorkflow(`examples/github-actions/${file}`).jobs)) {
    const given = Object.keys(job.env).map((name) => [name, values[name] ?? missing(name)]);
    const shell = await shellIn(cwd, Object.fromEntries(given));
    for (const { run, if: when } of job.steps) {
      if (run === undefined || (failure !== undefined && when !== 'always()')) continue;
      ran += 1;
      await runIn(shell, file, run).catch((error: Error) => {
        failure ??= error;
      });
    }
  }
  return { ran, ...(failure !== undefined && { error: failure }) };
}

const missing = (name: string): never => {
  throw new Error(`The test has no value of ${name}`);
};

const shellIn = (cwd: string, env: Record<string, string>): Promise<Shell> =>
  openShell({ folder: cwd, env: { HOME: folder, GITHUB_RUN_ID: '4711', ...env } });

const runIn = (shell: Shell, place: string, text: string): Promise<string> =>
  shell.run({ place, text, section: '', language: 'bash', shows: [] });

test('there is a test of every workflow', () => {
  expect(workflows.sort()).toEqual([
    'guarded-migration.yml',
    'nightly-backup.yml',
    'weekly-drill.yml',
  ]);
});

test('the nightly backup: published, copied elsewhere, the copy looked at, the promise kept', async () => {
  expect(await runJobs('nightly-backup.yml', await folders())).toEqual({ ran: 4 });
  const listed = await holdfast(['list', '--json', '--vault', String(values['VAULT_COPY'])]);
  expect(listed.json()).toMatchObject([{ source: 'shop', tier: 'manual' }]);
});

test('the weekly drill: proven, and its report kept', async () => {
  const cwd = await folders();
  expect(await runJobs('weekly-drill.yml', cwd)).toEqual({ ran: 2 });
  expect(readFileSync(join(cwd, 'drill.html'), 'utf8')).toContain('identical');
  const listed = await holdfast(['list', '--json'], { env: values });
  expect(listed.json()).toMatchObject([{ lastLook: 'proven' }]);
});

test('a drill whose check fails is red, and its report is kept', async () => {
  await on(server, 'shop', 'TRUNCATE customer, orders');
  const empty = await holdfast(['backup', '--source', 'shop'], { env: values });
  expect(empty.code, empty.stderr).toBe(0);
  const cwd = await folders();
  const { ran, error } = await runJobs('weekly-drill.yml', cwd);
  expect([ran, error?.message]).toEqual([2, expect.stringContaining('CheckFailedError')]);
  expect(readFileSync(join(cwd, 'drill.html'), 'utf8')).toContain('has customers');
  await fillShop(server);
});

test('a migration that fails is red, and taken back; one that works is kept', async () => {
  const cwd = await folders();
  const migrate = (script: string) =>
    writeFile(join(cwd, 'package.json'), JSON.stringify({ scripts: { migrate: script } }));
  await migrate(`node '${join(import.meta.dirname, 'failing-migration.ts')}'`);
  const { ran, error } = await runJobs('guarded-migration.yml', cwd);
  expect([ran, error?.message]).toEqual([2, expect.stringContaining('ended with 7')]);
  expect(await contentOf(server, 'shop')).toEqual(good);
  await migrate('true');
  expect(await runJobs('guarded-migration.yml', cwd)).toEqual({ ran: 2 });
});

test('every line of the crontab ends well and prints nothing, from an environment as short as that of cron', async () => {
  const lines = readFileSync(join(root, 'examples/cron/crontab'), 'utf8').split('\n');
  const commands = lines.flatMap((line) => /^[\d*]\S* \S+ \S+ \S+ \S+ (.+)$/.exec(line)?.[1] ?? []);
  expect(commands).toHaveLength(3);
  // In a crontab an unescaped percent sign ends the command.
  expect(commands.filter((command) => command.includes('%'))).toEqual([]);
  const names = lines.flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? []);
  const own = new Set(['PATH', 'MAILTO']);
  const env = names.flatMap((name) =>
    own.has(name) ? [] : [[name, values[name] ?? missing(name)]],
  );
  const shell = await shellIn(await folders(), Object.fromEntries(env));
  for (const command of commands) {
    const here = command.replace('/opt/holdfast', root);
    expect(await runIn(shell, 'crontab', `${here} 2>&1`), command).toBe('');
  }
  expect(await readdir(folder)).toEqual(expect.arrayContaining(['drill.log', 'status.log']));
});

test('what was changed in the vault does not reach the copy', async () => {
  const data = (place: string) => {
    const objects = readdirSync(join(place, 'backups'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.hf'))
      .map((entry) => join(entry.parentPath, entry.name));
    return String(objects.sort()[0]);
  };
  const [vault, copy] = [String(values['HOLDFAST_VAULT']), String(values['VAULT_COPY'])];
  const bytes = readFileSync(data(vault));
  // Of an older backup than the one that is made now; what is in it keeps its length.
  writeFileSync(data(vault), Buffer.alloc(bytes.length));
  const shell = await shellIn(await folders(), values);
  const script = join(root, 'examples/cron/nightly.sh');
  await expect(runIn(shell, 'nightly.sh', script)).rejects.toThrow(/ended with 3:[\s\S]*damaged/i);
  expect(readFileSync(data(copy)).equals(bytes)).toBe(true);
  writeFileSync(data(vault), bytes);
});

test('the nightly script prints what went wrong, and stops there', async () => {
  const shell = await shellIn(await folders(), {
    ...values,
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/shop',
    VAULT_COPY: join(folder, 'never'),
  });
  const script = join(root, 'examples/cron/nightly.sh');
  await expect(runIn(shell, 'nightly.sh', script)).rejects.toThrow(/SourceUnreachableError/);
  expect(await readdir(folder)).not.toContain('never');
});
