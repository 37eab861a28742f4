import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../core/contract/manifest.ts';
import { chooseTables } from '../../core/restore/into/choose-tables.ts';

const table = (schema: string, name: string, root?: { schema: string; name: string }) => ({
  schema,
  name,
  ...(root === undefined ? {} : { root }),
});
const whole = { schema: 'public', name: 'events' };
const manifestOf = (settings: string[] = []) =>
  ({
    backupId: 'shop-20261121T182033Z-a1b2c3',
    snapshot: { instant: '2026-11-21T18:20:33.120Z' },
    inventory: { database: { name: 'shop', settings } },
    tables: [
      table('public', 'orders'),
      table('public', 'order_lines'),
      table('shop', 'Größe "1"'),
      table('shop', 'orders'),
      table('public', 'events_1', whole),
      table('public', 'events_2', whole),
    ],
  }) as unknown as Manifest;
const choose = (selection: { schemas?: string[]; tables?: string[] }, settings?: string[]) =>
  chooseTables(manifestOf(settings), { schemas: [], tables: [], ...selection });

describe('chooseTables', () => {
  test('takes all without a selection', () => {
    expect(choose({})).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test.each([
    ['orders', [0]],
    ['ORDER*', [0, 1]],
    ['shop.*', [2, 3]],
    ['*.orders', [0, 3]],
    ['shop.public.orders', [0]],
    ['shop."Größe ""1"""', [2]],
    ['order?lines', [1]],
    ['events', [4, 5]],
    ['events_2', [5]],
  ])('reads --table %s as pg_dump does', (pattern, expected) => {
    expect(choose({ tables: [pattern] })).toEqual(expected);
  });

  test('sees the schemas of the search path of the database', () => {
    expect(choose({ tables: ['orders'] }, ['search_path="$user", shop'])).toEqual([3]);
  });

  test('takes schemas, and tables instead when both are given', () => {
    expect(choose({ schemas: ['sh*'] })).toEqual([2, 3]);
    expect(choose({ schemas: ['shop'], tables: ['order_lines'] })).toEqual([1]);
  });

  test('refuses each pattern that matches nothing, and says where the name is', () => {
    expect(() => choose({ tables: ['orders', 'ordres'] })).toThrow(
      expect.objectContaining({ name: 'PatternMatchesNothingError' }),
    );
    expect(() => choose({ schemas: ['nowhere'] })).toThrow(/--schema "nowhere"/);
    expect(() => choose({ tables: ['"Größe ""1"""'] })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('shop.Größe "1"') }),
    );
  });

  test('names the backup that has no such table, and its time: an earlier one may have it', () => {
    const backup = 'the backup shop-20261121T182033Z-a1b2c3, whose snapshot is of 2026-11-21T18:20';
    for (const selection of [{ tables: ['dropped'] }, { schemas: ['dropped'] }]) {
      expect(() => choose(selection)).toThrow(
        expect.objectContaining({
          message: expect.stringContaining(backup),
          hint: expect.stringMatching(
            /unquoted names.*An earlier backup.*holdfast list.*--at TIME/,
          ),
        }),
      );
    }
  });

  test('refuses what is no pattern', () => {
    expect(() => choose({ tables: ['orders('] })).toThrow(
      expect.objectContaining({ name: 'UsageError' }),
    );
    expect(() => choose({ schemas: ['a.b'] })).toThrow(/too many dotted names/);
  });
});
