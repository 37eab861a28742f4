/** Constraints after the rows: foreign keys in circles and in crowds, NOT VALID, partitions, exclusion, deferred checks. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { buildAll, type Loaded, loadRows, planAsIfLarge } from './build-harness.ts';

let harness: Harness;
let loaded: Loaded;

/** Twelve tables, each of which refers to the three after it, in a circle: in parallel a chance for every deadlock. */
const crowd = Array.from({ length: 12 }, (_, i) => i);
const crowdSql = [
  ...crowd.map((i) => `CREATE TABLE crowd_${i} (id int PRIMARY KEY, a int, b int, c int);`),
  ...crowd.map((i) => `INSERT INTO crowd_${i} SELECT n, n, n, n FROM generate_series(1, 200) n;`),
  ...crowd.flatMap((i) =>
    ['a', 'b', 'c'].map(
      (column, k) =>
        `ALTER TABLE crowd_${i} ADD CONSTRAINT fk_${i}_${column} FOREIGN KEY (${column})
           REFERENCES crowd_${(i + k + 1) % 12} DEFERRABLE;`,
    ),
  ),
].join('\n');

const constraints = `
  CREATE TABLE broken (id int PRIMARY KEY, up int);
  INSERT INTO broken VALUES (1, 99);
  ALTER TABLE broken ADD CONSTRAINT broken_up FOREIGN KEY (up) REFERENCES broken NOT VALID;
  COMMENT ON CONSTRAINT broken_up ON broken IS 'kept';
  ALTER TABLE broken ADD CONSTRAINT broken_id CHECK (id > 1) NOT VALID;

  CREATE TABLE measured (id int, day date, place int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
  CREATE TABLE measured_2 PARTITION OF measured FOR VALUES FROM ('2026-01-01') TO (MAXVALUE) PARTITION BY LIST (id);
  CREATE TABLE measured_2_rest PARTITION OF measured_2 DEFAULT;
  CREATE TABLE places (id int PRIMARY KEY);
  INSERT INTO places VALUES (1), (2);
  INSERT INTO measured SELECT i, DATE '2025-12-20' + i, 1 + i % 2 FROM generate_series(1, 30) i;
  CREATE INDEX measured_place ON measured (place);
  COMMENT ON INDEX measured_place IS 'by place';
  ALTER TABLE measured ADD CONSTRAINT at_place FOREIGN KEY (place) REFERENCES places;
  COMMENT ON CONSTRAINT at_place ON measured IS 'of all partitions';
  CREATE TABLE notes (id int, day date, CONSTRAINT of_measured FOREIGN KEY (id, day) REFERENCES measured);
  INSERT INTO notes VALUES (3, '2025-12-23'), (20, '2026-01-09');

  CREATE TABLE booked (during int4range, CONSTRAINT apart EXCLUDE USING gist (during WITH &&) INITIALLY DEFERRED);
  INSERT INTO booked VALUES ('[1,3)'), ('[3,5)');
  CREATE TABLE keyed (a int NOT NULL, "b)c" text NOT NULL, d int);
  INSERT INTO keyed VALUES (1, 'x', 1), (2, 'x', 2);
  ALTER TABLE keyed ADD CONSTRAINT "key )"" of" UNIQUE NULLS NOT DISTINCT (a, "b)c") INCLUDE (d)
    WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED;
  ALTER TABLE keyed ADD CONSTRAINT keyed_plain UNIQUE (d);
  ALTER TABLE keyed ALTER COLUMN d SET NOT NULL;
  ALTER TABLE keyed REPLICA IDENTITY USING INDEX keyed_plain;
  CLUSTER keyed USING keyed_plain;

  CREATE TABLE allowed (v int PRIMARY KEY);
  INSERT INTO allowed VALUES (1), (2);
  CREATE FUNCTION is_allowed(i int) RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN RETURN EXISTS (SELECT FROM allowed WHERE v = i); END';
  CREATE TABLE checked (v int CONSTRAINT only_allowed CHECK (is_allowed(v)));
  COMMENT ON CONSTRAINT only_allowed ON checked IS 'reads a table';
  CREATE TABLE checked_child (w int) INHERITS (checked);
  INSERT INTO checked VALUES (1);
  INSERT INTO checked_child VALUES (2, 2);
  CREATE DOMAIN allowed_only AS int CONSTRAINT in_list CHECK (is_allowed(VALUE));
  CREATE TABLE of_domain (v allowed_only);
  INSERT INTO of_domain VALUES (1);

  CREATE MATERIALIZED VIEW z_first AS SELECT count(*) AS n FROM places;
  CREATE VIEW between_them AS SELECT n FROM z_first;
  CREATE MATERIALIZED VIEW a_second AS SELECT n * 2 AS n FROM between_them;
  CREATE UNIQUE INDEX ON a_second (n);
  CREATE MATERIALIZED VIEW beside AS SELECT 1 AS one;
  CREATE TABLE grouped (id int PRIMARY KEY, name text);
  CREATE VIEW needs_key AS SELECT id, name, count(*) FROM grouped GROUP BY id;
  CREATE MATERIALIZED VIEW kept_with_key AS SELECT id, name, count(*) FROM grouped GROUP BY id;
  CREATE INDEX on_late_view ON kept_with_key (name);
`;

