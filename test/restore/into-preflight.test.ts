import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type IntoHarness, makeIntoHarness } from './into-harness.ts';
import { onServer } from './shared-server.ts';

let into: IntoHarness;
let database: string;

beforeAll(async () => {
  into = await makeIntoHarness();
  database = await into.copy();
  await onServer(
    database,
    `ALTER TABLE shop.customers DROP COLUMN tags;
     DELETE FROM shop.settings;
     ALTER TABLE shop.settings ADD COLUMN extra int NOT NULL;
     CREATE RULE nothing AS ON INSERT TO shop.lines DO INSTEAD NOTHING;
     DROP TABLE shop.tree;
     CREATE VIEW shop.tree AS SELECT 1 AS id, 2 AS up;`,
  );
}, 60_000);

afterAll(async () => {
  await into[Symbol.asyncDispose]();
});

describe('preflight of a restore into a database', () => {
  test.each<[string, Record<string, unknown>, string | RegExp]>([
    [
      'says ok of what can be done',
      { tables: ['shop.events_1'], onConflict: 'error' },
      /^ok: shop.events_1/,
    ],
    [
      'refuses rows of a table without a key that has rows',
      { tables: ['shop.nokey'], onConflict: 'error' },
      /^failed: shop.nokey has rows, and no primary key .*a second time/,
    ],
    [
      'wants to know of conflicts',
      { tables: ['shop.nokey'] },
      /^failed: shop.nokey exists: it has to be said/,
    ],
    [
      'needs a primary key to skip',
      { tables: ['shop.nokey'], onConflict: 'skip' },
      /^failed: shop.nokey has no primary key/,
    ],
    [
      'needs a primary key to replace',
      { tables: ['shop.nokey'], onConflict: 'replace' },
      /has no primary key/,
    ],
    [
      'names columns that are gone',
      { tables: ['shop.customers'], onConflict: 'error' },
      /^failed: shop.customers has other columns than the backup: it lacks tags/,
    ],
    [
      'names new columns without a value',
      { tables: ['shop.settings'], onConflict: 'error' },
      /no default: extra/,
    ],
    [
      'names rules',
      { tables: ['shop.lines'], onConflict: 'error' },
      /^failed: shop.lines has rules .*: nothing/,
    ],
    [
      'refuses a view',
      { tables: ['shop.tree'], onConflict: 'error' },
      /^failed: shop.tree is no table/,
    ],
    [
      'names triggers that will not fire',
      { tables: ['shop.orders'], onConflict: 'replace' },
      /^warning: Triggers of shop.orders do not fire .*: orders_touch/,
    ],
    [
      'finds a table that matches nothing',
      { tables: ['shop.nothing'] },
      /^failed: --table "shop.nothing" matches no table/,
    ],
    [
      'takes --where for one table only',
      { tables: ['shop.o*', 'shop.nokey'], where: 'true' },
      /^failed: --where is for one table; chosen are 3: shop.orders, /,
    ],
    [
      'takes --as for one table only',
      { schemas: ['shop'], as: 'x' },
      /^failed: --as is for one table/,
    ],
    [
      'refuses --as of a name that is taken',
      { tables: ['shop.orders'], as: 'nokey' },
      /^failed: There is a table shop.nokey already/,
    ],
    [
      'tries the condition',
      { tables: ['shop.orders'], onConflict: 'error', where: 'nothing = 1' },
      /^failed: --where .*nothing.* does not exist$/m,
    ],
    [
      'tries the condition, also one with a comment',
      { tables: ['shop.events_1'], onConflict: 'error', where: `what = 'a' -- x` },
      /^ok/,
    ],
  ])('%s', async (_title, selection, expected) => {
    expect((await into.preflight(database, selection)).join('\n')).toMatch(expected);
  });

  test('says so when there is no such database', async () => {
    expect(await into.preflight('nowhere_at_all', { tables: ['shop.nokey'] })).toEqual([
      expect.stringMatching(/^failed: .*nowhere_at_all/),
    ]);
  });
});
