/**
 * What materialized views hold: count and fingerprint of their rows, read as the rows of a table are, and kept nowhere. A
 * restore refreshes them, and what one held before tells whether it was stale.
 *
 * Invariants: the caller's transaction goes on whatever a view answers, and keeps no lock on it; a view that is not read is
 * named with its reason. It is a remark on the side: its time has an end.
 */
import type { MaterializedView } from '../contract/manifest.ts';
import { CopyReader } from '../copy/copy-reader.ts';
import { quotedTable } from '../copy/copy-statement.ts';
import { isUserSchema } from '../plan/match-patterns.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { Session } from '../postgres/session.ts';
import { extensionMembersSql } from './extension-members.ts';

export interface ViewLimits {
  /** On disk; a larger view is not read. */
  readonly maxBytes: number;
  /** For all of them together. */
  readonly totalMs: number;
}

/** 1 GB is read in some seconds, and a backup is never later than half a minute by this. */
export const viewLimits: ViewLimits = { maxBytes: 1 << 30, totalMs: 30_000 };

/** Who refreshes a view just now is not waited for. */
const lockWaitMs = 1_000;

export interface FoundView {
  readonly oid: number;
  readonly schemaOid: number;
  readonly schema: string;
  readonly name: string;
}

/**
 * Those that hold rows, none of an extension's own; by name.
 *
 * @param session in a transaction, with the pins of the dump
 * @throws ConnectionLostError
 */
export async function readMaterializedViews(
  session: Session,
  takes: (view: FoundView) => boolean,
  limits: ViewLimits = viewLimits,
): Promise<MaterializedView[]> {
  const views = (await session.query<FoundView>(populatedSql)).filter(takes);
  const end = performance.now() + limits.totalMs;
  const read: MaterializedView[] = [];
  // Three megabytes of memory, for those who have such views.
  const reader = views.length === 0 ? undefined : new CopyReader();
  for (const view of views) {
    const { schema, name } = view;
    const leftMs = Math.floor(end - performance.now());
    const found =
      reader === undefined || leftMs <= 0
        ? notRead('time')
        : await readView(session, reader, view, { ...limits, totalMs: leftMs });
    read.push({ schema, name, ...found });
  }
  return read;
}

type Found = Omit<MaterializedView, 'schema' | 'name'>;

const notRead = (why: NonNullable<MaterializedView['notRead']>): Found => ({
  rows: null,
  fingerprint: null,
  notRead: why,
});

async function readView(
  session: Session,
  reader: CopyReader,
  view: FoundView,
  { maxBytes, totalMs }: ViewLimits,
): Promise<Found> {
  await session.query('SAVEPOINT read_view');
  try {
    await session.query(
      `SELECT pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', $2, true)`,
      [String(lockWaitMs), String(totalMs)],
    );
    const [size] = await session.query<{ bytes: string | null }>(
      'SELECT pg_catalog.pg_table_size($1::pg_catalog.oid::pg_catalog.regclass) AS bytes',
      [view.oid],
    );
    if (size?.bytes === null || size === undefined) return notRead('failed');
    if (Number(size.bytes) > maxBytes) return notRead('size');
    const copy = reader.copy(session, {
      sql: `COPY (SELECT * FROM ONLY ${quotedTable(view)}) TO STDOUT`,
      format: 'text',
      what: `Reading ${quotedTable(view)}`,
    });
    for await (const _ of copy) {
      // The reader hashes; nobody needs the text.
    }
    const { rows, fingerprint } = copy.result;
    return { rows, fingerprint };
  } catch (error) {
    const state = sqlstateOf(error);
    const isAnswer = state !== undefined && !isEndOfSession(state);
    if (!isAnswer) throw error;
    return notRead(reasons[state] ?? 'failed');
  } finally {
    // Gives the lock back too, and the settings. A session that is gone has thrown already.
    await session
      .query('ROLLBACK TO SAVEPOINT read_view; RELEASE SAVEPOINT read_view')
      .catch(() => undefined);
  }
}

/** lock_not_available, query_canceled, insufficient_privilege */
const reasons: Readonly<Record<string, MaterializedView['notRead']>> = {
  '55P03': 'time',
  '57014': 'time',
  '42501': 'rights',
};

/** Class 08: connection; 57P01 to 57P05: the server or somebody ends the session. */
const isEndOfSession = (state: string) => state.startsWith('08') || state.startsWith('57P');

const populatedSql = `
  SELECT c.oid, n.oid AS "schemaOid", n.nspname AS schema, c.relname AS name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN (${extensionMembersSql}) member ON member.oid = c.oid
   WHERE c.relkind = 'm' AND c.relispopulated AND member.oid IS NULL AND ${isUserSchema}
   ORDER BY n.nspname, c.relname`;
