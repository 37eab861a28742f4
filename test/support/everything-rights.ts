/** Comments on everything, rights on everything, large objects, and event triggers that forbid what a restore does. */

export const everyRight = (major: number): string =>
  [comments(major), rights(major), largeObjects, eventTriggers(major)].join('\n');

/** What is commented, as COMMENT ON names it. */
const commented = (major: number): readonly string[] => [
  ...['SCHEMA ev', 'EXTENSION bloom', 'LANGUAGE ev_language', 'TYPE ev.mood', 'TYPE ev.address'],
  ...['TYPE ev.base', 'TYPE ev.span', 'COLUMN ev.address.number', 'DOMAIN ev.small'],
  ...['CONSTRAINT in_bounds ON DOMAIN ev.small', 'COLLATION ev.caseless', 'TABLE ev.sales'],
  ...['TABLE ev.sales_eu_new', 'COLUMN ev.sales.tax', 'COLUMN ev.duck.name', 'VIEW ev.v1'],
  ...['COLUMN ev.v1.colour', 'MATERIALIZED VIEW ev.m1', 'COLUMN ev.m1.name'],
  ...['FOREIGN TABLE ev.far', 'COLUMN ev.far.v', 'SEQUENCE ev.downwards', 'INDEX ev.by_mood_id'],
  ...['INDEX ev.couples_pkey', 'INDEX ev.sales_only', 'CONSTRAINT whole ON ev.full_match'],
  ...['CONSTRAINT couples_pkey ON ev.couples', 'CONSTRAINT one_at_a_time ON ev.exclusive'],
  ...['CONSTRAINT amount_there ON ev.sales', 'CONSTRAINT broken ON ev.orphans'],
  ...['CONSTRAINT was_wrong ON ev.orphans', 'TRIGGER replica ON ev.orphans'],
  ...['TRIGGER at_commit ON ev.couples', 'RULE always ON ev.orphans'],
  ...['POLICY chosen ON ev.all_columns', 'STATISTICS ev.many', 'FUNCTION ev.atomic(ev.address)'],
  ...['PROCEDURE ev.procedure', 'AGGREGATE ev.gather(anyelement)'],
  ...['AGGREGATE ev.percent(float8 ORDER BY anyelement)', 'OPERATOR ev.!- (NONE, ev.base)'],
  ...['OPERATOR CLASS ev.base_order USING btree', 'OPERATOR FAMILY ev.base_family USING btree'],
  ...['CAST (int AS ev.base)', 'CONVERSION ev.conversion', 'TEXT SEARCH PARSER ev.parser'],
  ...['TEXT SEARCH TEMPLATE ev.template', 'TEXT SEARCH DICTIONARY ev.dictionary'],
  ...['TEXT SEARCH CONFIGURATION ev.configuration', 'TRANSFORM FOR int LANGUAGE sql'],
  ...['FOREIGN DATA WRAPPER nothing', 'SERVER elsewhere', 'PUBLICATION ev_root'],
  ...['SUBSCRIPTION nowhere', 'ACCESS METHOD heap_again'],
  ...(major >= 15 ? ['SEQUENCE ev.fleeting_numbers'] : []),
];

const comments = (major: number) =>
  commented(major)
    .map(
      (object) =>
        `COMMENT ON ${object} IS E'it''s a comment\\n-- Name: on ${object.replaceAll("'", '')}; Type: TABLE; \\\\ $$ 🐘';`,
    )
    .join('\n');

