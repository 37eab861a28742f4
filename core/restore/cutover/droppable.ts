/**
 * What keeps the server from dropping a database that was put aside, though nobody can connect to it.
 *
 * Invariant: nothing of it is taken away here: a subscription or a prepared transaction may be the reason to keep it.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier, literal } from '../../schema/sql-text.ts';
import type { DatabaseIdentity } from './database-facts.ts';

interface Found {
  readonly isTemplate: boolean;
  readonly subscriptions: string[];
  readonly prepared: string[];
  /** Pids of those that read from its logical replication slots. */
  readonly readers: number[];
}

/** @throws TargetInUseError with the statements to run */
export async function requireDroppable(
  session: Session,
  { oid, name }: DatabaseIdentity,
): Promise<void> {
  const [found] = await session.query<Found>(
    `SELECT d.datistemplate AS "isTemplate",
            ARRAY(SELECT s.subname::pg_catalog.text FROM pg_catalog.pg_subscription s WHERE s.subdbid = d.oid ORDER BY 1) AS subscriptions,
            ARRAY(SELECT p.gid FROM pg_catalog.pg_prepared_xacts p WHERE p.database = d.datname ORDER BY 1) AS prepared,
            ARRAY(SELECT r.active_pid FROM pg_catalog.pg_replication_slots r
                   WHERE r.datoid = d.oid AND r.active_pid IS NOT NULL ORDER BY 1) AS readers
       FROM pg_catalog.pg_database d WHERE d.oid = $1`,
    [oid],
  );
  if (found === undefined) return;
  const obstacles = obstaclesOf(found);
  if (obstacles.length === 0) return;
  throw new HoldfastError(
    'TargetInUseError',
    `Database ${JSON.stringify(name)} cannot be dropped: it has ${obstacles.join(', ')}.`,
    { hint: `${statementsOf(name, found).join(' ')} Then do this again.`, evidence: { ...found } },
  );
}

const obstaclesOf = ({ isTemplate, subscriptions, prepared, readers }: Found): string[] => [
  ...(isTemplate ? ['the mark of a template'] : []),
  ...subscriptions.map((name) => `subscription ${JSON.stringify(name)}`),
  ...prepared.map((gid) => `prepared transaction ${JSON.stringify(gid)}`),
  ...readers.map((pid) => `a replication slot that is read from (pid ${pid})`),
];

function statementsOf(
  database: string,
  { isTemplate, subscriptions, prepared, readers }: Found,
): string[] {
  const within = [
    ...subscriptions
      .map(identifier)
      .map((name) => `ALTER SUBSCRIPTION ${name} DISABLE; DROP SUBSCRIPTION ${name};`),
    ...prepared.map((gid) => `ROLLBACK PREPARED ${literal(gid)};`),
  ];
  const alter = `ALTER DATABASE ${identifier(database)}`;
  return [
    ...(isTemplate ? [`${alter} IS_TEMPLATE false;`] : []),
    ...readers.map((pid) => `SELECT pg_terminate_backend(${pid});`),
    ...(within.length > 0
      ? [`${alter} ALLOW_CONNECTIONS true; and connected to it: ${within.join(' ')}`]
      : []),
    ...(subscriptions.length > 0
      ? [
          'DROP SUBSCRIPTION drops its slot at the publisher too: where that shall stay, or is out of reach, ALTER SUBSCRIPTION … SET (slot_name = NONE) before it.',
        ]
      : []),
  ];
}
