/**
 * Finds a transaction pooler between us and the server, by what it does and by what it is called.
 *
 * A snapshot is held by one server session, so each of our connections must be one. Behind a transaction pooler a
 * connection is whatever server session is free when a transaction begins.
 * Invariant: finding out sets nothing on the server: a setting would stay on a session that the application gets next.
 */
import type pg from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import { connectClient, describeTarget } from './connect.ts';
import type { ConnectionSettings } from './connection.ts';
import { internalsOf } from './pg-internals.ts';
import type { Session } from './session.ts';

export interface PoolerFinding {
  /** `RDS Proxy`, `PgBouncer`, …; `a transaction pooler` when its name could not be found out. */
  readonly pooler: string;
  /** What was seen. */
  readonly detail: string;
  /** The way round. */
  readonly hint: string;
}

interface KnownPooler {
  readonly name: string;
  readonly host: RegExp;
  /** Whether the host name alone decides: it pools transactions whatever a short look shows. */
  readonly isAlwaysRefused: boolean;
  readonly hint: string;
}

const knownPoolers: readonly KnownPooler[] = [
  {
    name: 'RDS Proxy',
    host: /\.proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$/i,
    // It pins a session after its first SET, so that it looks like a session, and ends it when the client has gone.
    isAlwaysRefused: true,
    hint: 'Connect to the endpoint of the DB instance or cluster itself, not of its proxy.',
  },
  {
    name: 'Supavisor',
    host: /\.pooler\.supabase\.com$/i,
    isAlwaysRefused: false,
    hint: 'Use the direct connection (db.<project>.supabase.co) or the session mode port 5432.',
  },
  {
    name: 'the pooler of Neon',
    host: /-pooler\.[a-z0-9.-]*neon\.tech$/i,
    isAlwaysRefused: false,
    hint: 'Use the direct host: the same name without "-pooler".',
  },
];

const genericHint =
  'Connect to the PostgreSQL server itself (its own port, often 5432 instead of 6432), or to a database of the ' +
  'pooler with pool_mode = session.';

/**
 * Which of two clients asks next. Real sessions keep two different processes. A pooler that hands out the session
 * that became free last shows the same one to both; one that goes round shows the first client two in a row.
 */
const turns = [0, 0, 1, 1, 0, 1, 1, 0] as const;

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}

/** @returns what gave it away, or `undefined` when both clients behaved as sessions */
async function observe(
  client: pg.Client,
  settings: ConnectionSettings,
): Promise<string | undefined> {
  const { client: other } = await connectClient(settings, 'holdfast/pooler-check');
  try {
    const clients = [client, other] as const;
    const seen: [number | undefined, number | undefined] = [undefined, undefined];
    for (const turn of turns) {
      const pid = await pidOf(clients[turn]);
      const before = seen[turn];
      if (before !== undefined && before !== pid) {
        return `one connection was served by the server processes ${before} and ${pid} in turn`;
      }
      if (seen[1 - turn] === pid)
        return `two connections were served by the same server process ${pid}`;
      seen[turn] = pid;
    }
    return undefined;
  } finally {
    await other.end();
  }
}

/** Odyssey and PgBouncer answer this themselves only on their console; PgBouncer makes up random process numbers. */
function nameByBehaviour(client: pg.Client): string {
  const { processID } = internalsOf(client);
  return processID !== null && (processID < 0 || processID > 4_194_304)
    ? 'a transaction pooler (process numbers as PgBouncer makes them)'
    : 'a transaction pooler';
}

async function find(
  client: pg.Client,
  settings: ConnectionSettings,
): Promise<PoolerFinding | undefined> {
  const known = knownPoolers.find(({ host }) => host.test(settings.host));
  if (known?.isAlwaysRefused === true) {
    return {
      pooler: known.name,
      detail: `${settings.host} is the name of a proxy`,
      hint: known.hint,
    };
  }
  const detail = await observe(client, settings);
  if (detail === undefined) return undefined;
  return {
    pooler: known?.name ?? nameByBehaviour(client),
    detail,
    hint: known?.hint ?? genericHint,
  };
}

/** Opens one more connection for the time of the look. @throws what connecting throws */
export async function detectPooler(session: Session): Promise<PoolerFinding | undefined> {
  return find(session.client, session.settings);
}

function errorOf(finding: PoolerFinding, settings: ConnectionSettings): HoldfastError {
  return new HoldfastError(
    'PoolerDetectedError',
    `${describeTarget(settings)} is reached through ${finding.pooler}: ${finding.detail}. ` +
      'A snapshot needs a session of its own on the server.',
    { hint: finding.hint, evidence: { pooler: finding.pooler } },
  );
}

/** @throws PoolerDetectedError */
export async function refusePooler(session: Session): Promise<void> {
  await refuseTransactionPooler(session.client, session.settings);
}

/** For a client that is not pinned yet. @throws PoolerDetectedError */
export async function refuseTransactionPooler(
  client: pg.Client,
  settings: ConnectionSettings,
): Promise<void> {
  const finding = await find(client, settings);
  if (finding !== undefined) throw errorOf(finding, settings);
}
