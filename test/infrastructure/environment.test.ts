import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadEnvironment } from '../../lib/environment.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const environments = join(import.meta.dirname, '../../environments');
const makeFolder = temporaryFolders();

test('the example is read, with a default for all that it leaves out', () => {
  const { sources, lock, signingKeys, logDays } = loadEnvironment('example');
  expect(sources[0]).toMatchObject({
    name: 'shop',
    jobs: 8,
    retention: { hourly: 48, daily: 30, weekly: 12, monthly: 12, yearly: 7, minKeep: 3 },
    connection: { auth: 'secret', reader: false, tls: { mode: 'verify-full' } },
  });
  expect({ lock, signingKeys, logDays }).toEqual({
    lock: { mode: 'GOVERNANCE', defaultDays: 1 },
    signingKeys: 1,
    logDays: 90,
  });
});

test('no environment is chosen for anybody: those that there are are named', () => {
  expect(() => loadEnvironment(undefined)).toThrow(
    'No environment is named: allowed are everything, example.',
  );
});

test('an environment that has no file is refused with those that have', () => {
  expect(() => loadEnvironment('prod')).toThrow(
    '-c env=prod: environments/ has no such file; allowed are everything, example.',
  );
  expect(() => loadEnvironment('../package')).toThrow('allowed are everything, example');
});

test('a copy under another name must be given that name, since names on AWS are made of it', async () => {
  const folder = await makeFolder();
  cpSync(join(environments, 'example.json'), join(folder, 'prod.json'));
  expect(() => loadEnvironment('prod', folder)).toThrow(
    'environments/prod.json has a value that is not allowed:\n' +
      '  name is "example"; allowed is "prod", as the file is called',
  );
});

test('the account of the example is nobody’s: an environment of one’s own is refused with it', async () => {
  const folder = await makeFolder();
  const text = readFileSync(join(environments, 'example.json'), 'utf8');
  const own = text.replace('"name": "example"', '"name": "prod"');
  writeFileSync(join(folder, 'prod.json'), own);
  expect(() => loadEnvironment('prod', folder)).toThrow(
    expect.objectContaining({
      name: 'ConfigurationError',
      message: expect.stringMatching(
        /^environments\/prod\.json: account is "111122223333".*allowed is the id of your own, 12 digits/,
      ),
      hint: expect.stringContaining('aws sts get-caller-identity'),
    }),
  );
  writeFileSync(join(folder, 'prod.json'), own.replaceAll('111122223333', '123456789012'));
  expect(loadEnvironment('prod', folder)).toMatchObject({ account: '123456789012' });
  expect(loadEnvironment('example')).toMatchObject({ account: '111122223333' });
});

test('what is no JSON is told with the place, and without what may be a password', async () => {
  const folder = await makeFolder();
  writeFileSync(join(folder, 'prod.json'), '{ "a": "postgres://u:secret@h/d" "b"');
  expect(() => loadEnvironment('prod', folder)).toThrow(/prod\.json has a value .* is not JSON: /s);
  expect(() => loadEnvironment('prod', folder)).not.toThrow(/secret/);
});
