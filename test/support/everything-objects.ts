/** Types, functions in all languages at hand, aggregates, operators, casts, text search, triggers, rules and views. */

/** Those that this machine can load; some need libraries of the system. */
const languages = ['pltcl', 'plperl', 'plpython3u']
  .map(
    (name) => `DO $$ BEGIN CREATE EXTENSION ${name}; EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE '${name} is not at hand'; END $$;`,
  )
  .join('\n');

/** In schema `ev`, before the tables. */
export const typesOfOurOwn = `
CREATE SCHEMA ev AUTHORIZATION everything_owner;
CREATE EXTENSION bloom SCHEMA ext;
CREATE EXTENSION ltree SCHEMA ext;
CREATE EXTENSION pgcrypto SCHEMA public;
${languages}
CREATE TYPE ev.mood AS ENUM ('sad', 'ok', 'happy');
ALTER TYPE ev.mood ADD VALUE 'in between' BEFORE 'ok';
CREATE TYPE ev.nothing AS ENUM ();
CREATE TYPE ev.address AS (street text COLLATE "C", number int, tags text[]);
CREATE TYPE ev.gone AS (a int, b text);
ALTER TYPE ev.gone DROP ATTRIBUTE a, ADD ATTRIBUTE c timestamptz;
CREATE COLLATION ev.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION ev.numeric_order (provider = icu, locale = 'en-u-kn-true');
CREATE COLLATION ev.bytewise (provider = libc, locale = 'C');
CREATE DOMAIN ev.small AS smallint NOT NULL DEFAULT 1 CONSTRAINT in_bounds CHECK (VALUE BETWEEN -9 AND 9);
CREATE DOMAIN ev.smaller AS ev.small CONSTRAINT even_smaller CHECK (VALUE < 5);
CREATE DOMAIN ev.some_text AS text COLLATE ev.caseless CHECK (VALUE <> '');
ALTER DOMAIN ev.some_text ADD CONSTRAINT unvalidated CHECK (length(VALUE) < 1000) NOT VALID;
CREATE FUNCTION ev.span_length(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1 - $2';
CREATE TYPE ev.span AS RANGE (subtype = float8, subtype_diff = ev.span_length, multirange_type_name = ev.spans);
CREATE TYPE ev.text_range AS RANGE (subtype = text, collation = ev.bytewise);
CREATE TYPE ev.base;
CREATE FUNCTION ev.base_in(cstring) RETURNS ev.base LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION ev.base_out(ev.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION ev.base_receive(internal) RETURNS ev.base LANGUAGE internal STABLE STRICT AS 'textrecv';
CREATE FUNCTION ev.base_send(ev.base) RETURNS bytea LANGUAGE internal STABLE STRICT AS 'textsend';
CREATE TYPE ev.base (INPUT = ev.base_in, OUTPUT = ev.base_out, RECEIVE = ev.base_receive, SEND = ev.base_send,
  LIKE = text, CATEGORY = 'b', PREFERRED = true, DEFAULT = 'b', DELIMITER = ',', COLLATABLE = true);
CREATE TYPE ev.nested AS (one ev.address, many ev.address[], span ev.span);
CREATE FUNCTION ev.reads_others(id int) RETURNS boolean LANGUAGE plpgsql STABLE AS
  $$ BEGIN RETURN id IS NULL OR EXISTS (SELECT FROM ev.z_others AS o WHERE o.id = reads_others.id); END $$;
CREATE FUNCTION ev.needs_path(id int) RETURNS boolean LANGUAGE plpgsql STABLE AS
  $$ BEGIN RETURN EXISTS (SELECT FROM z_others AS o WHERE o.id = needs_path.id); END $$;
CREATE FUNCTION ev.is_even(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 IS NULL OR $1 % 2 = 0';`;

