/** The ACL of a database (aclitem texts) as GRANT and REVOKE. https://www.postgresql.org/docs/current/ddl-priv.html */
import { HoldfastError } from '../contract/errors.ts';
import { identifier } from './sql-text.ts';

const privileges: Readonly<Record<string, string>> = { C: 'CREATE', T: 'TEMPORARY', c: 'CONNECT' };

/** A name is quoted with `"` doubled inside as soon as it is not just letters, digits and underscores; empty: PUBLIC. */
const aclItem = /^(?:"((?:[^"]|"")*)"|([^"=]*))=((?:[A-Za-z]\*?)*)\/.*$/s;

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
  const match = aclItem.exec(item);
  if (match === null) {
    throw new HoldfastError(
      'InternalError',
      `The ACL item ${JSON.stringify(item)} cannot be read.`,
    );
  }
  const [, quoted, plain, letters = ''] = match;
  const name = quoted?.replaceAll('""', '"') ?? plain ?? '';
  const grantee = name === '' ? 'PUBLIC' : identifier(name);
  return [...letters.matchAll(/([A-Za-z])(\*?)/g)].flatMap(([, letter = '', star]) => {
    const privilege = privileges[letter];
    if (privilege === undefined) return [];
    const option = star === '*' ? ' WITH GRANT OPTION' : '';
    return [{ before: `GRANT ${privilege} ON DATABASE `, after: ` TO ${grantee}${option}` }];
  });
}
