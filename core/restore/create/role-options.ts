/**
 * Owners and rights as the target is to have them: left away, or given to other roles.
 *
 * Invariant: only places where pg_dump writes a role are touched (owner, GRANT, REVOKE, default privileges, policies,
 * user mappings, grantors); the same word in a string, a column or a body stays.
 */
import type { RoleOptions } from '../../contract/restore.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { type Token, tokens } from '../../schema/split-tokens.ts';
import { identifier } from '../../schema/sql-text.ts';

type Word = Pick<Token, 'from' | 'to'> & {
  /** Lower case; of a quoted name as it is, with its quotes. */
  readonly text: string;
};

export function applyRoleOptions(
  entries: readonly SchemaEntry[],
  options: RoleOptions,
): SchemaEntry[] {
  const { noOwner, noPrivileges, map } = options;
  const isMapped = Object.keys(map).length > 0;
  return entries
    .filter(({ type }) => !(noPrivileges && (type === 'ACL' || type === 'DEFAULT ACL')))
    .map((entry) => {
      const statements = entry.statements
        .filter((statement) => !(noOwner && isOwnerStatement(statement)))
        .map((statement) => (isMapped ? mapRoles(statement, map) : statement));
      const owner = entry.owner === null ? null : mappedName(entry.owner, map);
      return { ...entry, owner: noOwner ? null : owner, statements };
    });
}

const mappedName = (role: string, map: RoleOptions['map']) =>
  Object.hasOwn(map, role) ? (map[role] as string) : role;

const isOwnerStatement = (statement: string) =>
  /^ALTER .* OWNER TO [^']*$/s.test(statement) && ownerOf(wordsOf(statement)) !== undefined;

function mapRoles(statement: string, map: RoleOptions['map']): string {
  if (!/^(ALTER|GRANT|REVOKE|CREATE (POLICY|USER MAPPING)|SET SESSION)\b/.test(statement)) {
    return statement;
  }
  let mapped = '';
  let at = 0;
  for (const word of rolesIn(wordsOf(statement))) {
    const role = nameOf(word);
    if (!Object.hasOwn(map, role)) continue;
    mapped += statement.slice(at, word.from) + identifier(mappedName(role, map));
    at = word.to;
  }
  return mapped + statement.slice(at);
}

/** Words outside of parentheses. */
function wordsOf(statement: string): Word[] {
  const words: Word[] = [];
  let depth = 0;
  for (const { kind, from, to } of tokens(statement)) {
    if (kind === 'space' || kind === 'comment') continue;
    const text = statement.slice(from, to);
    if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    else if (depth === 0)
      words.push({ text: kind === 'name' ? text.toLowerCase() : text, from, to });
  }
  return words;
}

/** Keywords that precede a role are reserved (to, from), or stand where no name can stand. */
function rolesIn(words: readonly Word[]): Word[] {
  const is = (at: number, ...texts: string[]) =>
    texts.every((text, offset) => words[at + offset]?.text === text);
  const after = (...texts: string[]) =>
    words.flatMap((_, at) => (is(at, ...texts) ? listAt(words, at + texts.length) : []));
  if (is(0, 'grant') || is(0, 'revoke')) return [...after('to'), ...after('from')];
  if (is(0, 'create', 'policy')) return after('to');
  if (is(0, 'create', 'user', 'mapping', 'for')) return listAt(words, 4);
  if (is(0, 'set', 'session', 'authorization')) return listAt(words, 3);
  if (is(0, 'alter', 'default', 'privileges')) {
    const owner = is(3, 'for', 'role') ? listAt(words, 5) : [];
    return [...owner, ...after('to'), ...after('from')];
  }
  const owner = is(0, 'alter') ? ownerOf(words) : undefined;
  return owner === undefined ? [] : [owner];
}

const ownerOf = (words: readonly Word[]): Word | undefined =>
  words.at(-3)?.text === 'owner' && words.at(-2)?.text === 'to' ? words.at(-1) : undefined;

/** `a, b`: the names from there on, as far as commas join them. PUBLIC is none. */
function listAt(words: readonly Word[], from: number): Word[] {
  const list: Word[] = [];
  for (let at = from; ; at += 2) {
    const word = words[at];
    if (word === undefined) return list;
    if (word.text !== 'public') list.push(word);
    if (words[at + 1]?.text !== ',') return list;
  }
}

const nameOf = ({ text }: Word) =>
  text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
