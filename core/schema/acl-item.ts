/** Access control items as the server prints them: `grantee=privileges/grantor`. https://www.postgresql.org/docs/current/ddl-priv.html */
import { HoldfastError } from '../contract/errors.ts';

export interface AclItem {
  /** `''`: PUBLIC. */
  readonly grantee: string;
  readonly grantor: string;
  readonly privileges: readonly { readonly letter: string; readonly isGrantable: boolean }[];
}

/** A name is quoted with `"` doubled inside as soon as it is not just letters, digits and underscores. */
const syntax = /^(?:"((?:[^"]|"")*)"|([^"=]*))=((?:[A-Za-z]\*?)*)\/(?:"((?:[^"]|"")*)"|([^"]*))$/s;

/** @throws InternalError when the text is none */
export function parseAclItem(item: string): AclItem {
  const match = syntax.exec(item);
  if (match === null) {
    throw new HoldfastError(
      'InternalError',
      `The ACL item ${JSON.stringify(item)} cannot be read.`,
    );
  }
  const [, quotedGrantee, grantee = '', letters = '', quotedGrantor, grantor = ''] = match;
  return {
    grantee: quotedGrantee?.replaceAll('""', '"') ?? grantee,
    grantor: quotedGrantor?.replaceAll('""', '"') ?? grantor,
    privileges: [...letters.matchAll(/([A-Za-z])(\*?)/g)].map(([, letter = '', star]) => ({
      letter,
      isGrantable: star === '*',
    })),
  };
}
