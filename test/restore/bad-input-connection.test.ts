/** Bad input: connections to the target that break in the middle, again and again, and for good. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HoldfastError } from '../../core/contract/errors.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { fillShop } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

let harness: RestoreHarness;
let original: Record<string, unknown>;
beforeAll(async () => {
  harness = await makeRestoreHarness('bad_connection', async (database) => {
    await fillShop(database);
    await database.query(`
      -- Whatever the machine is like, there is time to end sessions: the first four that come here sleep until then.
      CREATE SEQUENCE ends;
      CREATE FUNCTION held(v int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
        IF v = 1 AND current_database() LIKE '%\\_held\\_restore\\_%' AND nextval('public.ends') <= 4 THEN
          PERFORM pg_sleep(600);
        END IF;
        RETURN v; END $$;
      ALTER TABLE accounts ADD held int GENERATED ALWAYS AS (public.held(id)) STORED;
      CREATE TABLE orders (id int PRIMARY KEY, account int NOT NULL REFERENCES accounts, note text);
      INSERT INTO orders SELECT i, i, repeat(md5(i::text), 8) FROM generate_series(1, 20000) i;
      CREATE INDEX orders_note ON orders (note);
      CREATE MATERIALIZED VIEW notes AS SELECT left(note, 1) AS n, count(*) FROM orders GROUP BY 1;`);
  });
  original = await contentOf(harness.source.database.name);
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** Small units, so that there are many sessions. A task tries three times again after a lost connection. */
const options = { unitBytes: 1 << 20 };

/** Ends sessions of the run as it happens to see them, but no task's more than twice, and each that is held. */
function endSessions(runId: string, among: RegExp): { stop(): Promise<Map<string, number>> } {
  const ended = new Map<string, number>();
  let isOver = false;
  const work = (async () => {
    while (!isOver) {
      const sessions = await onServer<{ pid: number; name: string; isHeld: boolean }>(
        'postgres',
        `SELECT pid, application_name AS name, wait_event IS NOT DISTINCT FROM 'PgSleep' AS "isHeld" FROM pg_stat_activity WHERE application_name LIKE 'holdfast/${runId}/%'`,
      );
      for (const { pid, name, isHeld } of sessions) {
        const what = name.split('/').at(-1) ?? '';
        const times = ended.get(what) ?? 0;
        if (!isHeld && (times >= 2 || !among.test(what) || Math.random() < 0.3)) continue;
        ended.set(what, times + 1);
        await onServer('postgres', `SELECT pg_terminate_backend(${pid})`);
      }
      await sleep(Math.random() * 40);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await work;
      return ended;
    },
  };
}

/** A way to the server that can be cut: all that is connected breaks, and while it is closed nothing connects. */
async function makeWire() {
  const { host, port } = sharedSettings('postgres');
  const sockets = new Set<Socket>();
  let isClosed = false;
  const server = createServer((near) => {
    if (isClosed) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of [...sockets]) socket.resetAndDestroy();
  };
  return {
    connection: {
      ...sharedSettings('postgres'),
      port: (server.address() as { port: number }).port,
    },
    cut,
    close() {
      isClosed = true;
      cut();
    },
    open() {
      isClosed = false;
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
    },
  };
}

async function expectIdentical(report: Awaited<ReturnType<RestoreHarness['restore']>>) {
  expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', differences: [] });
  expect(await contentOf(report.database as string)).toEqual(original);
  await onServer('postgres', `DROP DATABASE "${report.database}" WITH (FORCE)`);
}

describe('a restore', { timeout: 600_000 }, () => {
  it.each([
    ['of the load', /^(load|unit)/],
    ['of any work', /./],
  ])(
    'goes on when sessions %s are ended at random, twice each, and is identical',
    async (_, among) => {
      const runId = newRunId();
      const reaper = endSessions(runId, among);
      try {
        const database = harness.ownDatabase(`${harness.source.database.name}_held`);
        const report = await harness.restore({ options, database }, { runId });
        const ended = await reaper.stop();
        expect([...ended.values()].reduce((sum, times) => sum + times, 0)).toBeGreaterThan(2);
        await expectIdentical(report);
      } finally {
        await reaper.stop();
      }
    },
  );

  it('goes on when the network breaks three times, and is identical', async () => {
    await using wire = await makeWire();
    let cuts = 0;
    const states = new Set<string>();
    const report = await harness.restore(
      { options },
      {
        connection: wire.connection,
        onProgress: ({ state }) => {
          if (cuts >= 3 || states.has(state)) return;
          if (!['LoadUnit', 'Build', 'CompareUnit'].includes(state)) return;
          states.add(state);
          cuts += 1;
          setTimeout(wire.cut, 20 + Math.random() * 200);
        },
      },
    );
    expect(cuts).toBe(3);
    await expectIdentical(report);
  });

  it('that loses the server for good says so and what it had to leave; the same command takes that back', async () => {
    await using wire = await makeWire();
    const before = await harness.databases();
    const sourceBefore = await contentOf(harness.source.database.name);
    const request = harness.options(
      { options: { ...options, leaseSeconds: 2 } },
      {
        connection: wire.connection,
        // The first is of the plan, and tells how many bytes will come.
        onProgress: ({ state, rows = 0 }) => {
          if (state === 'LoadUnit' && rows > 0) wire.close();
        },
      },
    );
    const error: HoldfastError = await runRestore(request).then(
      () => expect.unreachable('It was not noticed.'),
      (thrown: HoldfastError) => thrown,
    );
    expect(error.name).toMatch(/^(ConnectionLost|SourceUnreachable)Error$/);
    expect(error.hint).not.toBe('');
    const left = (await harness.databases()).filter((one) => !before.includes(one));
    expect(left).toHaveLength(1);
    expect(JSON.stringify(error.evidence.troubles)).toContain(left[0]);
    expect(await harness.read(`restores/${request.runId}/report.json`)).toMatchObject({
      state: 'failed',
      error: { name: error.name },
    });
    expect(await contentOf(harness.source.database.name)).toEqual(sourceBefore);
    wire.open();
    await expectIdentical(await harness.restore({ options }, { connection: wire.connection }));
    expect((await harness.databases()).sort()).toEqual(before.sort());
  });
});
