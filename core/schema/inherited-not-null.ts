/**
 * pg_dump 18 writes a NOT NULL that a child table adds to an inherited column as an element of its own (`NOT NULL v`),
 * whatever the server is; only servers from 18 on understand that. For older ones it becomes an ALTER TABLE behind.
 */
import { scanStatements } from './split-statements.ts';
import { tokens } from './split-tokens.ts';

const created = /^CREATE (?:UNLOGGED |FOREIGN )?TABLE ((?:"(?:[^"]|"")*"|[^\s"(]+)+) \(\n/;
const element = /^ {4}NOT NULL ("(?:[^"]|"")*"|[^\s",]+)$/;
const anywhere = /^ {4}NOT NULL /m;

/** @param sql pg_dump's text; what is not such a table stays as it is, byte for byte */
export function withAlteredNotNulls(sql: string): string {
  if (!anywhere.test(sql)) return sql;
  let result = '';
  for (const { lead, text } of scanStatements(sql)) {
    result += lead + (text === '' ? '' : `${altered(text)};`);
  }
  return result;
}

function altered(statement: string): string {
  const head = created.exec(statement);
  if (head === null || !anywhere.test(statement)) return statement;
  const { elements, end } = elementsOf(statement, head[0].length);
  const columns = elements.flatMap((one) => element.exec(one)?.[1] ?? []);
  const kept = elements.filter((one) => !element.test(one));
  const body = kept.length === 0 ? '' : `${kept.join(',\n')}\n`;
  const alters = columns.map(
    (name) => `ALTER TABLE ONLY ${head[1]} ALTER COLUMN ${name} SET NOT NULL`,
  );
  return [head[0] + body + statement.slice(end), ...alters].join(';\n\n');
}

/** What stands between the parentheses, cut at the commas that end a line outside of strings and parentheses. */
function elementsOf(statement: string, from: number): { elements: string[]; end: number } {
  const elements: string[] = [];
  let begin = from;
  let depth = 1;
  let isAfterComma = false;
  for (const token of tokens(statement.slice(from))) {
    const at = from + token.from;
    const text = statement.slice(at, from + token.to);
    if (isAfterComma && text.startsWith('\n')) {
      elements.push(statement.slice(begin, at - 1));
      begin = at + 1;
    }
    isAfterComma = depth === 1 && token.kind === 'other' && text.endsWith(',');
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    if (depth > 0) continue;
    // Before the parenthesis is a line break.
    elements.push(statement.slice(begin, at - 1));
    return { elements, end: at };
  }
  return { elements: [], end: from };
}
