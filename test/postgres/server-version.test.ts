import { expect, test } from 'vitest';
import {
  isSupported,
  requireSupportedServer,
  requireSupportedVersion,
} from '../../core/postgres/server-version.ts';
import { openSession } from '../../core/postgres/session.ts';
import { sharedSettings } from '../support/postgres.ts';

test.each([140000, 150013, 180004])('server_version_num %i is supported', (versionNum) => {
  expect(isSupported(versionNum)).toBe(true);
  requireSupportedVersion(versionNum);
});

test.each([
  [130021, 'PostgreSQL 13', 'Upgrade the server'],
  [90624, 'PostgreSQL 9', 'Upgrade the server'],
  [190000, 'PostgreSQL 19', 'Upgrade Holdfast'],
])('server_version_num %i is refused with what to upgrade', (versionNum, message, hint) => {
  expect(() => requireSupportedVersion(versionNum)).toThrow(
    expect.objectContaining({
      name: 'UnsupportedServerVersionError',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    }),
  );
});

test('the version of a server is told as people write it', async () => {
  const options = { applicationName: 'holdfast/t', purpose: 'control' } as const;
  await using session = await openSession(sharedSettings('postgres'), options);
  const [row] = await session.query<{ version: string }>('SELECT version()');
  expect(row?.version).toContain(`PostgreSQL ${requireSupportedServer(session)} `);
});
