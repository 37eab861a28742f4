/** What is taken away from a run while it works: its connections, and the room in its vault. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import { newRunId, runBackup } from '../../local/engine/run-backup.ts';
import { expectNoSessions, fillShop, type Harness, makeHarness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('lost');
  await fillShop(harness.database);
});
afterAll(() => harness[Symbol.asyncDispose]());

describe('a backup whose connections break while rows are dumped', () => {
  it('connects again and succeeds', async () => {
    let ended: Promise<unknown[]> | undefined;
    const report = await runBackup(
      harness.options(
        {
          onProgress: ({ state }) => {
            if (state !== 'DumpUnit') return;
            ended ??= harness.database.query(
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name LIKE 'holdfast/%/unit-%'`,
            );
          },
        },
        { options: { chunkBytes: 256 << 10 } },
      ),
    );
    expect(await ended).toBeDefined();
    expect(report).toMatchObject({ state: 'published', rows: 20_003 });
  });
});

describe('a backup whose vault has no room left', () => {
  it('fails with what to do, and nothing looks like a backup', async () => {
    const runId = newRunId();
    const { vault } = harness.deps;
    const openWriter = vault.openWriter.bind(vault);
    vault.openWriter = async (key, options) => {
      const writer = await openWriter(key, options);
      if (!key.includes('/data/')) return writer;
      return Object.assign(writer, {
        write: async () => {
          throw new HoldfastError('VaultFullError', 'No space is left on the device of the vault.');
        },
      });
    };
    const published = await harness.catalogue();
    try {
      await expect(harness.runHere(undefined, runId)).rejects.toMatchObject({
        name: 'VaultFullError',
        hint: expect.stringContaining('space'),
      });
    } finally {
      vault.openWriter = openWriter;
    }
    expect(await harness.catalogue()).toEqual(published);
    await expectNoSessions(harness);
    const outcome = await harness.deps.workspace.get(`runs/${runId}/outcome.json`);
    expect(JSON.parse(Buffer.from(outcome?.body ?? []).toString())).toMatchObject({
      state: 'failed',
      error: 'VaultFullError',
    });
  });
});
