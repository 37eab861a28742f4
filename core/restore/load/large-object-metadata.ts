/**
 * Owner, rights and comment of each large object; those without pages are made here.
 *
 * Invariants: statements of bounded transactions (each object that is given away is locked until the end); whatever was
 * done before may be done again. The role options hold as for tables.
 */
import type { RoleOptions } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { type AclItem, parseAclItem } from '../../schema/acl-item.ts';
import { identifier, literal } from '../../schema/sql-text.ts';

/** A row of the backup's segment. */
export interface LargeObjectRow {
  readonly oid: number;
  /** Null: its role was dropped. */
  readonly owner: string | null;
  /** Null: the default, everything to the owner. */
  readonly acl: readonly string[] | null;
  readonly comment: string | null;
}

export const metadataTable = `CREATE TEMPORARY TABLE IF NOT EXISTS holdfast_large_objects
  (oid pg_catalog.oid, owner pg_catalog.text, acl pg_catalog.text, comment pg_catalog.text) ON COMMIT PRESERVE ROWS`;
export const copyMetadata = `COPY pg_temp.holdfast_large_objects FROM STDIN WITH (ENCODING 'UTF8')`;

/** The rows with the lowest oids above `after`. */
export function readRows(
  session: Session,
  after: number,
  limit: number,
): Promise<(LargeObjectRow & { readonly presentOwner: string | null })[]> {
  return session.query(
    `SELECT o.oid, o.owner, o.acl::pg_catalog.text[] AS acl, o.comment,
            CASE WHEN m.oid IS NOT NULL THEN pg_catalog.pg_get_userbyid(m.lomowner)::pg_catalog.text END AS "presentOwner"
       FROM pg_temp.holdfast_large_objects o
       LEFT JOIN pg_catalog.pg_largeobject_metadata m ON m.oid = o.oid
      WHERE o.oid > $1::pg_catalog.oid ORDER BY o.oid LIMIT ${limit}`,
    [after],
  );
}

const privileges: Readonly<Record<string, string>> = { r: 'SELECT', w: 'UPDATE' };

/** @param presentOwner null: the object is not there yet */
export function statementsFor(
  row: LargeObjectRow,
  presentOwner: string | null,
  roles: RoleOptions,
): string[] {
  const { oid, comment } = row;
  const mapped = (role: string) =>
    Object.hasOwn(roles.map, role) ? (roles.map[role] as string) : role;
  const owner = row.owner === null || roles.noOwner ? undefined : mapped(row.owner);
  return [
    ...(presentOwner === null ? [`SELECT pg_catalog.lo_create(${oid})`] : []),
    ...(comment === null ? [] : [`COMMENT ON LARGE OBJECT ${oid} IS ${literal(comment)}`]),
    ...(owner === undefined || owner === presentOwner
      ? []
      : [`ALTER LARGE OBJECT ${oid} OWNER TO ${identifier(owner)}`]),
    ...(row.acl === null || roles.noPrivileges ? [] : grants(row, row.acl, mapped, owner)),
  ];
}

/** From the default ACL to this one. The owner's own grants come first, because the others' may rest on them. */
function grants(
  row: LargeObjectRow,
  acl: readonly string[],
  mapped: (role: string) => string,
  owner: string | undefined,
): string[] {
  const items = acl.map(parseAclItem);
  const isOwners = ({ grantor }: AclItem) => grantor === row.owner;
  const own = items.find((item) => item.grantee === row.owner && isOwners(item));
  const isDefault = own !== undefined && lettersOf(own) === 'rw';
  // Without an owner of its own the object stays ours, with our rights.
  const keepsOwn = owner === undefined || isDefault;
  const revoke = keepsOwn
    ? []
    : [`REVOKE ALL ON LARGE OBJECT ${row.oid} FROM ${identifier(owner)}`];
  const wanted = items.filter((item) => !(keepsOwn && item === own));
  const sorted = [...wanted.filter(isOwners), ...wanted.filter((item) => !isOwners(item))];
  return [
    ...revoke,
    ...sorted.flatMap((item) => {
      const given = grantsOf(row.oid, item, mapped);
      if (isOwners(item)) return given;
      return [`SET LOCAL ROLE ${identifier(mapped(item.grantor))}`, ...given, 'RESET ROLE'];
    }),
  ];
}

const lettersOf = (item: AclItem) =>
  item.privileges
    .map(({ letter, isGrantable }) => letter + (isGrantable ? '*' : ''))
    .sort()
    .join('');

function grantsOf(oid: number, item: AclItem, mapped: (role: string) => string): string[] {
  const to = item.grantee === '' ? 'PUBLIC' : identifier(mapped(item.grantee));
  return item.privileges.flatMap(({ letter, isGrantable }) => {
    const privilege = privileges[letter];
    if (privilege === undefined) return [];
    const option = isGrantable ? ' WITH GRANT OPTION' : '';
    return [`GRANT ${privilege} ON LARGE OBJECT ${oid} TO ${to}${option}`];
  });
}
