import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolders } from '../support/temporary-folder.ts';

const root = join(import.meta.dirname, '../..');
const makeFolder = temporaryFolders();

/** The real CLI, in a network of no way out: a proxy that nobody answers at, and no credentials. */
async function synth(...args: readonly string[]) {
  const folder = await makeFolder();
  const cli = join(root, 'node_modules/aws-cdk/bin/cdk');
  const child = spawn(process.execPath, [cli, 'synth', '--quiet', '--output', folder, ...args], {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      CI: 'true',
      CDK_DISABLE_VERSION_CHECK: '1',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      HTTP_PROXY: 'http://127.0.0.1:9',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  return { exitCode, output, folder };
}

test.each(['example', 'everything'])(
  '`cdk synth -c env=%s` works offline, and neither CloudFormation nor cdk-nag has anything to say',
  { timeout: 300_000 },
  async (name) => {
    const { exitCode, output, folder } = await synth('-c', `env=${name}`);
    expect({ exitCode, output }).toEqual({
      exitCode: 0,
      output: expect.not.stringMatching(/WARNING|ERROR/),
    });
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    expect(manifest.missing, 'a look-up').toBeUndefined();
    const report = join(folder, 'validation-report.json');
    if (existsSync(report)) expect(readFileSync(report, 'utf8')).not.toMatch(/"(error|fatal)"/i);
  },
);

test('a wrong environment ends with a sentence and not with a stack of calls', async () => {
  const { exitCode, output } = await synth();
  expect(exitCode).not.toBe(0);
  expect(output).toContain(
    'ConfigurationError: No environment is named: allowed are everything, example.',
  );
  expect(output).not.toMatch(/^ +at /m);
});
