/** Makes pg_dump's text plain SQL: for psql of any version and for drivers, and for the server it came from. */
import { HoldfastError } from '../contract/errors.ts';

/** First server version that knows transaction_timeout; pg_dump 18 sets it whatever the server is. */
const transactionTimeoutSince = 170_000;

export interface PlainSql {
  readonly sql: string;
  readonly pgDumpVersion: string;
}

/**
 * Takes away the two psql commands `\restrict` and `\unrestrict` that pg_dump wrote with our own random key (so that
 * no line of a function's body can be meant), and a setting that older servers refuse.
 *
 * @throws SchemaDumpError when the text is not whole: pg_dump's last line is missing
 */
export function plainSql(text: string, restrictKey: string, serverVersionNum: number): PlainSql {
  const before = `\\restrict ${restrictKey}\n\n`;
  const after = `\\unrestrict ${restrictKey}\n\n`;
  const from = text.indexOf(before);
  const to = text.lastIndexOf(after);
  const version = /^-- Dumped by pg_dump version (\S+)/m.exec(text)?.[1];
  if (from < 0 || to < 0 || !text.endsWith(after) || version === undefined) {
    throw new HoldfastError('SchemaDumpError', 'pg_dump ended without an error, but its text is not whole.', {
      evidence: { characters: text.length },
    });
  }
  const head = text.slice(0, from);
  const body = text.slice(from + before.length, to);
  const isUnknownThere = serverVersionNum < transactionTimeoutSince;
  return {
    sql: head + (isUnknownThere ? withoutTransactionTimeout(body) : body),
    pgDumpVersion: version,
  };
}

/** In the block of settings at the top only: it ends with the first empty line after them. */
function withoutTransactionTimeout(body: string): string {
  const line = 'SET transaction_timeout = 0;\n';
  const start = body.indexOf(line);
  const endOfSettings = body.indexOf('\n\n', body.indexOf('SET statement_timeout'));
  return start < 0 || start > endOfSettings
    ? body
    : body.slice(0, start) + body.slice(start + line.length);
}
