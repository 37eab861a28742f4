/** The part of the rich schema that is code and rights: functions, operators, triggers, policies, views, grants. */

export const richCode = (major: number): string =>
  [functions, views, rest, rights(major)].join('\n');

const functions = `
CREATE FUNCTION shop.add_all(VARIADIC numbers int[] DEFAULT ARRAY[1, 2]) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
  PARALLEL SAFE COST 7 SET search_path = shop, pg_temp AS 'SELECT sum(n) FROM unnest(numbers) AS n';
CREATE FUNCTION shop.body_with_psql() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  -- A line that begins as psql's own commands do, and other quotes:
  RETURN 'a
\\restrict not_a_command
\\unrestrict not_a_command' || $q$ $function$ $q$;
END $body$;
CREATE FUNCTION shop.modern(a int, OUT twice int, OUT thrice int) LANGUAGE sql
  BEGIN ATOMIC SELECT a * 2, a * 3; END;
CREATE FUNCTION shop.some_rows() RETURNS TABLE (id bigint, name text) LANGUAGE sql STABLE ROWS 5 SECURITY DEFINER
  AS 'SELECT id, name FROM shop.customers';
CREATE PROCEDURE shop.do_nothing(INOUT x int) LANGUAGE plpgsql AS $$ BEGIN COMMIT; x := x + 1; END $$;
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION shop.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
COMMENT ON FUNCTION shop.touch() IS 'does nothing';
ALTER FUNCTION shop.touch() OWNER TO rich_owner;

CREATE AGGREGATE shop.product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = '1',
  COMBINEFUNC = numeric_mul, PARALLEL = safe);
CREATE FUNCTION shop.near(float8, float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT abs($1 - $2) < 0.5';
CREATE OPERATOR shop.~~~ (LEFTARG = float8, RIGHTARG = float8, FUNCTION = shop.near, COMMUTATOR = OPERATOR(shop.~~~));
COMMENT ON OPERATOR shop.~~~ (float8, float8) IS 'is near';
CREATE OPERATOR CLASS shop.backwards FOR TYPE int4 USING btree AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(int4, int4);
CREATE FUNCTION shop.to_text(shop.address) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).street';
CREATE CAST (shop.address AS text) WITH FUNCTION shop.to_text(shop.address) AS ASSIGNMENT;
CREATE CAST (shop.mood AS varchar) WITH INOUT;
CREATE TEXT SEARCH DICTIONARY shop.simple_german (TEMPLATE = pg_catalog.simple, stopwords = 'german');
CREATE TEXT SEARCH CONFIGURATION shop.deutsch (COPY = pg_catalog.german);
ALTER TEXT SEARCH CONFIGURATION shop.deutsch ALTER MAPPING FOR asciiword WITH shop.simple_german, german_stem;
CREATE CONVERSION shop.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE FUNCTION shop.make_default() RETURNS int LANGUAGE sql AS 'SELECT 7';
ALTER TABLE shop.tree ADD COLUMN computed int DEFAULT shop.make_default();`;

const views = `
CREATE VIEW shop.rich_customers AS SELECT id, name, paid FROM shop.customers WHERE paid > 10 WITH LOCAL CHECK OPTION;
ALTER VIEW shop.rich_customers ALTER COLUMN name SET DEFAULT 'nobody';
CREATE VIEW shop.barrier WITH (security_barrier) AS SELECT * FROM shop.rich_customers;
CREATE RECURSIVE VIEW shop.numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 5;
CREATE VIEW shop.circle_a AS SELECT 1 AS x;
CREATE VIEW shop.circle_b AS SELECT x FROM shop.circle_a;
CREATE OR REPLACE VIEW shop.circle_a AS SELECT max(o.id)::int AS x FROM shop.orders o;
CREATE MATERIALIZED VIEW shop.totals WITH (fillfactor = 90) AS
  SELECT customer, sum(total) AS total FROM shop.orders GROUP BY customer;
CREATE UNIQUE INDEX totals_customer ON shop.totals (customer);
CREATE MATERIALIZED VIEW shop.of_totals AS SELECT count(*) FROM shop.totals;
CREATE MATERIALIZED VIEW shop.unfilled AS SELECT 1 / count(*) AS x FROM shop.customers WITH NO DATA;
COMMENT ON MATERIALIZED VIEW shop.unfilled IS 'never filled';`;

const rest = `
CREATE RULE no_delete AS ON DELETE TO shop.parent WHERE OLD.id = 1 DO INSTEAD NOTHING;
CREATE RULE write_through AS ON INSERT TO shop.circle_b DO INSTEAD INSERT INTO shop.parent (id) VALUES (NEW.x);
CREATE TRIGGER touch_it BEFORE UPDATE OF name ON shop.customers FOR EACH ROW
  WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION shop.touch('with', 'argu''ments');
CREATE TRIGGER on_partitions AFTER INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE CONSTRAINT TRIGGER at_the_end AFTER INSERT ON shop.tree DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE TRIGGER with_tables AFTER INSERT ON shop.tree REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.tree DISABLE TRIGGER with_tables;
ALTER TABLE shop.tree ENABLE ALWAYS TRIGGER at_the_end;
CREATE EVENT TRIGGER rich_ddl ON ddl_command_end WHEN TAG IN ('DROP FUNCTION') EXECUTE FUNCTION shop.on_ddl();
ALTER EVENT TRIGGER rich_ddl DISABLE;
COMMENT ON TRIGGER touch_it ON shop.customers IS 'a trigger';

ALTER TABLE shop.tree ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.rooms ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.rooms FORCE ROW LEVEL SECURITY;
CREATE POLICY see_all ON shop.tree FOR SELECT TO "rich ""reader""" USING (true);
CREATE POLICY not_roots ON shop.tree AS RESTRICTIVE USING (up IS NOT NULL) WITH CHECK (id > 0);
COMMENT ON POLICY see_all ON shop.tree IS 'everything';

CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, update');
CREATE PUBLICATION one_table FOR TABLE ONLY shop.parent;
CREATE SUBSCRIPTION nowhere CONNECTION 'host=127.0.0.1 port=1' PUBLICATION everything
  WITH (connect = false, slot_name = NONE, enabled = false);
CREATE FOREIGN DATA WRAPPER nothing OPTIONS (a 'b');
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', dbname 'other');
CREATE USER MAPPING FOR rich_writer SERVER elsewhere OPTIONS (user 'somebody');
CREATE FOREIGN TABLE shop.far_away (id int OPTIONS (column_name 'nr'), t text) SERVER elsewhere OPTIONS (table_name 'x');
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE shop.with_method (id int) USING heap_again;`;

const rights = (major: number) => `
GRANT SELECT, INSERT ON shop.customers TO rich_writer WITH GRANT OPTION;
GRANT SELECT (email, name), UPDATE (name) ON shop.customers TO "rich ""reader""";
REVOKE ALL ON FUNCTION shop.add_all(int[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shop.add_all(int[]) TO rich_writer;
GRANT USAGE ON SEQUENCE shop.counted TO rich_writer;
GRANT USAGE ON TYPE shop.mood TO rich_writer;
GRANT USAGE ON FOREIGN SERVER elsewhere TO rich_writer;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner IN SCHEMA shop GRANT SELECT ON TABLES TO "rich ""reader""";
ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
${major >= 15 ? 'GRANT CREATE ON SCHEMA public TO rich_writer;' : 'REVOKE CREATE ON SCHEMA public FROM PUBLIC;'}
COMMENT ON SCHEMA public IS 'changed';`;
