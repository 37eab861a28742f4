/** The held snapshot on every major: detached holders, what a dead exported name answers, the catalogs' columns. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openSession } from '../../core/postgres/session.ts';
import { catalogHash } from '../../core/snapshot/catalog-hash.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { importSnapshot } from '../../core/snapshot/import-snapshot.ts';
import { readSnapshot } from '../../core/snapshot/marks.ts';
import { releaseSnapshot } from '../../core/snapshot/release-snapshot.ts';
import { watchSnapshot } from '../../core/snapshot/watch-snapshot.ts';
import { endSession, sampleRun, sessionsOf } from '../snapshot/support.ts';
import { databaseOn, startServer } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();

test.each([14, 15, 16, 17, 18])(
  'PostgreSQL %i: held, both holders replaced in turn, old rows seen, released',
  async (major) => {
    const server = await startServer({ major });
    try {
      await using database = await databaseOn(server, 'held');
      await database.query(`CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE account (id int, feeling mood);
      CREATE MATERIALIZED VIEW copied AS SELECT id FROM account; INSERT INTO account VALUES (1, 'sad')`);
      const { deps, runId } = await sampleRun(await folder(), database.settings, {
        options: { holdRoundSeconds: 2 },
      });
      expect(await holdSnapshot(deps, { runId, attempt: 1 })).toMatchObject({
        tables: 1,
        holders: 2,
      });
      await database.query('DELETE FROM account');
      for (const what of ['holder-1', 'holder-2']) {
        const victim = (await sessionsOf(database, runId)).find((session) => session.what === what);
        await endSession(database, victim?.pid ?? 0);
        expect(await watchSnapshot(deps, { runId })).toMatchObject({ isDone: false, holders: 2 });
      }
      const record = await readSnapshot(deps.workspace, runId);
      const dead = { pid: 1, applicationName: 'gone', snapshot: record.name };
      const never = { ...dead, snapshot: '0000AAAA-00000001-1' };
      const session = await openSession(database.settings, {
        applicationName: 'matrix',
        purpose: 'worker',
      });
      await importSnapshot(session, { ...record, holders: [dead, never, ...record.holders] });
      expect(await session.query('SELECT count(*) FROM public.account')).toEqual([{ count: '1' }]);
      await sleep(7_000);
      expect(await sessionsOf(database, runId)).toHaveLength(2);
      await session.close();
      expect(await releaseSnapshot(deps, { runId })).toEqual({ ended: 2 });
    } finally {
      await server.stop();
    }
  },
);

test.each([14, 15, 16, 17, 18])(
  'PostgreSQL %i: the catalog hash sees an index and no maintenance',
  async (major) => {
    const server = await startServer({ major });
    try {
      await using database = await databaseOn(server, 'hashed');
      await database.query(`CREATE TABLE account (id serial PRIMARY KEY); INSERT INTO account SELECT generate_series(1, 100);
      CREATE MATERIALIZED VIEW copied AS SELECT id FROM account`);
      await using session = await openSession(database.settings, {
        applicationName: 'matrix',
        purpose: 'control',
      });
      const before = await catalogHash(session);
      for (const sql of [
        'VACUUM FULL',
        'ANALYZE',
        'REFRESH MATERIALIZED VIEW copied',
        'CREATE TEMP TABLE t (id serial)',
      ]) {
        await database.query(sql);
        expect(await catalogHash(session), sql).toBe(before);
      }
      await database.query('CREATE INDEX ON copied (id)');
      expect(await catalogHash(session)).not.toBe(before);
      await session.close();
    } finally {
      await server.stop();
    }
  },
);
