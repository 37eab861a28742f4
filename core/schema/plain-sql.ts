/** Makes pg_dump's text plain SQL: for psql of any version and for drivers, and for the server it came from. */
import { HoldfastError } from '../contract/errors.ts';
import { withAlteredNotNulls } from './inherited-not-null.ts';

/** First server versions that know what pg_dump 18 writes whatever the server is. */
const notNullConstraintsSince = 180_000;
const transactionTimeoutSince = 170_000;
const runAsOwnerSince = 160_000;
/** First server version whose new databases let nobody but the owner create in schema public. */
const closedPublicSince = 150_000;

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
    throw new HoldfastError(
      'SchemaDumpError',
      'pg_dump ended without an error, but its text is not whole.',
      {
        evidence: { characters: text.length },
      },
    );
  }
  const head = text.slice(0, from);
  const body = text.slice(from + before.length, to);
  return {
    sql: head + forServer(body, serverVersionNum),
    pgDumpVersion: version,
  };
}

function forServer(body: string, serverVersionNum: number): string {
  let sql = body;
  if (serverVersionNum < notNullConstraintsSince) sql = withAlteredNotNulls(sql);
  if (serverVersionNum < transactionTimeoutSince) sql = withoutTransactionTimeout(sql);
  if (serverVersionNum < runAsOwnerSince) sql = withoutRunAsOwner(sql);
  return sql;
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

/** What pg_dump writes for every subscription of a server that has no such option: there it is always so. */
function withoutRunAsOwner(body: string): string {
  const subscription =
    /^(-- Name: [^\n]*; Type: SUBSCRIPTION; [^\n]*\n--\n\nCREATE SUBSCRIPTION .*? WITH \(connect = false[^;]*?), run_as_owner = true\);$/gms;
  return body.replace(subscription, '$1);');
}

/**
 * To be run before pre-data of an older server: pg_dump 18 writes the rights on schema `public` as a difference to what
 * a new database of PostgreSQL 15 has. Restored on 14, a schema that was closed would be open to everybody without this.
 */
export function publicSchemaSql(serverVersionNum: number): string {
  if (serverVersionNum >= closedPublicSince) return '';
  return `DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public') THEN
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  END IF;
END $$;

`;
}
