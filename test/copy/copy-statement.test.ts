import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Slice } from '../../core/contract/plan.ts';
import { copyStatement, type TableSlice } from '../../core/copy/copy-statement.ts';
import type { Session } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { copyAll, workerSession } from './support.ts';

let database: TestDatabase;
let session: Session;
beforeAll(async () => {
  database = await testDatabase('copy_statement');
  session = await workerSession(database.settings);
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

const slice = (name: string, columns: string[], more: Partial<TableSlice> = {}): TableSlice => ({
  of: 'table',
  oid: 1,
  schema: 'public',
  name,
  columns,
  format: 'text',
  estimatedBytes: 0,
  ...more,
});
const textOf = async (of: Slice) => (await copyAll(session, copyStatement(of))).bytes.toString();

describe('a table', () => {
  test('is read alone, without the rows of its children', async () => {
    await database.query(`CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent);
      INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2)`);
    expect(await textOf(slice('parent', ['a']))).toBe('1\n');
    expect(await textOf(slice('parent', ['a'], { blocks: { from: 0, to: null } }))).toBe('1\n');
  });

  test('with row security on is named with ONLY, which old servers lose from the other form', async () => {
    await database.query(`CREATE TABLE secured (a int); CREATE TABLE beneath () INHERITS (secured);
      INSERT INTO secured VALUES (1); INSERT INTO beneath VALUES (2);
      ALTER TABLE secured ENABLE ROW LEVEL SECURITY`);
    const sql = copyStatement(slice('secured', ['a']), true);
    expect(sql).toBe('COPY (SELECT "a" FROM ONLY "public"."secured") TO STDOUT');
    expect((await copyAll(session, sql)).bytes.toString()).toBe('1\n');
    expect(copyStatement(slice('secured', []), true)).toMatch(/SELECT FROM ONLY/);
  });

  test('with names of quotes, newlines, emoji and 63 bytes is found', async () => {
    const names = [`quo"te'd`, 'new\nline', '😀 table', 'x'.repeat(63), 'select', "it's \\N"];
    for (const name of names) {
      const quoted = `"${name.replaceAll('"', '""')}"`;
      await database.query(
        `CREATE TABLE ${quoted} (${quoted} text, plain int); INSERT INTO ${quoted} VALUES ('v', 1)`,
      );
      expect(await textOf(slice(name, [name, 'plain']))).toBe('v\t1\n');
      expect(await textOf(slice(name, ['plain'], { blocks: { from: 0, to: 9 } }))).toBe('1\n');
    }
  });

  test('cut into ranges of blocks gives each row once', async () => {
    await database.query(
      `CREATE TABLE ranges AS SELECT n, repeat('x', 500) AS pad FROM generate_series(1, 1000) n`,
    );
    const bounds = [0, 1, 7, 30, null] as const;
    const texts = await Promise.all([textOf(slice('ranges', ['n']))]);
    let pieces = '';
    for (let i = 0; i + 1 < bounds.length; i++) {
      const blocks = { from: bounds[i] as number, to: bounds[i + 1] as number | null };
      pieces += await textOf(slice('ranges', ['n'], { blocks }));
    }
    expect(pieces).toBe(texts[0]);
  });

  test('without columns gives as many empty rows as it has rows', async () => {
    await database.query(
      'CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES',
    );
    expect(await textOf(slice('nothing', []))).toBe('\n\n');
    expect(await textOf(slice('nothing', [], { blocks: { from: 0, to: null } }))).toBe('\n\n');
    const binary = await copyAll(
      session,
      copyStatement(slice('nothing', [], { format: 'binary' })),
      'binary',
    );
    expect(binary.rows).toBe(2);
  });

  test('of an extension is read by its condition, with and without the word WHERE', async () => {
    await database.query(
      'CREATE TABLE config (id int, own bool); INSERT INTO config VALUES (1, false), (2, true)',
    );
    for (const where of ['WHERE own', ' where own', 'own', 'own OR false']) {
      expect(await textOf(slice('config', ['id'], { where }))).toBe('2\n');
      expect(await textOf(slice('config', ['id'], { where, blocks: { from: 0, to: null } }))).toBe(
        '2\n',
      );
    }
  });
});

describe('large objects', () => {
  const objects = (
    by: 'pages' | 'functions' | 'metadata',
    fromOid: number,
    toOid: number,
  ): Slice => ({
    of: 'large-objects',
    fromOid,
    toOid,
    by,
    estimatedBytes: 0,
  });

  test('have the same pages by pg_largeobject and by functions, in the range of oids', async () => {
    await database.query(
      `SELECT lo_from_bytea(5000 + n, repeat(chr(64 + n), n * 1500)::bytea) FROM generate_series(0, 5) n`,
    );
    const pages = await textOf(objects('pages', 5001, 5004));
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const functions = await textOf(objects('functions', 5001, 5004));
    await session.query('COMMIT');
    // 1500, 3000, 4500 and 6000 bytes in pages of 2048.
    expect(pages.split('\n').length - 1).toBe(1 + 2 + 3 + 3);
    expect(functions.split('\n').sort()).toEqual(pages.split('\n').sort());
  });

  test('tell their owner, rights and comment', async () => {
    await database.query(
      `SELECT lo_create(6000); COMMENT ON LARGE OBJECT 6000 IS 'a "scan"'; GRANT SELECT ON LARGE OBJECT 6000 TO PUBLIC`,
    );
    expect(await textOf(objects('metadata', 6000, 6001))).toBe(
      '6000\tpostgres\t{postgres=rw/postgres,=r/postgres}\ta "scan"\n',
    );
  });
});