/** What is said about constraints and indexes; NOT NULL of partitions is made local by pg_dump itself. */
const facts = `
  SELECT conrelid::regclass::text || '/' || contypid::regtype::text AS owner, conname, contype, condeferrable, condeferred,
         convalidated, conislocal, coninhcount, CASE contype WHEN 'c' THEN connoinherit END AS noinherit, pg_get_constraintdef(oid) AS definition,
         obj_description(oid, 'pg_constraint') AS comment
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2, definition`;
const indexFacts = `
  SELECT indexrelid::regclass::text AS name, indisunique, indisprimary, indisexclusion, indimmediate, indisclustered,
         indisvalid, indisreplident, indnkeyatts, pg_get_indexdef(indexrelid) AS definition, c.reloptions,
         (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = indexrelid) AS parent,
         obj_description(indexrelid) AS comment
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid
   WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`;

beforeAll(async () => {
  harness = await makeHarness('build_constraints');
  await harness.database.query(crowdSql + constraints);
  loaded = await loadRows(harness);
  await buildAll(loaded, await planAsIfLarge(loaded), 8);
});
afterAll(async () => {
  await loaded?.[Symbol.asyncDispose]();
  await harness?.[Symbol.asyncDispose]();
});

test('constraints are those of the source: validity, inheritance, deferral, comments', async () => {
  expect(await loaded.rows(facts)).toEqual(await harness.database.query(facts));
});

test('indexes are those of the source: attached, clustered on, replica identity, comments', async () => {
  expect(await loaded.rows(indexFacts)).toEqual(await harness.database.query(indexFacts));
});

test('so they are when the tables are small', async () => {
  await using small = await loadRows(harness);
  await buildAll(small, undefined, 8);
  expect(await small.rows(facts)).toEqual(await harness.database.query(facts));
  expect(await small.rows(indexFacts)).toEqual(await harness.database.query(indexFacts));
  expect((await small.builds()).length).toBeLessThan((await loaded.builds()).length / 2);
});

test('indexes of one table are built side by side, its keys too; foreign keys are validated side by side', async () => {
  const builds = await loaded.builds();
  const kindOf = (label: string) => builds.find((build) => build.label === label)?.kind;
  expect(kindOf('index public.crowd_0_pkey')).toBe('index');
  expect(kindOf('index public.key )" of')).toBe('index');
  expect(kindOf('CONSTRAINT public.booked apart')).toBe('constraint');
  expect(builds.filter(({ kind }) => kind === 'foreign-key').length).toBe(36 + 2);
});

test('a view on a view is refreshed after it; one that depends on a primary key is there with its index', async () => {
  expect(await loaded.rows('SELECT n FROM a_second')).toEqual([{ n: '4' }]);
  expect(await loaded.rows(`SELECT to_regclass('on_late_view') IS NOT NULL AS "isThere"`)).toEqual([
    { isThere: true },
  ]);
});
