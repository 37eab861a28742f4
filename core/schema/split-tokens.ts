/**
 * The words of SQL text as PostgreSQL's own scanner cuts them, as far as it matters for finding the ends of statements
 * and names: https://www.postgresql.org/docs/current/sql-syntax-lexical.html, with standard_conforming_strings on.
 *
 * Invariant: the tokens cover the text without a gap.
 */
import { HoldfastError } from '../contract/errors.ts';

export type TokenKind = 'space' | 'comment' | 'string' | 'name' | 'quoted-name' | 'other';

export interface Token {
  readonly kind: TokenKind;
  readonly from: number;
  readonly to: number;
}

/** Letters of any script count as letters; a comment ends at a line feed or a carriage return. */
const nameStart = 'A-Za-z_\\u0080-\\uffff';
const pattern = new RegExp(
  [
    '(?<space>[ \\t\\n\\r\\f\\v]+)',
    '(?<comment>--[^\\n\\r]*)',
    '(?<open>/\\*|["\'])',
    `(?<dollar>\\$(?:[${nameStart}][${nameStart}0-9]*)?\\$)`,
    `(?<name>[${nameStart}][${nameStart}0-9$]*)`,
    // Signs that mean nothing here, many at once; those that may begin something else one by one.
    `(?<other>[0-9.,:=<>+*%^&|~!@#?\`]+|[^])`,
  ].join('|'),
  'y',
);

/** @throws InternalError when the text ends within a string, name or comment */
export function* tokens(sql: string): Generator<Token> {
  let at = 0;
  while (at < sql.length) {
    pattern.lastIndex = at;
    const groups = pattern.exec(sql)?.groups ?? {};
    const { space, comment, open, dollar, name } = groups;
    const from = at;
    let kind: TokenKind = 'other';
    if (space !== undefined) [kind, at] = ['space', at + space.length];
    else if (comment !== undefined) [kind, at] = ['comment', at + comment.length];
    else if (open === "'") [kind, at] = ['string', endOfQuoted(sql, at, "'")];
    else if (open === '"') [kind, at] = ['quoted-name', endOfQuoted(sql, at, '"')];
    else if (open !== undefined) [kind, at] = ['comment', endOfComment(sql, at)];
    else if (dollar !== undefined) [kind, at] = ['string', endOfDollar(sql, at, dollar)];
    else if ((name === 'E' || name === 'e') && sql[at + 1] === "'") {
      [kind, at] = ['string', endOfEscaped(sql, at + 1)];
    } else if (name !== undefined) [kind, at] = ['name', at + name.length];
    else at += groups['other']?.length ?? 1;
    yield { kind, from, to: at };
  }
}

/** A doubled quote is one that belongs to the text. */
function endOfQuoted(sql: string, from: number, quote: string): number {
  for (let at = from + 1; ; at += 2) {
    at = sql.indexOf(quote, at);
    if (at < 0) throw unfinished(from);
    if (sql[at + 1] !== quote) return at + 1;
  }
}

/** E'…': a backslash takes the next character with it. `from` is at the quote. */
function endOfEscaped(sql: string, from: number): number {
  for (let at = from + 1; at < sql.length; at += 1) {
    if (sql[at] === '\\') at += 1;
    else if (sql[at] === "'") {
      if (sql[at + 1] !== "'") return at + 1;
      at += 1;
    }
  }
  throw unfinished(from);
}

function endOfDollar(sql: string, from: number, tag: string): number {
  const at = sql.indexOf(tag, from + tag.length);
  if (at < 0) throw unfinished(from);
  return at + tag.length;
}

/** Comments of this kind nest. */
function endOfComment(sql: string, from: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = from;
  for (let depth = 0; ; ) {
    const mark = marks.exec(sql);
    if (mark === null) throw unfinished(from);
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
}

/** Never the text itself: it may hold secrets. */
const unfinished = (from: number) =>
  new HoldfastError(
    'InternalError',
    `SQL text ends within the string, name or comment that begins at character ${from}.`,
  );
