import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadUnit } from '../../core/restore/load-unit.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { loadHarness } from './load-harness.ts';
import { onServer } from './shared-server.ts';

const tag = randomBytes(4).toString('hex');
const role = (name: string) => `fr_${name}_${tag}`;
const [owner, odd, reader, other] = [
  role('owner'),
  `${role('odd')} "one"=`,
  role('reader'),
  role('other'),
];
const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

let source: Harness;
let backupId: string;
beforeAll(async () => {
  source = await makeHarness('finish_source');
  const { database } = source;
  for (const name of [owner, odd, reader, other])
    await database.query(`CREATE ROLE ${quote(name)}`);
  await database.query(`
    CREATE SEQUENCE plain; SELECT setval('plain', 9007199254740993);
    CREATE SEQUENCE untouched START 5;
    CREATE SEQUENCE down INCREMENT -2 MINVALUE -1000 MAXVALUE 50 START 40; SELECT nextval('down'), nextval('down');
    CREATE SCHEMA "s 1"; CREATE SEQUENCE "s 1"."odd ""name"; SELECT setval('"s 1"."odd ""name"', 3, false);
    CREATE TABLE serials (id serial, big bigint GENERATED ALWAYS AS IDENTITY); INSERT INTO serials (id) VALUES (DEFAULT), (DEFAULT);
    SELECT lo_from_bytea(1001, decode(repeat('00ff10', 10000), 'hex'));
    SELECT lo_create(1002);
    SELECT lo_from_bytea(1003, 'small'); ALTER LARGE OBJECT 1003 OWNER TO ${owner};
    GRANT SELECT ON LARGE OBJECT 1003 TO PUBLIC; GRANT SELECT, UPDATE ON LARGE OBJECT 1003 TO ${quote(odd)} WITH GRANT OPTION;
    SET ROLE ${quote(odd)}; GRANT SELECT ON LARGE OBJECT 1003 TO ${reader}; RESET ROLE;
    COMMENT ON LARGE OBJECT 1003 IS E'with ''quotes'' and \\\\ back\nslash';
    SELECT lo_from_bytea(1004, 'mine'); ALTER LARGE OBJECT 1004 OWNER TO ${quote(odd)};
    REVOKE UPDATE ON LARGE OBJECT 1004 FROM ${quote(odd)};
    -- Sparse: pages 0 and 5; a short page in the middle; an end that was cut off at a page's beginning.
    SELECT lo_create(1005); SELECT lo_put(1005, 10240, 'end'), lo_put(1005, 0, 'begin');
    SELECT lo_from_bytea(1006, decode(repeat('ab', 5000), 'hex'));
    SELECT lo_truncate64(lo_open(1006, 131072), 4096);
    SELECT lo_from_bytea(1007, 'gone'); SELECT lo_truncate64(lo_open(1007, 131072), 0); SELECT lo_put(1007, 8192, 'far');
    SELECT count(lo_from_bytea(20000 + n, decode(md5(n::text), 'hex'))) FROM generate_series(1, 1200) n;`);
  backupId = ((await source.runHere()) as { backupId: string }).backupId;
});
afterAll(async () => {
  await source.database.query('SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata');
  for (const name of [reader, odd, owner, other])
    await source.database.query(`DROP OWNED BY ${quote(name)}; DROP ROLE ${quote(name)}`);
  await source[Symbol.asyncDispose]();
});

const pages = (database: TestDatabase) =>
  database.query(
    `SELECT loid, pageno, encode(data, 'hex') AS data FROM pg_largeobject ORDER BY 1, 2`,
  );
const metadata = (database: TestDatabase) =>
  database.query(`SELECT oid, lomowner::regrole::text AS owner, lomacl::text AS acl,
    obj_description(oid, 'pg_largeobject') AS comment FROM pg_largeobject_metadata ORDER BY oid`);