const rights = (major: number) => `
GRANT USAGE, CREATE ON SCHEMA ev TO everything_grantor WITH GRANT OPTION;
GRANT SELECT, UPDATE (v), REFERENCES (id) ON ev.orphans TO "everything ""quoted";
GRANT SELECT (id), INSERT (id, v) ON ev.orphans TO PUBLIC;
GRANT ALL ON ev.couples TO everything_grantor WITH GRANT OPTION;
SET ROLE everything_grantor;
GRANT SELECT ON ev.couples TO rich_writer WITH GRANT OPTION;
SET ROLE rich_writer;
RESET ROLE;
GRANT USAGE ON SCHEMA ev TO rich_writer;
SET ROLE rich_writer;
GRANT SELECT ON ev.couples TO "everything ""quoted";
RESET ROLE;
ALTER TABLE ev.left_side OWNER TO everything_owner;
REVOKE ALL ON ev.left_side FROM everything_owner;
GRANT SELECT ON ev.v1, ev.m1, ev.far TO rich_writer, everything_owner;
GRANT USAGE ON SEQUENCE ev.downwards TO PUBLIC;
GRANT SELECT, UPDATE ON SEQUENCE ev.at_the_end TO rich_writer;
REVOKE ALL ON FUNCTION ev.in_c(text, text), ev.over(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ev.over(text) TO rich_writer WITH GRANT OPTION;
GRANT EXECUTE ON PROCEDURE ev.procedure TO rich_writer;
REVOKE ALL ON FUNCTION ev.gather(anyelement) FROM PUBLIC;
REVOKE USAGE ON TYPE ev.mood FROM PUBLIC;
GRANT USAGE ON TYPE ev.mood TO rich_writer;
REVOKE USAGE ON DOMAIN ev.small FROM PUBLIC;
REVOKE USAGE ON LANGUAGE ev_language FROM PUBLIC;
GRANT USAGE ON FOREIGN DATA WRAPPER nothing TO rich_writer;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO rich_writer;
GRANT SELECT (rolpassword) ON pg_catalog.pg_authid TO rich_writer;
REVOKE EXECUTE ON FUNCTION public.gen_salt(text) FROM PUBLIC;
ALTER TYPE ev.mood OWNER TO everything_owner;
ALTER DOMAIN ev.small OWNER TO everything_owner;
ALTER FUNCTION ev.in_c(text, text) OWNER TO everything_owner;
ALTER AGGREGATE ev.gather(anyelement) OWNER TO everything_owner;
ALTER OPERATOR ev.!- (NONE, ev.base) OWNER TO everything_owner;
ALTER OPERATOR CLASS ev.base_order USING btree OWNER TO everything_owner;
ALTER OPERATOR FAMILY ev.base_family USING btree OWNER TO everything_owner;
ALTER COLLATION ev.caseless OWNER TO everything_owner;
ALTER CONVERSION ev.conversion OWNER TO everything_owner;
ALTER TEXT SEARCH DICTIONARY ev.dictionary OWNER TO everything_owner;
ALTER TEXT SEARCH CONFIGURATION ev.configuration OWNER TO everything_owner;
ALTER STATISTICS ev.many OWNER TO everything_owner;
ALTER MATERIALIZED VIEW ev.m1 OWNER TO everything_owner;
ALTER SEQUENCE ev.downwards OWNER TO everything_owner;
ALTER LANGUAGE ev_language OWNER TO "everything ""quoted";
ALTER SERVER elsewhere OWNER TO everything_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE everything_owner GRANT SELECT ON TABLES TO rich_writer WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE everything_owner REVOKE ALL ON TABLES FROM everything_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE everything_owner IN SCHEMA ev GRANT USAGE ON SEQUENCES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE everything_owner REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "everything ""quoted" GRANT USAGE ON SCHEMAS TO rich_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA ev GRANT EXECUTE ON ROUTINES TO rich_writer;
${major >= 18 ? 'ALTER DEFAULT PRIVILEGES FOR ROLE everything_owner GRANT SELECT ON LARGE OBJECTS TO rich_writer;' : ''}
${major >= 17 ? 'GRANT MAINTAIN ON ev.orphans TO rich_writer;' : ''}`;

const largeObjects = `
SELECT lo_create(50001), lo_from_bytea(50002, 'small'), lo_from_bytea(50003, decode(repeat('00ff10', 40000), 'hex')),
  lo_from_bytea(4294967295, ''), lo_create(50004);
SELECT lo_put(50004, 3000000, 'far away');
ALTER LARGE OBJECT 50002 OWNER TO "everything ""quoted";
ALTER LARGE OBJECT 50003 OWNER TO everything_owner;
GRANT SELECT ON LARGE OBJECT 50002 TO PUBLIC;
GRANT ALL ON LARGE OBJECT 50003 TO rich_writer WITH GRANT OPTION;
REVOKE ALL ON LARGE OBJECT 50003 FROM everything_owner;
COMMENT ON LARGE OBJECT 50002 IS E'it''s large\\nand has\\ttwo lines \\\\N';`;

/** Last: from here on nobody may drop anything, as many a production database has it. */
const eventTriggers = (major: number) => `
CREATE FUNCTION ev.no_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  IF current_setting('session_replication_role') <> 'local' THEN RAISE 'Nothing is dropped here.'; END IF; END $$;
CREATE EVENT TRIGGER ev_disabled ON ddl_command_start EXECUTE FUNCTION ev.no_ddl();
ALTER EVENT TRIGGER ev_disabled DISABLE;
CREATE EVENT TRIGGER ev_replica ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION ev.no_ddl();
ALTER EVENT TRIGGER ev_replica ENABLE REPLICA;
CREATE EVENT TRIGGER ev_always ON table_rewrite EXECUTE FUNCTION ev.no_ddl();
ALTER EVENT TRIGGER ev_always ENABLE ALWAYS;
${major >= 17 ? `CREATE EVENT TRIGGER ev_login ON login EXECUTE FUNCTION shop.on_ddl();` : ''}
CREATE EVENT TRIGGER ev_origin ON sql_drop EXECUTE FUNCTION ev.no_drop();
COMMENT ON EVENT TRIGGER ev_origin IS 'forbids to drop';
ALTER EVENT TRIGGER ev_origin OWNER TO postgres;`;
