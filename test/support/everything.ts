/**
 * A database made of everything that PostgreSQL has, on top of the rich schema: for tests that a restore loses nothing.
 *
 * Invariant: as the rich schema it is a fixed point of dump and restore, but for one invalid index, which no dump has.
 */
import { everyObject, typesOfOurOwn } from './everything-objects.ts';
import { everyRight } from './everything-rights.ts';
import { everyTable } from './everything-tables.ts';
import { everyType } from './everything-types.ts';
import { missingRole, richRoles, richSchema } from './rich-schema.ts';

/** They belong to the server, not to the database. */
export const everythingRoles = [
  ...richRoles,
  'everything_owner',
  'everything_grantor',
  'everything "quoted',
];

const ownRoles = everythingRoles
  .filter((role) => !richRoles.includes(role))
  .map(missingRole)
  .join('\n');

/** SQL for an empty database of this major version, run as superuser. */
export const everything = (major: number): string =>
  [
    ownRoles,
    richSchema(major),
    typesOfOurOwn,
    everyType(major),
    everyTable(major),
    everyObject(major),
    everyRight(major),
  ].join('\n');

/**
 * Settings, rights, limit and comment of the database itself, and what would get in the way of a careless restore. Sessions
 * that come later get them.
 */
export const everythingOfDatabase = (name: string, major: number): string => {
  const database = `"${name.replaceAll('"', '""')}"`;
  return `
ALTER DATABASE ${database} OWNER TO everything_owner;
REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
GRANT CONNECT ON DATABASE ${database} TO rich_writer WITH GRANT OPTION;
GRANT TEMPORARY ON DATABASE ${database} TO "everything ""quoted";
COMMENT ON DATABASE ${database} IS E'it''s everything\\nin two lines';
ALTER DATABASE ${database} CONNECTION LIMIT 40;
ALTER DATABASE ${database} SET search_path = ev, "odd ""names""", public;
ALTER DATABASE ${database} SET everything.key = 'it''s a value';
ALTER DATABASE ${database} SET default_transaction_read_only = on;
ALTER DATABASE ${database} SET default_transaction_isolation = 'serializable';
ALTER DATABASE ${database} SET client_encoding = 'LATIN1';
ALTER DATABASE ${database} SET datestyle = 'SQL, DMY';
ALTER DATABASE ${database} SET intervalstyle = 'iso_8601';
ALTER DATABASE ${database} SET timezone = 'Asia/Kathmandu';
ALTER DATABASE ${database} SET bytea_output = 'escape';
ALTER DATABASE ${database} SET extra_float_digits = -15;
ALTER DATABASE ${database} SET quote_all_identifiers = on;
ALTER DATABASE ${database} SET row_security = off;
ALTER DATABASE ${database} SET xmloption = document;
ALTER DATABASE ${database} SET statement_timeout = '5s';
ALTER DATABASE ${database} SET lock_timeout = '2s';
ALTER DATABASE ${database} SET idle_in_transaction_session_timeout = '3s';
ALTER DATABASE ${database} SET array_nulls = off;
ALTER DATABASE ${database} SET standard_conforming_strings = off;
ALTER DATABASE ${database} SET transform_null_equals = on;
ALTER DATABASE ${database} SET check_function_bodies = off;
ALTER DATABASE ${database} SET default_toast_compression = 'pglz';
ALTER DATABASE ${database} SET session_replication_role = 'replica';
ALTER DATABASE ${database} SET event_triggers = on;
ALTER ROLE rich_writer IN DATABASE ${database} SET search_path = "odd ""names""", pg_temp;
ALTER ROLE rich_writer IN DATABASE ${database} SET work_mem = '3MB';`
    .split('\n')
    .filter((line) => major >= 17 || !line.includes('event_triggers'))
    .join('\n');
};
