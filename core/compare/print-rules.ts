/**
 * What a newer server itself prints differently of the very same definition: the whole list.
 *
 * Invariant: a rule allows words that one of the two texts has and the other has not, nothing else. So a rule can hide no
 * other name, type, condition or value.
 */
import { tokens } from '../schema/split-tokens.ts';

interface PrintRule {
  /** First major version that prints it in the new way. */
  readonly since: number;
  /** Types of entries, as in pg_dump's headings. */
  readonly types: ReadonlySet<string>;
  readonly means: string;
  /** Words that only the older text has, at this place: how many; 0 when the rule does not hold. */
  readonly onlyOlder?: (older: Words, newer: Words) => number;
  /** Words that only the newer text has. */
  readonly onlyNewer?: (older: Words, newer: Words) => number;
}

/** Words from a place on. */
type Words = (offset: number) => string | undefined;

const isName = (word: string | undefined) => word !== undefined && /^["\p{L}_]/u.test(word);

export const printRules: readonly PrintRule[] = [
  {
    since: 16,
    types: new Set(['VIEW', 'MATERIALIZED VIEW', 'RULE']),
    means: 'columns of a query on one table are printed without its name',
    onlyOlder: (older, newer) =>
      isName(older(0)) && older(1) === '.' && older(2) === newer(0) && newer(1) !== '.' ? 2 : 0,
  },
  {
    since: 18,
    types: new Set(['TABLE', 'FOREIGN TABLE', 'DOMAIN']),
    means: 'NOT NULL constraints have names, which are printed when they are not the usual ones',
    onlyNewer: (older, newer) =>
      newer(0) === 'CONSTRAINT' && newer(2) === 'NOT' && newer(3) === 'NULL' && older(0) === 'NOT'
        ? 2
        : 0,
  },
  {
    since: 17,
    types: new Set(['ACL', 'DEFAULT ACL']),
    means:
      'all rights on a table are one more (MAINTAIN): whoever had all of them taken has it still, as it is new',
    onlyOlder: (older, newer) =>
      older(-1) === 'REVOKE' &&
      newer(0) === 'ALL' &&
      allTableRights.every((word, at) => older(at) === word)
        ? allTableRights.length
        : 0,
    onlyNewer: (older, newer) =>
      newer(-1) === 'REVOKE' && newer(0) === 'ALL' && older(0) === 'ON' ? 1 : maintainGrant(newer),
  },
];

/** As pg_dump lists those of older servers. */
const allTableRights = 'SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE'.split(/(,)/);

/** `; [ALTER DEFAULT PRIVILEGES …] GRANT MAINTAIN … TO role`, of the role from which the statement before took all. */
function maintainGrant(newer: Words): number {
  if (newer(0) !== ';') return 0;
  let end = 1;
  while (newer(end) !== undefined && newer(end) !== ';') end += 1;
  const words = Array.from({ length: end }, (_, at) => newer(at));
  const isGrant = words[words.indexOf('GRANT') + 1] === 'MAINTAIN';
  return isGrant && newer(end - 1) === newer(-1) ? end : 0;
}

export interface Printed {
  readonly text: string;
  readonly major: number;
}

/** Do two texts of one definition differ by nothing but what the two major versions print differently? */
export function isPrintedDifferently(type: string, one: Printed, other: Printed): boolean {
  const [older, newer] = one.major <= other.major ? [one, other] : [other, one];
  const rules = printRules.filter(
    ({ since, types }) => older.major < since && since <= newer.major && types.has(type),
  );
  return rules.length > 0 && agree(wordsOf(older.text), wordsOf(newer.text), rules);
}

function agree(older: string[], newer: string[], rules: readonly PrintRule[]): boolean {
  let [i, j] = [0, 0];
  const olderAt: Words = (offset) => older[i + offset];
  const newerAt: Words = (offset) => newer[j + offset];
  while (i < older.length || j < newer.length) {
    const moved = rules.some(({ onlyOlder, onlyNewer }) => {
      const inOlder = onlyOlder?.(olderAt, newerAt) ?? 0;
      const inNewer = onlyNewer?.(olderAt, newerAt) ?? 0;
      i += inOlder;
      j += inNewer;
      return inOlder + inNewer > 0;
    });
    if (moved) continue;
    if (older[i] !== newer[j]) return false;
    i += 1;
    j += 1;
  }
  return true;
}

/** Names, strings and signs; each sign by itself. */
function wordsOf(sql: string): string[] {
  const words: string[] = [];
  for (const { kind, from, to } of tokens(sql)) {
    if (kind === 'space' || kind === 'comment') continue;
    const text = sql.slice(from, to);
    if (kind === 'other') words.push(...text);
    else words.push(text);
  }
  return words;
}
