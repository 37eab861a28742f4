import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { standby } from '../../core/doctor/checks/server.ts';
import { openSession } from '../../core/postgres/session.ts';
import { defaultBinaries, type EmbeddedServer } from '../../local/embedded-server.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { backup, compare, live } from '../compare/support.ts';
import { look } from '../support/doctor.ts';
import { sharedSettings, startServer, testDatabase } from '../support/postgres.ts';
import { restoreBackup } from '../support/restore-backup.ts';

let server: EmbeddedServer;
let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('standby');
  server = await startServer({
    prepare(folder, owner) {
      asPrimary(folder, owner, [
        'CREATE UNLOGGED TABLE scratch (id serial, n int GENERATED ALWAYS AS IDENTITY (START 5))',
        'INSERT INTO scratch SELECT FROM generate_series(1, 3)',
        'CREATE SEQUENCE kept',
        "SELECT setval('kept', 7)",
      ]);
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

/** What the primary had done before: in single-user mode each line is a statement. */
function asPrimary(folder: string, owner: object | undefined, statements: readonly string[]): void {
  // Where the server may not run those of node_modules, it has a copy beside its data.
  const copy = join(folder, '../binaries');
  const postgres = join(existsSync(copy) ? copy : defaultBinaries(), 'bin/postgres');
  const input = `${statements.join('\n')}\n`;
  const options = { ...owner, input, cwd: folder, encoding: 'utf8' } as const;
  const { status, stderr } = spawnSync(postgres, ['--single', '-D', folder, 'postgres'], options);
  if (status !== 0 || /ERROR/.test(stderr)) throw new Error(stderr);
}

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

test('sequences of unlogged tables are in it with their start values, and a warning says so', async () => {
  await set('on', '-1');
  const { backupId } = await backUp();
  const manifest = await harness.manifest(backupId);
  const { inventory, tables, warnings } = manifest;
  expect(tables).toMatchObject([{ name: 'scratch', dataExcluded: 'unlogged-on-standby' }]);
  expect(inventory.sequences).toEqual([
    { schema: 'public', name: 'kept', lastValue: '7', isCalled: true },
    { schema: 'public', name: 'scratch_id_seq', lastValue: '1', isCalled: false },
    { schema: 'public', name: 'scratch_n_seq', lastValue: '5', isCalled: false },
  ]);
  expect(warnings).toEqual([
    {
      code: 'unlogged-on-standby',
      message: expect.stringMatching(/public\.scratch_id_seq, public\.scratch_n_seq/),
      hint: expect.stringContaining('primary'),
    },
  ]);
  await using target = await testDatabase('standby_target');
  await restoreBackup(harness.deps, manifest, target.url);
  for (const other of [live(target), live({ settings: server.settings() })]) {
    const { differences } = await compare(backup(harness.deps, manifest), other);
    expect(differences).toEqual([]);
  }
});
