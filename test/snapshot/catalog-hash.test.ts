/** One value for the schema: blind to everything that is no schema change, and to no schema change. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { catalogHash } from '../../core/snapshot/catalog-hash.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;

beforeAll(async () => {
  database = await testDatabase('hash');
  await database.query(`
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE DOMAIN email AS text;
    CREATE TYPE pair AS (a int, b int);
    CREATE TABLE account (id serial PRIMARY KEY, owner text, feeling mood, amount int, mail email);
    INSERT INTO account (owner, amount) SELECT 'o' || n, n FROM generate_series(1, 1000) n;
    CREATE TABLE other (id int, account_id int);
    CREATE TABLE part (id int) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
    CREATE VIEW rich AS SELECT id FROM account WHERE amount > 500;
    CREATE MATERIALIZED VIEW poor AS SELECT id, repeat('x', 10) AS t FROM account WHERE amount < 500;
    CREATE UNIQUE INDEX ON poor (id);
    CREATE MATERIALIZED VIEW later AS SELECT 1 AS one WITH NO DATA;
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE INDEX account_owner ON account (owner);
    CREATE SEQUENCE loose;
    CREATE STATISTICS s ON owner, amount FROM account;`);
  session = await openSession(database.settings, { applicationName: 'hash', purpose: 'control' });
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

const quiet = [
  ['nothing', 'SELECT 1'],
  [
    'rows written',
    `INSERT INTO account (owner) VALUES ('x'); UPDATE account SET amount = 1; DELETE FROM account WHERE id = 5`,
  ],
  ['ANALYZE', 'ANALYZE'],
  ['VACUUM', 'VACUUM'],
  ['VACUUM FULL', 'VACUUM FULL account'],
  ['VACUUM FREEZE', 'VACUUM (FREEZE, ANALYZE)'],
  ['TRUNCATE', 'TRUNCATE other'],
  ['REINDEX', 'REINDEX TABLE account'],
  ['nextval and setval', `SELECT nextval('loose'), setval('account_id_seq', 5000)`],
  ['ALTER SEQUENCE … RESTART', 'ALTER SEQUENCE loose RESTART WITH 7 START WITH 1'],
  ['REFRESH', 'REFRESH MATERIALIZED VIEW poor'],
  ['REFRESH … CONCURRENTLY', 'REFRESH MATERIALIZED VIEW CONCURRENTLY poor'],
  ['a first REFRESH', 'REFRESH MATERIALIZED VIEW later'],
  [
    'temporary objects',
    `CREATE TEMP TABLE temporary_one (id serial PRIMARY KEY, t text DEFAULT 'x', CHECK (id > 0));
     CREATE INDEX ON temporary_one (t); CREATE TEMP VIEW v AS SELECT * FROM temporary_one;
     CREATE TYPE pg_temp.m AS ENUM ('a'); CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
     CREATE TRIGGER trg BEFORE INSERT ON temporary_one FOR EACH ROW EXECUTE FUNCTION t()`,
  ],
  ['large objects', `SELECT lo_from_bytea(0, 'x')`],
  ['a role', `CREATE ROLE holdfast_hash_test; DROP ROLE holdfast_hash_test`],
] as const;

test.each(quiet)('it stays equal: %s', async (_, sql) => {
  const before = await catalogHash(session);
  await database.query(sql);
  expect(await catalogHash(session)).toBe(before);
});

const moving = [
  ['new table', 'CREATE TABLE new_table (id int)'],
  ['dropped table', 'DROP TABLE new_table'],
  ['renamed table', 'ALTER TABLE other RENAME TO another'],
  ['column renamed', 'ALTER TABLE account RENAME COLUMN owner TO holder'],
  ['column added', 'ALTER TABLE account ADD COLUMN note text'],
  ['default changed', `ALTER TABLE account ALTER COLUMN note SET DEFAULT 'n'`],
  [
    'NOT NULL',
    `ALTER TABLE account ALTER COLUMN id SET NOT NULL, ALTER COLUMN amount SET NOT NULL`,
  ],
  ['type renamed', 'ALTER TYPE mood RENAME TO humour'],
  ['enum label renamed', `ALTER TYPE humour RENAME VALUE 'sad' TO 'blue'`],
  ['enum label added', `ALTER TYPE humour ADD VALUE 'calm'`],
  ['composite attribute renamed', 'ALTER TYPE pair RENAME ATTRIBUTE a TO c'],
  ['domain constraint', `ALTER DOMAIN email ADD CHECK (VALUE LIKE '%@%')`],
  ['function replaced', `CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'`],
  ['constraint', 'ALTER TABLE account ADD CONSTRAINT positive CHECK (amount >= 0) NOT VALID'],
  ['foreign key', 'ALTER TABLE another ADD FOREIGN KEY (account_id) REFERENCES account'],
  ['index', 'CREATE INDEX ON account (amount)'],
  ['index renamed', 'ALTER INDEX account_owner RENAME TO account_holder'],
  ['policy', 'CREATE POLICY p ON account USING (true)'],
  ['row security', 'ALTER TABLE account ENABLE ROW LEVEL SECURITY'],
  ['trigger', 'CREATE TRIGGER trg BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION t()'],
  ['trigger disabled', 'ALTER TABLE account DISABLE TRIGGER trg'],
  ['rule', 'CREATE RULE r AS ON DELETE TO another DO INSTEAD NOTHING'],
  ['view changed', 'CREATE OR REPLACE VIEW rich AS SELECT id FROM account WHERE amount > 900'],
  ['new schema', 'CREATE SCHEMA s1'],
  ['schema renamed', 'ALTER SCHEMA s1 RENAME TO s2'],
  ['moved to another schema', 'ALTER TABLE another SET SCHEMA s2'],
  ['partition detached', 'ALTER TABLE part DETACH PARTITION part_1'],
  ['sequence definition', 'ALTER SEQUENCE loose INCREMENT BY 2'],
  ['sequence owned', 'ALTER SEQUENCE loose OWNED BY account.amount'],
  ['rights', 'GRANT SELECT ON account TO PUBLIC'],
  ['owner', 'ALTER TABLE account OWNER TO pg_monitor'],
  ['storage option', 'ALTER TABLE account SET (fillfactor = 50)'],
  ['extension', 'CREATE EXTENSION hstore'],
  ['statistics', 'ALTER STATISTICS s SET STATISTICS 10'],
  ['publication', 'CREATE PUBLICATION pub FOR TABLE part'],
  ['operator', 'CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)'],
  ['cast', 'CREATE CAST (pair AS text) WITH INOUT'],
] as const;

test.each(moving)('it differs: %s', async (_, sql) => {
  const before = await catalogHash(session);
  await database.query(sql);
  expect(await catalogHash(session)).not.toBe(before);
});

test('a session in a snapshot gives the value of its instant, a fresh one the newest', async () => {
  await using old = await openSession(database.settings, {
    applicationName: 'old',
    purpose: 'worker',
  });
  await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const before = await catalogHash(old);
  expect(await catalogHash(session)).toBe(before);
  await database.query('ALTER TYPE pair RENAME TO couple');
  expect(await catalogHash(old)).toBe(before);
  expect(await catalogHash(session)).not.toBe(before);
});
