/** Bad input: the target has no space left, in the rows and in the indexes. What was restored so far is given back. */
import { spawnSync } from 'node:child_process';
import { chown, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectRefused } from './bad-input.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

const full = {
  name: 'TargetFullError',
  message: /No space left on device/,
  hint: /Free space on the target.*taken away again.*same command/,
  isBegun: true,
} as const;

describe('a target that says that its disk is full', { timeout: 180_000 }, () => {
  /** The SQLSTATE and the words are those of a full disk, raised by the server; the disk is not full. */
  const fill = `
    CREATE FUNCTION full_in(what text, v int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
      IF strpos(current_database(), '_full_' || what) > 0 THEN
        RAISE 'could not extend file "base/5/16384": No space left on device' USING ERRCODE = 'disk_full';
      END IF;
      RETURN v; END $$;
    CREATE TABLE items (id int, twice int GENERATED ALWAYS AS (public.full_in('rows', id)) STORED);
    INSERT INTO items (id) SELECT generate_series(1, 20000);
    CREATE INDEX items_index ON items (public.full_in('index', id));
    CREATE MATERIALIZED VIEW late AS SELECT public.full_in('view', id) AS id FROM items;`;

  let harness: RestoreHarness;
  beforeAll(async () => {
    harness = await makeRestoreHarness('bad_full', async (database) => {
      await database.query(fill);
    });
  });
  afterAll(() => harness?.[Symbol.asyncDispose]());

  it.each(['rows', 'index', 'view'])('in the %s', async (what) => {
    await expectRefused(
      harness,
      { database: `${harness.source.database.name}_full_${what}` },
      full,
    );
  });
});

/**
 * Mounts a small file system; a developer's machine may not allow it (no root, no CAP_SYS_ADMIN), CI must.
 *
 * @returns why it could not be mounted
 */
function mount(folder: string, options: string): string | undefined {
  const { status, stderr, error } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', options, 'tmpfs', folder],
    { encoding: 'utf8' },
  );
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

describe('a target whose disk is full', { timeout: 180_000 }, () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) {
      spawnSync('umount', [folder]);
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('gives the space back', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-full-'));
    const refusal = mount(folder, 'size=12m');
    if (refusal !== undefined) {
      await rm(folder, { recursive: true, force: true });
      const why = `A tmpfs cannot be mounted (it needs root and CAP_SYS_ADMIN): ${refusal}`;
      if (process.env.CI !== undefined) throw new Error(why);
      context.skip(why);
    }
    folders.push(folder);
    const [row] = await onServer<{ folder: string }>(
      'postgres',
      `SELECT current_setting('data_directory') AS folder`,
    );
    const { uid, gid } = await stat(row?.folder ?? '');
    await chown(folder, uid, gid);
    const space = `space_${Date.now()}`;
    await onServer('postgres', `CREATE TABLESPACE ${space} LOCATION '${folder}'`);
    try {
      // The table fits once and not twice; its index, in the default tablespace, does.
      await using harness = await makeRestoreHarness('bad_real_full', async (database) => {
        await database.query(`
          CREATE TABLE items (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = off) TABLESPACE ${space};
          INSERT INTO items SELECT i, repeat(md5(i::text), 6) FROM generate_series(1, 30000) i;
          CHECKPOINT;`);
      });
      const free = async () => Math.round(Number((await statfs(folder)).bavail) / 64);
      const before = await free();
      await expectRefused(harness, {}, full);
      expect(await free()).toBe(before);
    } finally {
      await onServer('postgres', `DROP TABLESPACE ${space}`);
    }
  });
});
