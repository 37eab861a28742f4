import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { standby } from '../../core/doctor/checks/server.ts';
import { openSession } from '../../core/postgres/session.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { look } from '../support/doctor.ts';
import { sharedSettings, startServer } from '../support/postgres.ts';

let server: EmbeddedServer;
let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('standby');
  server = await startServer({
    prepare(folder, owner) {
      const signal = join(folder, 'standby.signal');
      writeFileSync(signal, '');
      if (owner !== undefined) chownSync(signal, owner.uid, owner.gid);
    },
  });
});
afterAll(async () => {
  await server?.stop();
  await harness[Symbol.asyncDispose]();
});

async function set(feedback: string, delay: string): Promise<void> {
  await using session = await openSession(server.settings(), {
    applicationName: 'test',
    purpose: 'control',
  });
  for (const sql of [
    `ALTER SYSTEM SET hot_standby_feedback = ${feedback}`,
    `ALTER SYSTEM SET max_standby_streaming_delay = '${delay}'`,
    'SELECT pg_reload_conf()',
  ]) {
    await session.query(sql);
  }
}

const backUp = () => runBackup(harness.options({ connection: server.settings() }));

test('a primary is one', async () => {
  expect(await look(standby, sharedSettings('postgres'))).toMatchObject({ status: 'ok' });
});

test.each([
  ['off', '30s', 'a VACUUM on the primary'],
  ['off', '-1', 'a VACUUM on the primary'],
  ['on', '30s', 'DDL or VACUUM on the primary'],
  ['on', '23h', 'DDL or VACUUM on the primary'],
])(
  'hot_standby_feedback %s and max_standby_streaming_delay %s: doctor and Plan refuse it with both settings',
  async (feedback, delay, why) => {
    await set(feedback, delay);
    const told = `hot_standby_feedback = ${feedback}, max_standby_streaming_delay = ${delay}): ${why}`;
    await expect
      .poll(() => look(standby, server.settings()))
      .toMatchObject({
        status: 'problem',
        detail: expect.stringContaining(told),
        hint: expect.stringContaining('max_standby_streaming_delay = -1'),
      });
    await expect(backUp()).rejects.toMatchObject({
      name: 'StandbyRefusedError',
      message: expect.stringContaining(told),
    });
    expect(await harness.catalogue()).toEqual([]);
  },
);

test.each(['-1', '24h'])(
  'a standby that keeps its snapshots (feedback, delay %s) is backed up',
  async (delay) => {
    await set('on', delay);
    await expect
      .poll(() => look(standby, server.settings()))
      .toMatchObject({
        status: 'ok',
        detail: expect.stringContaining('a standby (hot_standby_feedback = on'),
      });
    const before = (await harness.catalogue()).length;
    await backUp();
    expect(await harness.catalogue()).toHaveLength(before + 1);
  },
);
