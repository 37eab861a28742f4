import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { standby } from '../../core/doctor/checks/server.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { look } from '../support/doctor.ts';
import { sharedSettings, startServer } from '../support/postgres.ts';

let server: EmbeddedServer;
beforeAll(async () => {
  server = await startServer({
    prepare(folder, owner) {
      const signal = join(folder, 'standby.signal');
      writeFileSync(signal, '');
      if (owner !== undefined) chownSync(signal, owner.uid, owner.gid);
    },
  });
}, 60_000);
afterAll(() => server?.stop());

test('a standby is told with the settings that decide how long a snapshot lives', async () => {
  expect(await look(standby, sharedSettings('postgres'))).toMatchObject({ status: 'ok' });
  expect(await look(standby, server.settings())).toMatchObject({
    status: 'warning',
    detail: expect.stringContaining(
      'hot_standby_feedback = off, max_standby_streaming_delay = 30s',
    ),
  });
});