const functions = `
CREATE FUNCTION ev.in_c(text, text) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS '$libdir/pgcrypto', 'pg_digest';
CREATE FUNCTION ev.numbered() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE AS 'window_row_number';
CREATE FUNCTION ev.leakproof(a int DEFAULT 1, b text DEFAULT 'it''s', VARIADIC rest numeric[] DEFAULT '{}') RETURNS int
  LANGUAGE sql IMMUTABLE LEAKPROOF CALLED ON NULL INPUT COST 0.5 AS 'SELECT a';
CREATE FUNCTION ev.any_kind(anycompatible, anycompatiblearray, OUT a anycompatible, INOUT b anyrange) RETURNS SETOF record
  LANGUAGE sql ROWS 3 AS 'SELECT $1, $3';
CREATE FUNCTION ev.with_settings() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
  SET datestyle = 'ISO, DMY' SET "everything.key" = 'a''b' SET work_mem = '7MB' AS $_$ BEGIN RETURN $$;$$; END $_$;
CREATE FUNCTION ev.atomic(a ev.address) RETURNS SETOF int LANGUAGE sql
  BEGIN ATOMIC SELECT id FROM ev.animal WHERE name = (a).street; SELECT CASE WHEN true THEN (a).number ELSE 0 END; END;
CREATE PROCEDURE ev.procedure(IN a int, OUT c int, INOUT b text DEFAULT 'x') LANGUAGE plpgsql AS
  $$ BEGIN b := a::text; c := 1; END $$;
CREATE FUNCTION ev.over(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION ev.over(text) RETURNS int LANGUAGE sql AS 'SELECT 2';
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_language WHERE lanname = 'pltcl') THEN
    CREATE FUNCTION ev.in_tcl(text) RETURNS text LANGUAGE pltcl AS 'return "a [string length $1] \\\\ $1"';
  END IF;
  IF EXISTS (SELECT FROM pg_language WHERE lanname = 'plperl') THEN
    CREATE FUNCTION ev.in_perl(text) RETURNS text LANGUAGE plperl AS 'return "\\\\" . $_[0];';
  END IF;
  IF EXISTS (SELECT FROM pg_language WHERE lanname = 'plpython3u') THEN
    CREATE FUNCTION ev.in_python(text) RETURNS text LANGUAGE plpython3u AS E'if True:\\n\\treturn "x"\\n';
  END IF;
END $$;
CREATE FUNCTION ev.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION ev.inline(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION ev.validator(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE ev_language HANDLER ev.handler INLINE ev.inline VALIDATOR ev.validator;
CREATE FUNCTION ev.in_our_language() RETURNS int LANGUAGE ev_language AS 'BEGIN RETURN 1; END';
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));`;

const operators = `
CREATE FUNCTION ev.collect(anyarray, anyelement) RETURNS anyarray LANGUAGE internal IMMUTABLE AS 'array_append';
CREATE AGGREGATE ev.gather(anyelement) (SFUNC = ev.collect, STYPE = anyarray, INITCOND = '{}', SSPACE = 99);
CREATE AGGREGATE ev.total(int) (SFUNC = int4pl, STYPE = int, MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, COMBINEFUNC = int4pl,
  INITCOND = '0', MINITCOND = '0', PARALLEL = SAFE, SORTOP = OPERATOR(pg_catalog.<));
CREATE AGGREGATE ev.percent(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
  FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE ev.ranked(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal,
  FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE FUNCTION ev.base_lt(ev.base, ev.base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'byteage';
CREATE FUNCTION ev.base_ge(ev.base, ev.base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'bytealt';
CREATE FUNCTION ev.base_eq(ev.base, ev.base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'byteaeq';
CREATE FUNCTION ev.base_cmp(ev.base, ev.base) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'byteacmp';
CREATE FUNCTION ev.base_hash(ev.base) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'hashvarlena';
CREATE FUNCTION ev.base_hash_more(ev.base, bigint) RETURNS bigint LANGUAGE internal IMMUTABLE STRICT AS 'hashvarlenaextended';
CREATE FUNCTION ev.base_not(ev.base) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
CREATE OPERATOR ev.<<> (LEFTARG = ev.base, RIGHTARG = ev.base, FUNCTION = ev.base_lt, NEGATOR = OPERATOR(ev.>><), RESTRICT = scalarltsel,
  JOIN = scalarltjoinsel);
CREATE OPERATOR ev.>>< (LEFTARG = ev.base, RIGHTARG = ev.base, FUNCTION = ev.base_ge, NEGATOR = OPERATOR(ev.<<>));
CREATE OPERATOR ev.=== (LEFTARG = ev.base, RIGHTARG = ev.base, FUNCTION = ev.base_eq, COMMUTATOR = OPERATOR(ev.===), HASHES, MERGES);
CREATE OPERATOR ev.!- (RIGHTARG = ev.base, FUNCTION = ev.base_not);
CREATE OPERATOR FAMILY ev.base_family USING btree;
CREATE OPERATOR CLASS ev.base_hashes DEFAULT FOR TYPE ev.base USING hash AS OPERATOR 1 ev.===, FUNCTION 1 ev.base_hash(ev.base),
  FUNCTION 2 ev.base_hash_more(ev.base, bigint);
CREATE OPERATOR CLASS ev.base_order FOR TYPE ev.base USING btree FAMILY ev.base_family AS
  OPERATOR 1 ev.<<>, OPERATOR 3 ev.===, FUNCTION 1 ev.base_cmp(ev.base, ev.base);
CREATE TABLE ev.hashed_base (b ev.base) PARTITION BY HASH (b ev.base_hashes);
CREATE TABLE ev.hashed_base_0 PARTITION OF ev.hashed_base FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO ev.hashed_base VALUES ('x'), ('y');
CREATE INDEX ordered_base ON ev.hashed_base (b ev.base_order);
CREATE FUNCTION ev.int_to_base(int) RETURNS ev.base LANGUAGE sql IMMUTABLE AS 'SELECT ev.base_in($1::text::cstring)';
CREATE CAST (int AS ev.base) WITH FUNCTION ev.int_to_base(int);
CREATE CAST (ev.base AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS ev.address) WITH INOUT AS ASSIGNMENT;
CREATE TEXT SEARCH PARSER ev.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype,
  HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE ev.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY ev.dictionary (TEMPLATE = ev.template, Accept = false);
CREATE TEXT SEARCH CONFIGURATION ev.configuration (PARSER = ev.parser);
ALTER TEXT SEARCH CONFIGURATION ev.configuration ADD MAPPING FOR word, asciiword, "int" WITH ev.dictionary, simple;
CREATE DEFAULT CONVERSION ev.conversion FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;`;

