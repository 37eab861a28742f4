/**
 * What the runbook says to look at can be looked at: the commands of every section's investigation are executed from the
 * document, after runs that bear the names of its examples.
 */
import { readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { root } from '../../docs/document.ts';
import { openShell, type Shell } from '../../docs/shell.ts';
import { temporaryFolders } from '../../support/temporary-folder.ts';
import { awsCli } from '../aws-cli.ts';
import { primaryRegion } from '../emulator-clients.ts';
import { environmentName } from './environment.ts';
import { base, ended, fillShop, quick, start, succeeded } from './harness.ts';

/** CloudFormation of the emulator knows no drift. */
const lacks = /detect-stack-drift|describe-stack-resource-drifts/;

const text = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
const [preamble = '', ...sections] = text.split(/^## /m);
const blockIn = (part: string): string => /```sh\n(.*?)```/s.exec(part)?.[1] ?? '';
const investigations = sections.map((section): [string, string] => [
  section.slice(0, section.indexOf('\n')),
  blockIn(section.slice(section.indexOf('**Investigation.**'), section.indexOf('**Resolution.**'))),
]);

const folders = temporaryFolders();
let shell: Shell;
const run = (what: string, script: string) =>
  shell.run({
    place: `docs/runbook.md, ${what}`,
    section: what,
    language: 'bash',
    text: script,
    shows: [],
  });

beforeAll(async () => {
  await fillShop();
  const options = quick;
  const name = (one: string) => ({ name: one });
  await succeeded(
    await start('backup', { source: 'shop', options }, name('shop-daily-0a1b2c3d4e5f6071')),
  );
  const poll = { pollSeconds: 1 };
  const drill = { target: 'scratch', choice: { source: 'shop' }, options: poll };
  await succeeded(await start('drill', drill, name('shop-drill-0a1b2c3d4e5f6071')));
  // One that has a report and failed.
  const choice = { source: 'shop' };
  await ended(
    await start('restore', { target: 'scratch', choice, database: 'shop' }, name('rescue-1')),
  );

  const folder = await folders();
  await mkdir(join(folder, 'environments'));
  const file = `${environmentName}.json`;
  await cp(join(inject('environments'), file), join(folder, 'environments', file));
  const { port, user, password } = inject('servers').primary;
  const aws = await awsCli();
  shell = await openShell({
    folder,
    env: {
      ...base().env,
      ...{ PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: user, PGPASSWORD: password },
      PGDATABASE: 'shop',
    },
    timeoutSeconds: 280,
    // Of SQS the first version of the AWS CLI does not take the endpoint from its environment.
    programs: {
      aws: `exec ${aws.map((word) => `'${word}'`).join(' ')} --endpoint-url "$AWS_ENDPOINT_URL" "$@"`,
    },
  });
});

/** What a person types first, with his own names. */
const own = (): string => {
  const values = `export AWS_REGION=${primaryRegion} ACCOUNT=${base().account} DEPLOYMENT=${environmentName} SOURCE=shop`;
  return `${values}\n${blockIn(preamble).replace(/^export .*\n/, '')}`;
};

test('what it begins with tells the alarms and the state of the sources', async () => {
  const output = await run('first', `${own()}\nalarms\nsafe`);
  expect(output).toContain('holdfast-citest-');
  expect(output).toContain('shop');
});

/** What the runs before have left to see. A name or a filter that is wrong prints nothing, and ends well. */
const tells: Readonly<Record<string, RegExp>> = {
  'Backup failed': /SUCCEEDED\s+shop-daily-/,
  'Backup missed': /shop +\d+ s[\s\S]*cron\(/,
  'Verification damaged': /"replica": "replicated"/,
  'Replica behind': /to-the-replica-vault/,
  'Drill failed': /The backup is proven/,
  'Drill stale': /cron\(0 6 /,
  'Restore failed': /FAILED\s+rescue-1[\s\S]*PreflightFailedError/,
  'Clean up failed': /CleanUp done/,
  'Snapshot too old': /^\d+\s+\d+\.\d+$/m,
  // There are none.
  'Dead letters': /^$/,
  'Key disabled': /^mrk-\w+\s+Enabled/m,
  'Vault changed': /"ObjectLockEnabled": "Enabled"/,
  // Nobody has tried.
  'Delete attempted': /^None$/m,
};

describe('the investigation of', () => {
  test.each(investigations)('%s', async (heading, script) => {
    expect(script.trim()).not.toBe('');
    const lines = script.split('\n').filter((line) => !lacks.test(line));
    const output = await run(heading, `${own()}\n${lines.join('\n')}`);
    expect(output).toMatch(tells[heading] ?? heading);
  });
});
