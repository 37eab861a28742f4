/**
 * SQL text cut into its statements, as psql does it: at each semicolon that is outside of strings, names, comments,
 * parentheses (CREATE RULE … DO (a; b)) and of BEGIN ATOMIC … END.
 *
 * Invariant: the statements, joined with semicolons, do what the text does.
 */
import { tokens } from './split-tokens.ts';

export interface Statement {
  /** Without the semicolon; empty for the comments after the last one. */
  readonly text: string;
  /** Comments and space before it. */
  readonly lead: string;
}

/** @throws InternalError when the text ends within a string, name or comment */
export function splitStatements(sql: string): string[] {
  return [...scanStatements(sql)].map(({ text }) => text).filter((text) => text !== '');
}

export function* scanStatements(sql: string): Generator<Statement> {
  let leadFrom = 0;
  let from = -1;
  let parentheses = 0;
  /** BEGIN ATOMIC and each CASE in it: END closes both. */
  let blocks = 0;
  let previous = '';
  for (const token of tokens(sql)) {
    if (token.kind === 'space' || token.kind === 'comment') continue;
    if (from < 0) from = token.from;
    const word = token.kind === 'string' ? '' : sql.slice(token.from, token.to);
    if (token.kind === 'name') blocks += opened(word.toLowerCase(), previous, blocks > 0);
    else if (word === '(') parentheses += 1;
    else if (word === ')') parentheses -= 1;
    else if (word === ';' && parentheses === 0 && blocks === 0) {
      const text = sql.slice(from, token.from).trimEnd();
      if (text !== '') {
        yield { text, lead: sql.slice(leadFrom, from) };
        leadFrom = token.to;
      }
      from = -1;
    }
    previous = token.kind === 'name' ? word.toLowerCase() : word;
  }
  if (from >= 0) yield { text: sql.slice(from).trimEnd(), lead: sql.slice(leadFrom, from) };
  else if (leadFrom < sql.length) yield { text: '', lead: sql.slice(leadFrom) };
}

/** `case` and `end` are reserved: a name like that is quoted. `begin` is not, so it only counts before `atomic`. */
function opened(word: string, previous: string, isInBlock: boolean): number {
  if (!isInBlock) return word === 'atomic' && previous === 'begin' ? 1 : 0;
  if (word === 'case') return 1;
  return word === 'end' ? -1 : 0;
}
