/** Pieces of SQL that hold for names and texts of any kind, whatever the session's settings are. */
import pg from 'pg';

export const identifier = (name: string): string => pg.escapeIdentifier(name);

/** With E'' syntax when there is a backslash, so that standard_conforming_strings does not matter. */
export const literal = (text: string): string => pg.escapeLiteral(text).trimStart();

/** Dollar-quoted with a tag that does not occur in the text. */
export function dollarQuoted(text: string): string {
  let tag = '$holdfast$';
  for (let n = 0; text.includes(tag); n += 1) tag = `$holdfast${n}$`;
  return `${tag}${text}${tag}`;
}

/** For comments and messages: on one line. */
export const oneLine = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ');

/**
 * The first lines of each file: a database may have settings (ALTER DATABASE … SET) that would make the restore fail
 * or read the text otherwise. psql runs it as it stands, and so does a driver.
 */
export const sessionSettings = `SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
`;
