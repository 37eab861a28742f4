/**
 * Name patterns as pg_dump and psql read them: text in, anchored regular expressions of PostgreSQL out.
 *
 * Follows `patternToSQLRegex` of PostgreSQL's fe_utils/string_utils.c: unquoted ASCII letters fold to lower case, `*` is
 * any text, `?` any character, `.` separates, double quotes make everything literal, `$` is always literal, and other
 * regular expression characters work outside quotes.
 * Invariant: the result goes to the server as a parameter, never as a part of SQL.
 */
import { HoldfastError } from '../contract/errors.ts';

/** To be matched as `n.nspname OPERATOR(pg_catalog.~) $1 COLLATE pg_catalog.default`. */
export interface TablePattern {
  /** Absent: the relation must be visible in the role's own search path. */
  readonly schema?: string;
  readonly name: string;
}

interface Parts {
  /** What stands before the first separator, as a plain name. */
  readonly firstLiteral: string;
  readonly regexes: readonly string[];
  readonly separators: number;
}

/**
 * @param option for messages, e.g. `--table`
 * @throws UsageError with more than two dots, or with another database's name before the second
 */
export function tablePattern(pattern: string, option: string, database: string): TablePattern {
  const { firstLiteral, regexes, separators } = splitPattern(pattern, 3);
  if (separators > 2) throw tooManyDots(pattern, option, 'schema.table');
  if (separators === 2 && firstLiteral !== database) {
    throw new HoldfastError(
      'UsageError',
      `${option} ${JSON.stringify(pattern)} names the database ${JSON.stringify(firstLiteral)}, ` +
        `but this backup is of ${JSON.stringify(database)}.`,
      {
        hint: 'Leave the database out of the pattern, or quote dots that belong to a name: "a.b".',
      },
    );
  }
  const name = regexes.at(-1) as string;
  const schema = regexes.at(-2);
  return schema === undefined ? { name } : { schema, name };
}

/** @throws UsageError when it has a dot outside quotes */
export function schemaPattern(pattern: string, option: string): string {
  const { regexes, separators } = splitPattern(pattern, 1);
  if (separators > 0) throw tooManyDots(pattern, option, 'a schema alone');
  return regexes[0] as string;
}

function tooManyDots(pattern: string, option: string, allowed: string): HoldfastError {
  return new HoldfastError(
    'UsageError',
    `${option} ${JSON.stringify(pattern)} has too many dotted names; allowed is ${allowed}.`,
    { hint: 'Put a name that contains dots into double quotes: \'"a.b"\'.' },
  );
}

function splitPattern(pattern: string, maxParts: number): Parts {
  const regexes: string[] = [];
  let current = '';
  let firstLiteral = '';
  let separators = 0;
  let isQuoted = false;
  const add = (regex: string, literal: string) => {
    current += regex;
    if (separators === 0) firstLiteral += literal;
  };
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    const next = characters[i + 1];
    if (character === '"') {
      if (isQuoted && next === '"') {
        add('"', '"');
        i++;
      } else {
        isQuoted = !isQuoted;
      }
    } else if (character === '$') {
      // Allowed in names, and of no use as an anchor: the expression is anchored anyway.
      add('\\$', '$');
    } else if (isQuoted) {
      add('|*+?()[]{}.^\\'.includes(character) ? `\\${character}` : character, character);
    } else if (character === '.') {
      separators++;
      if (regexes.length + 1 < maxParts) {
        regexes.push(`^(${current})$`);
        current = '';
      } else {
        current += '.';
      }
    } else {
      add(...unquoted(character, next));
    }
  }
  regexes.push(`^(${current})$`);
  return { firstLiteral, regexes, separators };
}

/** [regular expression, plain text] of one character outside quotes. */
function unquoted(character: string, next: string | undefined): [string, string] {
  if (character >= 'A' && character <= 'Z') {
    return [character.toLowerCase(), character.toLowerCase()];
  }
  if (character === '*') return ['.*', '*'];
  if (character === '?') return ['.', '?'];
  // `[]` is far likelier the name of an array type than the start of a bracket expression.
  if (character === '[' && next === ']') return ['\\[', '['];
  return [character, character];
}
