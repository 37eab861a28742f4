import { cpSync, writeFileSync } from 'node:fs';
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

test('what is no JSON is told with the place, and without what may be a password', async () => {
  const folder = await makeFolder();
  writeFileSync(join(folder, 'prod.json'), '{ "a": "postgres://u:secret@h/d" "b"');
  expect(() => loadEnvironment('prod', folder)).toThrow(/prod\.json has a value .* is not JSON: /s);
  expect(() => loadEnvironment('prod', folder)).not.toThrow(/secret/);
});
