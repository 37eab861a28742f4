import pg from 'pg';
import { expect, test } from 'vitest';
import { dropScratch } from '../../core/drill/drop-scratch.ts';
import { cutoverBegunSchema } from '../../core/restore/cutover/database-facts.ts';
import { writeFact } from '../../core/restore/restore-run.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { fillShop, makeHarness } from '../backup/harness.ts';
import { makeWorkDatabase, targetDeps } from '../restore/cutover-harness.ts';
import { planRun } from '../restore/planned-run.ts';
import { databases, dropDatabases, onServer, unique } from '../restore/shared-server.ts';

test('a scratch database goes, template and subscriptions or not; one that somebody else has made stays', async () => {
  await using harness = await makeHarness('drop_scratch');
  await fillShop(harness.database);
  const { backupId } = await runBackup(harness.options());
  const manifest = await harness.manifest(backupId);
  const deps = targetDeps(harness.deps);
  const name = unique('scratch');
  const quoted = pg.escapeIdentifier(name);
  const run = await planRun(deps, manifest, { workDatabase: name, finalDatabase: name });
  const begin = (oid: number) =>
    writeFact(deps.workspace, run.runId, 'cutover-begun', cutoverBegunSchema, {
      work: { oid, name, allowsConnections: true },
      previous: null,
    });
  const oidNow = async () => {
    const [row] = await onServer<{ oid: number }>(
      'postgres',
      'SELECT oid::int AS oid FROM pg_database WHERE datname = $1',
      [name],
    );
    return row?.oid ?? 0;
  };
  try {
    await makeWorkDatabase(run);
    await begin(await oidNow());
    await onServer('postgres', `ALTER DATABASE ${quoted} IS_TEMPLATE true`);
    await onServer(
      name,
      `CREATE SUBSCRIPTION "odd sub" CONNECTION 'host=127.0.0.1 port=1 dbname=none' PUBLICATION p
        WITH (connect = false, slot_name = 'theirs')`,
    );
    await dropScratch(deps, run);
    expect(await databases([name])).toEqual([]);
    await dropScratch(deps, run);

    await onServer('postgres', `CREATE DATABASE ${quoted} TEMPLATE template0`);
    await dropScratch(deps, run);
    expect(await databases([name])).toEqual([name]);

    // Killed in its cutover, before it got its name.
    const early = await planRun(deps, manifest, {
      workDatabase: `${name}_restore`,
      finalDatabase: `${name}_final`,
    });
    await makeWorkDatabase(early);
    const [row] = await onServer<{ oid: number }>(
      'postgres',
      'SELECT oid::int AS oid FROM pg_database WHERE datname = $1',
      [early.workDatabase],
    );
    await writeFact(deps.workspace, early.runId, 'cutover-begun', cutoverBegunSchema, {
      work: { oid: row?.oid ?? 0, name: early.workDatabase, allowsConnections: true },
      previous: null,
    });
    await dropScratch(deps, early);
    expect(await databases([early.workDatabase])).toEqual([]);
  } finally {
    await dropDatabases([name, `${name}_restore`]);
  }
});