const sequences = async (database: TestDatabase) => {
  const names = await database.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'S' ORDER BY 1`,
  );
  const stands: unknown[] = [];
  for (const { name } of names) {
    const [row] = await database.query(`SELECT last_value, is_called FROM ${name}`);
    stands.push({ name, ...row });
  }
  return stands;
};
test('sequences stand where they stood, and large objects are as they were, page by page', async () => {
  await using load = await loadHarness(source, backupId);
  await load.loadAll();
  const finished = await load.finish();
  expect(finished).toEqual({
    sequences: (await sequences(source.database)).length,
    largeObjects: 1207,
  });
  expect(await sequences(load.target)).toEqual(await sequences(source.database));
  expect(await pages(load.target)).toEqual(await pages(source.database));
  expect(await metadata(load.target)).toEqual(await metadata(source.database));
  // Again, as after a lost answer.
  expect(await load.finish()).toEqual(finished);
  expect(await metadata(load.target)).toEqual(await metadata(source.database));
});

test('a stop midway leaves nothing that the next attempt stumbles over', async () => {
  await using load = await loadHarness(source, backupId);
  await load.loadAll();
  // Keeps it waiting among its large objects.
  await load.target.query(`BEGIN; ALTER LARGE OBJECT 1004 OWNER TO ${reader}`);
  const finishing = expect(load.finish()).rejects.toMatchObject({ name: 'ConnectionLostError' });
  const sessions = `FROM pg_stat_activity WHERE application_name = 'holdfast/${load.run.runId}/finish-rows'`;
  await expect
    .poll(() => onServer('postgres', `SELECT wait_event_type AS at ${sessions}`))
    .toEqual([{ at: 'Lock' }]);
  await onServer('postgres', `SELECT pg_terminate_backend(pid) ${sessions}`);
  await finishing;
  await load.target.query('ROLLBACK');
  await load.finish();
  expect(await metadata(load.target)).toEqual(await metadata(source.database));
});

test('role options hold for large objects: another role, no owners, no privileges', async () => {
  const input = { roles: { map: { [owner]: other, [odd]: reader }, noPrivileges: true } };
  await using load = await loadHarness(source, backupId, { input });
  await load.loadAll();
  await load.finish();
  const ownerOf = async (target: TestDatabase, oid: number) =>
    ((await metadata(target)) as unknown as { oid: number }[]).find((row) => row.oid === oid);
  expect(await ownerOf(load.target, 1003)).toMatchObject({ owner: other, acl: null });
  expect(await ownerOf(load.target, 1004)).toMatchObject({ owner: reader, acl: null });
  await using unowned = await loadHarness(source, backupId, {
    input: { roles: { noOwner: true } },
  });
  await unowned.loadAll();
  await unowned.finish();
  const row = (await ownerOf(unowned.target, 1003)) as unknown as { owner: string; acl: string };
  expect(row.owner).toBe('postgres');
  expect(row.acl).toContain('postgres=rw/postgres');
  expect(row.acl).toContain('=r/postgres');
});

test('no superuser is needed when the role is a member of the owners', async () => {
  const name = role('plain');
  await source.database.query(
    `CREATE ROLE ${name} LOGIN PASSWORD 'secret'; GRANT ${owner}, ${quote(odd)}, ${reader}, pg_read_all_data TO ${name}`,
  );
  try {
    const small = (await source.runHere()) as { backupId: string };
    await using load = await loadHarness(source, small.backupId, {
      user: { name, password: 'secret' },
      input: { roles: { map: { postgres: name } } },
      prepare: `DO $$ BEGIN EXECUTE format('GRANT CREATE, TEMP ON DATABASE %I TO ${name}', current_database());
        ALTER SCHEMA public OWNER TO ${name}; END $$`,
    });
    await load.loadAll();
    await load.finish();
    expect(await pages(load.target)).toEqual(await pages(source.database));
    const acl = (await metadata(load.target)) as unknown as { oid: number; acl: string }[];
    const wanted = (await metadata(source.database)) as unknown as { oid: number; acl: string }[];
    for (const oid of [1003, 1004])
      expect(acl.find((row) => row.oid === oid)).toEqual(wanted.find((row) => row.oid === oid));
  } finally {
    await source.database.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
  }
});

test('two attempts at once at the same large objects end each other, and all is there once', async () => {
  await using load = await loadHarness(source, backupId);
  const of = load.units.find(({ items }) => items.some(({ what }) => what === 'large-object-data'));
  const both = [1, 2].map(() =>
    loadUnit(load.deps, { runId: load.run.runId, unit: of?.unit ?? -1 }),
  );
  await Promise.allSettled(both);
  await load.loadAll();
  expect(await pages(load.target)).toEqual(await pages(source.database));
});
