/** Wrong use of `--env`: said before anything is started, without a word to AWS. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
let cwd: string;
beforeAll(async () => {
  cwd = await folders();
  const connection = { secret: 'x/backup' };
  const environment = {
    name: 'prod',
    account: '111122223333',
    regions: { primary: 'eu-central-1', replica: 'eu-west-1' },
    sources: [
      { name: 'shop', connection },
      { name: 'ledger', connection },
    ],
    targets: [
      { name: 'scratch', connection },
      { name: 'exercise', region: 'replica', connection },
    ],
  };
  await writeFile(join(cwd, 'prod.json'), JSON.stringify(environment));
});

/** Whoever asked AWS would be told that nobody is logged in: exit 1. */
const env = { AWS_ACCESS_KEY_ID: '', AWS_PROFILE: '', AWS_EC2_METADATA_DISABLED: 'true' };
const withEnv = (...args: string[]) => holdfast(['--env', 'prod.json', ...args], { cwd, env });

const swap = ['restore', '--source', 'shop', '--target', 'shop', '--mode', 'swap'];
const arn = 'arn:aws:states:eu-central-1:111122223333:execution:';

describe('with --env wrong use is exit 2 and says what would be right', () => {
  const cases: [string, string[], RegExp][] = [
    ['which source is meant', ['backup'], /Which source\?[\s\S]*shop, ledger/],
    ['a source that is none', ['backup', 'shoop'], /"shoop"[\s\S]*shop, ledger/],
    ['two sources', ['backup', 'shop', '--source', 'ledger'], /two sources/],
    ['a vault', ['backup', 'shop', '--vault', '/v'], /--vault[\s\S]*of its own/],
    ['a key', ['drill', '--key', '/k'], /--key does not go with --env/],
    ['a URL of a source', ['backup', '--database', 'postgresql://h/d'], /--database/],
    ['all of a server', ['backup', '--all-databases'], /--all-databases[\s\S]*each source/],
    ['no target', ['restore', '--source', 'shop'], /No target[\s\S]*--target scratch\. To add one/],
    ['a URL as a target', ['restore', '--target', 'postgresql://u:secret@h'], /A URL is no target/],
    ['a target of the other Region', ['restore', '--target', 'exercise'], /--target scratch\./],
    ['a target of this Region', ['--dr', 'drill', '--target', 'scratch'], /--target exercise\./],
    [
      'a target that has to be made',
      ['restore', '--target', 'shop-admin'],
      /"targets" of environments\/prod\.json \(with "region": "primary"\) and deploy[\s\S]*shop, ledger[\s\S]*only read/,
    ],
    ['a drill without a target', ['drill', '--source', 'shop'], /No target/],
    [
      'nothing to write into',
      ['restore', '--target', 'shop', '--mode', 'into', '--table', 'orders'],
      /--name DATABASE/,
    ],
    ['a swap that nobody confirms', swap, /Replace the database[\s\S]*--yes/],
    ['a command before the cutover', [...swap, '--yes', '--before-cutover', 'true'], /no shell/],
    ['a command as a check', ['drill', '--check-command', 'a=true'], /no shell/],
    ['a run of another environment', ['follow', `${arn}holdfast-test-backup:x`], /--env says prod/],
    ['an execution of somebody else', ['cancel', `${arn}their-machine:x`], /no execution of Hold/],
    ['init', ['init'], /init does not go with --env[\s\S]*cdk deploy/],
    ['demo', ['demo'], /demo does not go with --env/],
    ['doctor', ['doctor'], /doctor does not go with --env[\s\S]*--db-instance/],
    ['rollback', ['rollback', 'x'], /rollback does not go with --env[\s\S]*deploy\.md/],
    ['vault upgrade', ['vault', 'upgrade'], /upgrade does not go with --env/],
    ['guard', ['guard', '--', 'true'], /guard does not go with --env[\s\S]*backup SOURCE/],
  ];
  test.each(cases)('%s', async (_, args, said) => {
    const { code, stdout, stderr } = await withEnv(...args);
    expect(stderr).toMatch(said);
    expect(stderr).toContain('What to do:');
    expect(stderr).not.toContain('secret');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

test('a check in a file that is a command is refused by name', async () => {
  await writeFile(join(cwd, 'checks.json'), '[{"name": "smoke", "command": "npm run smoke"}]');
  const { code, stderr } = await withEnv('drill', '--target', 'scratch', '--checks', 'checks.json');
  expect([code, stderr]).toEqual([2, expect.stringMatching(/"smoke" is a command/)]);
});

describe('what only a deployment has is refused without --env', () => {
  const cases: [string, string[], RegExp][] = [
    ['a source as an argument', ['backup', 'shop'], /--env NAME backup shop/],
    ['--detach', ['drill', '--detach', '--target', 'postgresql://h'], /--detach goes with --env/],
    ['--dr', ['--dr', 'list'], /--dr goes with --env/],
    ['the name of a run', ['follow', 'shop-daily-1'], /Say --env NAME/],
    [
      'a file that is not there',
      ['--env', 'nowhere', 'backup', 'shop'],
      /environments\/nowhere\.json/,
    ],
  ];
  test.each(cases)('%s', async (_, args, said) => {
    const { code, stderr } = await holdfast(args, { cwd, env });
    expect(stderr).toMatch(said);
    expect(code).toBe(2);
  });

  test('a vault that nobody named: --env would name one too', async () => {
    const { code, stderr } = await holdfast(['status'], { cwd, env });
    expect(stderr).toMatch(/No vault was named[\s\S]*--vault DIR[\s\S]*--env NAME/);
    expect(code).toBe(2);
  });

  test('an environment that is not there: those that are', async () => {
    await mkdir(join(cwd, 'environments'), { recursive: true });
    for (const name of ['stage', 'prod']) {
      await copyFile(join(cwd, 'prod.json'), join(cwd, 'environments', `${name}.json`));
    }
    const { code, stderr } = await holdfast(['--env', 'prd', 'status'], { cwd, env });
    expect(stderr).toMatch(/environments\/prd\.json is not there[\s\S]*There is: prod, stage\./);
    expect(code).toBe(2);
  });
});

test('no command loads a client of AWS before it is asked for AWS', async () => {
  const loadedBy = async (module: string): Promise<string[]> => {
    const program = `
      import { registerHooks } from 'node:module';
      const seen = new Set();
      registerHooks({
        resolve(specifier, context, next) {
          const found = next(specifier, context);
          const [, name] = /node_modules\\/(@aws-sdk\\/client-[^/]+)\\//.exec(found.url) ?? [];
          if (name !== undefined) seen.add(name);
          return found;
        },
      });
      await import(${JSON.stringify(module)});
      console.log(JSON.stringify([...seen]));`;
    const root = join(import.meta.dirname, '../..');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { cwd: root, env: {} },
    );
    return JSON.parse(stdout) as string[];
  };
  // The interpreter of state machines has one of its own.
  const interpreter = await loadedBy('aws-local-stepfunctions');
  expect(await loadedBy('./cli/program.ts')).toEqual(interpreter);
  // The look itself sees one that is loaded.
  expect(await loadedBy('./cli/aws/run-clients.ts')).toContain('@aws-sdk/client-sfn');
});
