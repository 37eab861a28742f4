/** The ACL of a database (aclitem texts) as GRANT and REVOKE. https://www.postgresql.org/docs/current/ddl-priv.html */
import { parseAclItem } from './acl-item.ts';
import { identifier } from './sql-text.ts';

const privileges: Readonly<Record<string, string>> = { C: 'CREATE', T: 'TEMPORARY', c: 'CONNECT' };

export interface DatabaseStatement {
  /** The database's name goes between these two. */
  readonly before: string;
  readonly after: string;
}

/** From the default ACL (`=Tc/owner`, everything to the owner) to the one given. */
export function databaseGrants(acl: readonly string[], owner: string): DatabaseStatement[] {
  const revokes = ['PUBLIC', identifier(owner)].map((grantee) => ({
    before: 'REVOKE ALL ON DATABASE ',
    after: ` FROM ${grantee}`,
  }));
  return [...revokes, ...acl.flatMap(grantsOf)];
}

function grantsOf(item: string): DatabaseStatement[] {
  const { grantee, privileges: granted } = parseAclItem(item);
  const to = grantee === '' ? 'PUBLIC' : identifier(grantee);
  return granted.flatMap(({ letter, isGrantable }) => {
    const privilege = privileges[letter];
    if (privilege === undefined) return [];
    const option = isGrantable ? ' WITH GRANT OPTION' : '';
    return [{ before: `GRANT ${privilege} ON DATABASE `, after: ` TO ${to}${option}` }];
  });
}
