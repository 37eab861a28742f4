import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schemaPattern, tablePattern } from '../../core/plan/patterns.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('patterns');
});
afterAll(() => database.drop());

const table = (pattern: string) => tablePattern(pattern, '--table', 'shop');

/** As the server answers for a name of the catalog. */
async function matches(regex: string, name: string): Promise<boolean> {
  const [row] = await database.query<{ hit: boolean }>(
    'SELECT $1::text::name OPERATOR(pg_catalog.~) $2 COLLATE pg_catalog.default AS hit',
    [name, regex],
  );
  return row?.hit ?? false;
}

test.each([
  ['orders', { name: '^(orders)$' }],
  ['Orders', { name: '^(orders)$' }],
  ['"Orders"', { name: '^(Orders)$' }],
  ['shop_?.ord*', { schema: '^(shop_.)$', name: '^(ord.*)$' }],
  ['a$b', { name: '^(a\\$b)$' }],
  ['"a.b"."c*d?"', { schema: '^(a\\.b)$', name: '^(c\\*d\\?)$' }],
  ['"say ""hi"""', { name: '^(say "hi")$' }],
  ['F"OO"B', { name: '^(fOOb)$' }],
  ['(a|b)[0-9]+', { name: '^((a|b)[0-9]+)$' }],
  ['int[]', { name: '^(int\\[])$' }],
  ['shop.public.orders', { schema: '^(public)$', name: '^(orders)$' }],
  ['.orders', { schema: '^()$', name: '^(orders)$' }],
  ['ÄÖ', { name: '^(ÄÖ)$' }],
  ['', { name: '^()$' }],
])('%j is read as psql reads it', (pattern, expected) => {
  expect(table(pattern)).toEqual(expected);
});

test('names of other databases and more than two dots are refused', () => {
  expect(() => table('other.public.orders')).toThrowError(/database "other".*of "shop"/);
  expect(() => table('a.b.c.d')).toThrowError(/--table "a\.b\.c\.d" has too many dotted names/);
  expect(() => schemaPattern('a.b', '--schema')).toThrowError(/too many dotted names/);
  expect(schemaPattern('"a.b"', '--schema')).toBe('^(a\\.b)$');
  expect(table('"sh""op".a.b'.replace('""', ''))).toMatchObject({ name: '^(b)$' });
});

const hostile = fc
  .string({
    unit: fc.constantFrom(...'aZ_9$.*+?()[]{}|^\\"\'%; \n\té😀'),
    minLength: 1,
    maxLength: 12,
  })
  .filter((name) => Buffer.byteLength(name) <= 63);

test('a quoted name matches itself and nothing else', async () => {
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (name, other) => {
      const { name: regex } = table(quoted(name));
      expect(await matches(regex, name)).toBe(true);
      expect(await matches(regex, other)).toBe(name === other);
      const both = table(`${quoted(name)}.${quoted(other)}`);
      expect(await matches(both.schema ?? '', name)).toBe(true);
      expect(await matches(both.name, other)).toBe(true);
      expect(await matches(schemaPattern(quoted(name), '--schema'), name)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test('plain names with wildcards match as a shell would', async () => {
  const word = fc.string({ unit: fc.constantFrom(...'abAB_1'), minLength: 0, maxLength: 6 });
  const glob = fc.string({ unit: fc.constantFrom(...'abAB_1*?'), minLength: 1, maxLength: 6 });
  const expected = (pattern: string, name: string): boolean => {
    if (pattern === '') return name === '';
    const [first = '', rest] = [pattern[0], pattern.slice(1)];
    if (first === '*')
      return expected(rest, name) || (name !== '' && expected(pattern, name.slice(1)));
    if (name === '') return false;
    return (first === '?' || first.toLowerCase() === name[0]) && expected(rest, name.slice(1));
  };
  await fc.assert(
    fc.asyncProperty(glob, word, async (pattern, name) => {
      expect(await matches(table(pattern).name, name)).toBe(expected(pattern, name));
    }),
    { numRuns: 200 },
  );
});

test('no pattern gets out of its parameter or brings anything but a match or a refusal', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (pattern, name) => {
      let regex: string;
      try {
        regex = table(pattern).name;
      } catch (error) {
        expect(error).toMatchObject({ name: 'UsageError' });
        return;
      }
      await matches(regex, name).catch((error) => expect(error).toMatchObject({ code: '2201B' }));
    }),
    { numRuns: 200 },
  );
});