const triggers = `
CREATE FUNCTION ev.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'A trigger fired: %', TG_NAME; END $$;
CREATE TRIGGER origin BEFORE INSERT OR UPDATE OR DELETE ON ev.orphans FOR EACH ROW EXECUTE FUNCTION ev.fired();
CREATE TRIGGER disabled AFTER TRUNCATE ON ev.orphans FOR EACH STATEMENT EXECUTE FUNCTION ev.fired();
CREATE TRIGGER replica AFTER UPDATE ON ev.orphans REFERENCING OLD TABLE AS o NEW TABLE AS n EXECUTE FUNCTION ev.fired();
CREATE TRIGGER of_columns AFTER UPDATE OF a, id ON ev.couples EXECUTE FUNCTION ev.fired();
CREATE TRIGGER always BEFORE INSERT ON ev.orphans FOR EACH ROW WHEN (NEW.v IS NULL) EXECUTE FUNCTION ev.fired('a', E'b\\nc', '');
ALTER TABLE ev.orphans DISABLE TRIGGER disabled, ENABLE REPLICA TRIGGER replica, ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER on_all BEFORE INSERT ON ev.sales FOR EACH ROW EXECUTE FUNCTION ev.fired();
ALTER TABLE ev.sales_eu_old DISABLE TRIGGER on_all;
ALTER TABLE ev.sales_other ENABLE ALWAYS TRIGGER on_all;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR DELETE ON ev.couples FROM ev.orphans DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ev.fired();
CREATE VIEW ev.writable AS SELECT id, v FROM ev.orphans;
CREATE TRIGGER instead INSTEAD OF INSERT ON ev.writable FOR EACH ROW EXECUTE FUNCTION ev.fired();
CREATE RULE origin AS ON INSERT TO ev.orphans WHERE NEW.id < -5 DO ALSO (DELETE FROM ev.fleeting WHERE id = NEW.id; UPDATE ev.fleeting SET v = '' WHERE id = NEW.v);
CREATE RULE tells AS ON DELETE TO ev.nothing_in_it DO NOTIFY ev_nothing;
CREATE RULE disabled AS ON UPDATE TO ev.orphans DO INSTEAD NOTHING;
CREATE RULE replica AS ON UPDATE TO ev.orphans DO ALSO SELECT 1;
CREATE RULE always AS ON DELETE TO ev.orphans DO INSTEAD UPDATE ev.orphans SET v = 0 WHERE id = OLD.id;
ALTER TABLE ev.orphans DISABLE RULE disabled, ENABLE REPLICA RULE replica, ENABLE ALWAYS RULE always;
CREATE FUNCTION ev.no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'No % here.', TG_TAG; END $$;`;

