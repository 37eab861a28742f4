/**
 * Large objects: how many there are, which way this role may read them, and where to cut their oids into ranges.
 *
 * Invariant: the ranges cover every oid that can exist, whatever the estimates say.
 */
import { escapeIdentifier } from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from '../postgres/session.ts';

export interface LargeObjectFacts {
  readonly count: number;
  /** Size of pg_largeobject on disk: data of all large objects, compressed as the server does. */
  readonly bytes: number;
  /** pages: read pg_largeobject; functions: lo_get as owner or by grant. */
  readonly by: 'pages' | 'functions';
}

export interface OidRange {
  /** Both ends belong to it. */
  readonly fromOid: number;
  readonly toOid: number;
}

const maxOid = 2 ** 32 - 1;

/** @throws PermissionDeniedError when the role may read neither pg_largeobject nor each of the objects */
export async function readLargeObjects(session: Session): Promise<LargeObjectFacts> {
  const [row] = await session.query<{ count: string; bytes: string; mayReadPages: boolean }>(`
    SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) AS count,
           pg_catalog.pg_table_size('pg_catalog.pg_largeobject') AS bytes,
           pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT') AS "mayReadPages"`);
  const count = Number(row?.count ?? 0);
  const bytes = Number(row?.bytes ?? 0);
  if (count === 0 || row?.mayReadPages === true) return { count, bytes, by: 'pages' };
  const unreadable = await countUnreadable(session);
  if (unreadable === 0) return { count, bytes, by: 'functions' };
  const role = session.client.user ?? '';
  throw new HoldfastError(
    'PermissionDeniedError',
    `The role ${role} may not read ${unreadable} of ${count} large objects.`,
    {
      hint: `GRANT pg_read_all_data TO ${escapeIdentifier(role)}; (as a superuser or rds_superuser), or make it their owner.`,
      evidence: { largeObjects: count, unreadable },
    },
  );
}

/** What lo_open asks: ownership or SELECT in the object's ACL, unless lo_compat_privileges is on. */
async function countUnreadable(session: Session): Promise<number> {
  const [row] = await session.query<{ unreadable: string }>(`
    SELECT pg_catalog.count(*) AS unreadable FROM pg_catalog.pg_largeobject_metadata m
     WHERE NOT pg_catalog.current_setting('lo_compat_privileges')::pg_catalog.bool
       AND NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')
       AND NOT EXISTS (
         SELECT FROM pg_catalog.aclexplode(m.lomacl) a
          WHERE a.privilege_type = 'SELECT'
            AND CASE WHEN a.grantee = 0 THEN true ELSE pg_catalog.pg_has_role(a.grantee, 'USAGE') END)`);
  return Number(row?.unreadable ?? 0);
}

/**
 * Ranges of about `objectsPerRange` large objects each. Sizes of single objects are not known without reading all
 * pages' keys, so ranges are by number; a unit that runs out of time hands back the rest.
 */
export async function largeObjectRanges(
  session: Session,
  objectsPerRange: number,
): Promise<OidRange[]> {
  const rows = await session.query<{ oid: number }>(
    `SELECT oid FROM (SELECT oid, pg_catalog.row_number() OVER (ORDER BY oid) AS number
                        FROM pg_catalog.pg_largeobject_metadata) numbered
      WHERE number > 1 AND number % $1::pg_catalog.int8 = ($1::pg_catalog.int8 > 1)::pg_catalog.int4
      ORDER BY oid`,
    [objectsPerRange],
  );
  const starts = [0, ...rows.map(({ oid }) => oid)];
  return starts.map((fromOid, i) => ({ fromOid, toOid: (starts[i + 1] ?? maxOid + 1) - 1 }));
}
