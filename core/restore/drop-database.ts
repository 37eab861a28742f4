/** Drops a database for good, whatever keeps the server from it. */
import type { Deps } from '../contract/deps.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { identifier } from '../schema/sql-text.ts';
import { switchOffEventTriggers } from './event-triggers.ts';
import { onDatabase } from './target-session.ts';

/**
 * @param beside a session of the same server in another database
 * @throws what the server says: prepared transactions, a logical replication slot, a missing right
 */
export async function dropDatabase(
  deps: Pick<Deps, 'connectionOf'>,
  run: Pick<RestoreRun, 'runId' | 'input'>,
  beside: Session,
  name: string,
): Promise<void> {
  const [obstacle] = await beside.query<{ isTemplate: boolean; hasSubscriptions: boolean }>(
    `SELECT d.datistemplate AS "isTemplate",
            EXISTS (SELECT FROM pg_catalog.pg_subscription s WHERE s.subdbid = d.oid) AS "hasSubscriptions"
       FROM pg_catalog.pg_database d WHERE d.datname = $1`,
    [name],
  );
  if (obstacle === undefined) return;
  if (obstacle.isTemplate) {
    await beside.query(`ALTER DATABASE ${identifier(name)} IS_TEMPLATE false`);
  }
  if (obstacle.hasSubscriptions) await dropSubscriptions(deps, run, name);
  await beside.query(`DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE)`);
}

/** The slot at the publisher belongs to the database that was backed up: it is let go, never dropped. */
async function dropSubscriptions(
  deps: Pick<Deps, 'connectionOf'>,
  run: Pick<RestoreRun, 'runId' | 'input'>,
  name: string,
): Promise<void> {
  const settings = onDatabase(await deps.connectionOf(run.input.target), name);
  await using session = await openSession(settings, {
    applicationName: applicationNameOf(run.runId, 'drop'),
    purpose: 'writer',
  });
  const found = await session.query<{ name: string }>(
    `SELECT subname AS name FROM pg_catalog.pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`,
  );
  await switchOffEventTriggers(session);
  for (const subscription of found.map((row) => identifier(row.name))) {
    await session.query(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
    await session.query(`ALTER SUBSCRIPTION ${subscription} SET (slot_name = NONE)`);
    await session.query(`DROP SUBSCRIPTION ${subscription}`);
  }
}
