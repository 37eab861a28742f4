import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';

const commands = [
  'init',
  'backup',
  'list',
  'status',
  'show',
  'verify',
  'restore',
  'compare',
  'rollback',
  'drill',
  'follow',
  'cancel',
  'report',
  'guard',
  'doctor',
  'demo',
];

test('help names every command, gives examples and the exit codes', async () => {
  const { code, stdout } = await holdfast(['--help']);
  expect(code).toBe(0);
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(stdout).toContain('holdfast init --vault');
  expect(stdout).toContain('3 a verdict of "damaged"');
});

test.each(commands)('%s --help gives examples and tells of --json', async (command) => {
  const { code, stdout, stderr } = await holdfast([command, '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`Examples:\n  holdfast ${command}`));
  expect(stdout).toContain('--json');
  expect(stderr).toBe('');
});

test('no command at all: the help on stderr, exit 2, nothing on stdout', async () => {
  const { code, stdout, stderr } = await holdfast([]);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('Commands:');
});

describe('wrong use is exit 2 and says what would be right', () => {
  const cases: [string, string[], RegExp][] = [
    ['an unknown command', ['bakup'], /bakup[\s\S]*Did you mean backup\?/],
    ['an unknown option', ['backup', '--valt', '/x'], /--valt[\s\S]*Did you mean --vault\?/],
    ['an option without its value', ['list', '--vault'], /--vault <place>/],
    ['one argument too many', ['list', 'shop'], /too many arguments/i],
    [
      'a label that is none',
      ['backup', '--label', 'release'],
      /release[\s\S]*--label release=1\.2/,
    ],
    ['a tier that is none', ['backup', '--tier', 'hourli'], /hourli[\s\S]*hourly, daily/],
    ['jobs that are no number', ['backup', '--jobs', 'many'], /many.*from 1 to 64/],
    ['no jobs', ['backup', '--jobs', '0'], /from 1 to 64/],
    ['both halves only', ['backup', '--schema-only', '--data-only'], /--(schema|data)-only/],
    ['no vault', ['list'], /No vault[\s\S]*--vault DIR/],
    ['no database', ['backup', '--vault', '/nowhere'], /No database[\s\S]*--database/],
    [
      'a source name that is none',
      ['backup', '--database', 'postgresql://h/d', '--source', 'A b'],
      /lower-case/,
    ],
    [
      'a time that is none',
      ['verify', '--vault', '/nowhere', '--since', 'monday'],
      /monday[\s\S]*7d/,
    ],
    ['all and since', ['verify', '--all', '--since', '7d'], /--since/],
    ['a restore without a target', ['restore', '--vault', '/nowhere'], /No target[\s\S]*--target/],
    [
      'tables of a whole restore',
      ['restore', '--vault', '/nowhere', '--table', 'orders'],
      /--table[\s\S]*--mode into/,
    ],
    [
      'sessions ended for nothing',
      ['restore', '--vault', '/nowhere', '--disconnect'],
      /--disconnect[\s\S]*--mode swap/,
    ],
    ['a mode that is none', ['restore', '--mode', 'over'], /over[\s\S]*new, swap, into/],
    [
      'a conflict rule that is none',
      ['restore', '--on-conflict', 'merge'],
      /merge[\s\S]*error, skip/,
    ],
    ['a role map that is none', ['restore', '--role-map', 'owner'], /--role-map app_owner=admin/],
    ['a check without a query', ['restore', '--check', 'has rows='], /--check 'has orders=/],
    [
      'checks that are not there',
      ['restore', '--checks', '/nowhere.json'],
      /nowhere\.json[\s\S]*ENOENT/,
    ],
    ['a goal that is no time', ['restore', '--rto', 'soon'], /soon[\s\S]*90m/],
    ['a time of a backup that is none', ['restore', '--at', 'noon'], /noon[\s\S]*7d/],
    [
      'a check twice',
      ['restore', '--check', 'a=SELECT true', '--check-command', 'a=true'],
      /Two checks[\s\S]*"a"/,
    ],
    ['a rollback of nothing', ['rollback'], /run/],
    ['dropping and ending sessions', ['rollback', 'x', '--discard', '--disconnect'], /--discard/],
    ['a guard of nothing', ['guard', '--db', 'postgresql://h/d'], /command/],
    ['one and all', ['verify', 'latest', '--all', '--vault', '/nowhere'], /--all/],
  ];
  test.each(cases)('%s', async (_, args, said) => {
    const { code, stdout, stderr } = await holdfast(args);
    expect(stderr).toMatch(said);
    expect(stderr).toContain('What to do:');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

test('wrong checks in a file are told one by one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-checks-'));
  const file = join(folder, 'checks.json');
  await writeFile(file, '[{"name": "good", "sql": "SELECT true"}, {"name": "bad", "query": "x"}]');
  const { code, stderr } = await holdfast(['restore', '--checks', file]);
  await rm(folder, { recursive: true });
  expect([code, stderr]).toEqual([2, expect.stringMatching(/\[1\][\s\S]*expect/)]);
});

test('DATABASE_URL, which is what is backed up, is never a target', async () => {
  const env = { DATABASE_URL: 'postgresql://h/live', HOLDFAST_VAULT: '/nowhere' };
  const { code, stderr } = await holdfast(['rollback', 'x', '--yes'], { env });
  expect([code, stderr]).toEqual([2, expect.stringContaining('RESTORE_DATABASE_URL')]);
});

test('what is for a guarded command is not ours: its --json makes no JSON of our errors', async () => {
  const { code, stdout } = await holdfast(['guard', '--', 'x', '--json']);
  expect([code, stdout]).toEqual([2, '']);
});

test('with --json wrong use is one JSON document too', async () => {
  const result = await holdfast(['list', '--json', '--sauce', 'x']);
  expect(result.code).toBe(2);
  const { error } = result.json<{ error: Record<string, string> }>();
  expect(error.name).toBe('UsageError');
  expect(error.message).toContain('--sauce');
  expect(error.hint).toContain('Did you mean --source?');
});

test('the version is that of package.json', async () => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  const { code, stdout } = await holdfast(['--version']);
  expect([code, stdout]).toEqual([0, `${manifest.version}\n`]);
});

test('an older Node is told what to do before anything else is loaded', async () => {
  const pretend = `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } });`,
  )}`;
  const { code, stdout, stderr } = await holdfast(['--version'], {
    nodeFlags: ['--import', pretend],
  });
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/needs Node 24.*this is Node 20\.11\.1/);
  expect(stderr).toContain('npx holdfast');
});
