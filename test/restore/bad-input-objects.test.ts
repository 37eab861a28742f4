/** Bad input: objects of the vault that are not what was written. No row and no definition of them gets to the target. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillShop } from '../backup/harness.ts';
import { expectRefused, type Objects, whileDamaged } from './bad-input.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

let harness: RestoreHarness;
let original: Record<string, unknown>;
beforeAll(async () => {
  harness = await makeRestoreHarness(
    'bad_objects',
    async (database) => {
      await fillShop(database);
      // Rows of one length that cannot be made shorter: segments of one length, neighbours in one object.
      await database.query(`
      CREATE TABLE twin_a AS SELECT md5('a') AS v;
      CREATE TABLE twin_b AS SELECT md5('b') AS v;
      CREATE TABLE longer AS SELECT md5(i::text) AS v FROM generate_series(1, 50) i;`);
    },
    { options: { chunkBytes: 1 << 20 } },
  );
  original = await contentOf(harness.source.database.name);
});
afterAll(() => harness?.[Symbol.asyncDispose]());

type Damage = (objects: Objects) => Promise<void>;

/** Puts two stretches of one object, one behind the other or not, into each other's place. */
async function exchangeSegments(objects: Objects, first: string, second: string): Promise<void> {
  const [a, b] = [objects.segmentOf(first), objects.segmentOf(second)].sort(
    (one, other) => one.offset - other.offset,
  ) as [ReturnType<Objects['segmentOf']>, ReturnType<Objects['segmentOf']>];
  expect(a.key).toBe(b.key);
  const body = await objects.read(a.key);
  const parts = [
    body.subarray(0, a.offset),
    body.subarray(b.offset, b.offset + b.storedBytes),
    body.subarray(a.offset + a.storedBytes, b.offset),
    body.subarray(a.offset, a.offset + a.storedBytes),
    body.subarray(b.offset + b.storedBytes),
  ];
  const exchanged = Buffer.concat(parts);
  expect([exchanged.length, exchanged.equals(body)]).toEqual([body.length, false]);
  await objects.write(a.key, exchanged);
}

const flip =
  (keyOf: (objects: Objects) => { key: string; at: number }): Damage =>
  async (objects) => {
    const { key, at } = keyOf(objects);
    const body = await objects.read(key);
    body[at] = (body[at] ?? 0) ^ 1;
    await objects.write(key, body);
  };

const segmentPlace = (share: number) => (objects: Objects) => {
  const { key, offset, storedBytes } = objects.segmentOf('accounts');
  return { key, at: offset + Math.floor((storedBytes - 1) * share) };
};

const definitionsPlace = ({ manifest }: Objects) => {
  const { segment } = manifest.schema.find(({ name }) => name === 'pre-data') ?? {};
  const key = manifest.objects[segment?.object ?? -1]?.key ?? '';
  return { key, at: (segment?.offset ?? 0) + Math.floor((segment?.storedBytes ?? 0) / 2) };
};

const cases: [string, RegExp, Damage][] = [
  [
    'a flipped byte at the beginning of rows',
    /^(Decryption|ObjectDamaged)Error$/,
    flip(segmentPlace(0)),
  ],
  ['a flipped byte amid rows', /^(Decryption|ObjectDamaged)Error$/, flip(segmentPlace(0.5))],
  ['a flipped byte at the end of rows', /^(Decryption|ObjectDamaged)Error$/, flip(segmentPlace(1))],
  [
    'a flipped byte in the definitions',
    /^(Decryption|ObjectDamaged)Error$/,
    flip(definitionsPlace),
  ],
  [
    'a missing object',
    /^ObjectNotFoundError$/,
    async (objects) => objects.write(objects.segmentOf('accounts').key, undefined),
  ],
  [
    'missing definitions',
    /^ObjectNotFoundError$/,
    async (objects) => objects.write(definitionsPlace(objects).key, undefined),
  ],
  [
    'a truncated object',
    /^ObjectTruncatedError$/,
    async (objects) => {
      const { key } = objects.segmentOf('accounts');
      const body = await objects.read(key);
      await objects.write(key, body.subarray(0, Math.floor(body.length / 2)));
    },
  ],
  [
    'an empty object',
    /^ObjectTruncatedError$/,
    async (objects) => objects.write(objects.segmentOf('accounts').key, Buffer.alloc(0)),
  ],
  [
    'two segments of one length, exchanged',
    /^(Decryption|ObjectDamaged)Error$/,
    async (objects) => {
      const [a, b] = [objects.segmentOf('twin_a'), objects.segmentOf('twin_b')];
      expect(a.storedBytes).toBe(b.storedBytes);
      await exchangeSegments(objects, 'twin_a', 'twin_b');
    },
  ],
  [
    'two segments of different lengths, exchanged',
    /^(Decryption|ObjectDamaged)Error$/,
    async (objects) => exchangeSegments(objects, 'twin_a', 'longer'),
  ],
  [
    'two whole objects, exchanged',
    /^(Decryption|ObjectDamaged|ObjectTruncated)Error$/,
    async (objects) => {
      const { tables, objects: stored } = objects.manifest;
      const used = new Set(tables.flatMap(({ segments }) => segments.map(({ object }) => object)));
      const [a, b] = [...used].map((object) => stored[object]?.key) as [string, string];
      expect(used.size).toBeGreaterThan(1);
      const [first, second] = [await objects.read(a), await objects.read(b)];
      // Both as long as the longer one, so that it is not the length alone that gives it away.
      const length = Math.max(first.length, second.length);
      await objects.write(a, Buffer.concat([second], length));
      await objects.write(b, Buffer.concat([first], length));
    },
  ],
];

describe('a restore from a vault with', { timeout: 180_000 }, () => {
  it.each(cases)('%s is refused, and nothing of it is left', async (_, name, damage) => {
    await whileDamaged(harness, damage, async () => {
      await expectRefused(
        harness,
        {},
        {
          ...{ name, message: /backups\/shop\//, isBegun: true },
          hint: /`holdfast verify`|from a replica/,
        },
      );
    });
  });

  it('its objects put back restores, identical', async () => {
    const report = await harness.restore();
    expect(report.verdict).toBe('identical');
    expect(await contentOf(report.database as string)).toEqual(original);
    await onServer('postgres', `DROP DATABASE "${report.database}" WITH (FORCE)`);
  });
});

describe('a restore in the place of a database, from a vault with', { timeout: 180_000 }, () => {
  it('a flipped byte leaves that database in its place', async () => {
    const { name } = harness.source.database;
    await whileDamaged(harness, flip(segmentPlace(0.5)), () =>
      expectRefused(
        harness,
        { mode: 'swap', database: name, disconnect: true },
        {
          name: /^(Decryption|ObjectDamaged)Error$/,
          message: /backups\/shop\//,
          hint: /`holdfast verify`|replica/,
          isBegun: true,
        },
      ),
    );
  });
});