const views = `
CREATE VIEW ev.v1 AS SELECT a.id, a.name, d.colour FROM ev.animal a LEFT JOIN ev.duck d USING (id);
CREATE VIEW ev.v2 WITH (check_option = cascaded) AS SELECT id, name FROM ev.animal WHERE id > 0;
CREATE VIEW ev.grouped AS SELECT id, other, a FROM ev.couples GROUP BY id;
CREATE FUNCTION ev.of_view() RETURNS SETOF ev.v1 LANGUAGE sql STABLE AS 'SELECT * FROM ev.v1';
CREATE VIEW ev.of_function AS SELECT f.id, count(*) OVER w FROM ev.of_view() AS f WINDOW w AS (PARTITION BY f.colour);
CREATE VIEW ev."odd "" columns" AS WITH RECURSIVE t(n) AS (VALUES (1) UNION SELECT n + 1 FROM t WHERE n < 3) SELECT n AS "a ""b", 1 AS "select" FROM t;
CREATE MATERIALIZED VIEW ev.m1 AS SELECT id, name FROM ev.v1;
CREATE MATERIALIZED VIEW ev.m0_on_m1 WITH (autovacuum_enabled = off) AS SELECT count(*) AS n FROM ev.m1;
CREATE VIEW ev.a_view_on_m AS SELECT n FROM ev.m0_on_m1;
CREATE MATERIALIZED VIEW ev.a_first_by_name AS SELECT n, 'x'::text COLLATE ev.caseless AS t FROM ev.a_view_on_m WITH DATA;
CREATE MATERIALIZED VIEW ev.empty_one AS SELECT n FROM ev.a_first_by_name WITH NO DATA;
CREATE MATERIALIZED VIEW ev.by_function AS SELECT id FROM ev.a_first WHERE ev.reads_others(id);
CREATE UNIQUE INDEX m1_id ON ev.m1 (id, name);
CREATE INDEX empty_index ON ev.empty_one (n);
ALTER MATERIALIZED VIEW ev.m1 CLUSTER ON m1_id;
ALTER MATERIALIZED VIEW ev.m1 ALTER COLUMN name SET STATISTICS 33;
CREATE VIEW ev.no_columns AS SELECT;`;

const policies = `
ALTER TABLE ev.all_columns ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, OWNER TO everything_owner;
CREATE POLICY nobody ON ev.all_columns AS RESTRICTIVE FOR DELETE TO PUBLIC USING (false);
CREATE POLICY chosen ON ev.all_columns FOR UPDATE TO rich_writer, "everything ""quoted"
  USING (small = 1) WITH CHECK (EXISTS (SELECT FROM ev.animal WHERE id = small));
CREATE POLICY inserts ON ev.all_columns FOR INSERT TO CURRENT_USER WITH CHECK (true);`;

const replication = (major: number): string =>
  [
    `CREATE PUBLICATION ev_none;`,
    `CREATE PUBLICATION ev_root FOR TABLE ev.sales, ev.keyed WITH (publish_via_partition_root = true, publish = 'delete, truncate');`,
    major >= 15 && `CREATE PUBLICATION ev_both FOR TABLES IN SCHEMA ev, TABLE shop.parent;`,
    major >= 18 &&
      `CREATE PUBLICATION ev_generated FOR TABLE ev.all_columns WITH (publish_generated_columns = stored);`,
    `CREATE FOREIGN TABLE ev.far (id int OPTIONS (column_name 'x') NOT NULL, v text DEFAULT 'f', CHECK (id > 0))
       SERVER elsewhere OPTIONS (schema_name 'it''s');`,
    `CREATE FOREIGN TABLE ev.far_part PARTITION OF ev.detached DEFAULT SERVER elsewhere;`,
  ]
    .filter((sql) => sql !== false)
    .join('\n');

export const everyObject = (major: number): string =>
  [functions, operators, triggers, views, policies, replication(major)].join('\n');
