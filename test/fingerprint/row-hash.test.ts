import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addFingerprints,
  createRowHasher,
  emptyFingerprint,
} from '../../core/fingerprint/row-hash.ts';
import { lowSeed, referenceFingerprint, xxh64 } from './reference.ts';

/** The buffer of XXH_sanityCheck in xxHash's own test (cli/xsum_sanity_check.c): bytes of a generator from PRIME32. */
function sanityBuffer(length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let generator = 2_654_435_761n;
  for (let at = 0; at < length; at++) {
    buffer[at] = Number(generator >> 56n);
    generator = BigInt.asUintN(64, generator * 11_400_714_785_074_694_797n);
  }
  return buffer;
}

const textOf = (rows: readonly Uint8Array[]) =>
  Buffer.concat(rows.flatMap((row) => [row, Buffer.from('\n')]));

function hashPieces(format: 'text' | 'binary', pieces: readonly Uint8Array[]) {
  const hasher = createRowHasher(format);
  for (const piece of pieces) hasher.update(piece);
  return hasher.finish();
}

/** Cuts at the given places, each taken modulo the length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index]));
}

const headerOf = (extension = Buffer.alloc(0)) => {
  const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
  header.writeInt32BE(extension.length, 15);
  return Buffer.concat([header, extension]);
};
const trailer = Buffer.from([0xff, 0xff]);

function tuple(fields: readonly (Uint8Array | null)[]): Buffer {
  const parts = [Buffer.alloc(2)];
  parts[0]?.writeInt16BE(fields.length);
  for (const field of fields) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(field === null ? -1 : field.length);
    parts.push(length, Buffer.from(field ?? []));
  }
  return Buffer.concat(parts);
}

/** A row without newline: what text COPY can hold. */
const textRow = fc
  .uint8Array({ maxLength: 150 })
  .map((bytes) => bytes.map((byte) => (byte === 0x0a ? 0x0b : byte)));
const textRows = fc.array(textRow, { maxLength: 40 });
const places = fc.array(fc.nat(), { maxLength: 12 });

describe('public vectors of XXH64', () => {
  test.each([
    ['', 'ef46db3751d8e999'],
    ['a', 'd24ec4f1a98c6e5b'],
    ['abc', '44bc2cf5ad770999'],
  ])('%j with seed 0', (text, expected) => {
    expect(xxh64(Buffer.from(text), 0n).toString(16)).toBe(expected);
    const { rows, fingerprint } = hashPieces('text', [Buffer.from(`${text}\n`)]);
    expect(rows).toBe(1);
    expect(fingerprint.slice(0, 16)).toBe(expected);
  });

  // XSUM_XXH64_testdata: length, seed, hash.
  test.each([
    [1, 0n, 'e934a84adb052768'],
    [4, 0n, '9136a0dca57457ee'],
    [14, 0n, '8282dcc4994e35c8'],
    [222, 0n, 'b641ae8cb691c174'],
    [1, 2_654_435_761n, '5014607643a9b4c3'],
    [222, 2_654_435_761n, '20cb8ab7ae10c14a'],
  ])('%i bytes of the sanity buffer with seed %i', (length, seed, expected) => {
    expect(xxh64(sanityBuffer(length), seed).toString(16).padStart(16, '0')).toBe(expected);
  });

  test('the WebAssembly agrees on every length from 0 to 260 with both seeds', () => {
    for (let length = 0; length <= 260; length++) {
      const row = sanityBuffer(length).map((byte) => (byte === 0x0a ? 0 : byte));
      const high = xxh64(row, 0n).toString(16).padStart(16, '0');
      const low = xxh64(row, lowSeed).toString(16).padStart(16, '0');
      expect(hashPieces('text', [row, Buffer.from('\n')]).fingerprint).toBe(high + low);
    }
  });
});

describe('the fingerprint', () => {
  test('of no rows is zero', () => {
    expect(hashPieces('text', [])).toEqual({ rows: 0, fingerprint: emptyFingerprint });
    expect(hashPieces('binary', [headerOf(), trailer])).toEqual({
      rows: 0,
      fingerprint: emptyFingerprint,
    });
  });

  test('of text is the reference whatever the split into blocks', () => {
    fc.assert(
      fc.property(textRows, places, (rows, where) => {
        const facts = hashPieces('text', cut(textOf(rows), where));
        expect(facts).toEqual({ rows: rows.length, fingerprint: referenceFingerprint(rows) });
      }),
    );
  });

  test('of binary is the reference whatever the split into blocks', () => {
    const field = fc.option(fc.uint8Array({ maxLength: 70 }));
    const rows = fc.array(fc.array(field, { maxLength: 5 }).map(tuple), { maxLength: 25 });
    fc.assert(
      fc.property(rows, fc.uint8Array({ maxLength: 9 }), places, (tuples, extension, where) => {
        const stream = Buffer.concat([headerOf(Buffer.from(extension)), ...tuples, trailer]);
        const facts = hashPieces('binary', cut(stream, where));
        expect(facts).toEqual({ rows: tuples.length, fingerprint: referenceFingerprint(tuples) });
      }),
    );
  });

  test('does not depend on the order of rows', () => {
    const shuffled = textRows.chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc.shuffledSubarray(rows, { minLength: rows.length, maxLength: rows.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([rows, others]) => {
        expect(hashPieces('text', [textOf(others)])).toEqual(hashPieces('text', [textOf(rows)]));
      }),
    );
  });

  test('of parts adds up to that of the whole, whatever the partition into chunks', () => {
    fc.assert(
      fc.property(fc.array(textRows, { maxLength: 6 }), (chunks) => {
        const parts = chunks.map((rows) => hashPieces('text', [textOf(rows)]));
        const whole = hashPieces('text', [textOf(chunks.flat())]);
        expect(
          parts.map((part) => part.fingerprint).reduce(addFingerprints, emptyFingerprint),
        ).toBe(whole.fingerprint);
        expect(parts.reduce((sum, part) => sum + part.rows, 0)).toBe(whole.rows);
      }),
    );
  });

  test('tells one changed byte, a doubled row and a lost row', () => {
    const rows = Array.from({ length: 100 }, (_, n) => Buffer.from(`${n}\tname ${n}\t\\N`));
    const original = hashPieces('text', [textOf(rows)]).fingerprint;
    const changed = textOf(rows);
    changed[500] = (changed[500] as number) ^ 1;
    expect(hashPieces('text', [changed]).fingerprint).not.toBe(original);
    expect(hashPieces('text', [textOf([...rows, rows[7] as Buffer])]).fingerprint).not.toBe(
      original,
    );
    expect(hashPieces('text', [textOf(rows.slice(1))]).fingerprint).not.toBe(original);
  });

  test('of a row that is larger than every window is the reference', () => {
    const row = Buffer.alloc(700_001, 'wide row ');
    expect(hashPieces('text', [textOf([row, row.subarray(1)])])).toEqual({
      rows: 2,
      fingerprint: referenceFingerprint([row, row.subarray(1)]),
    });
  });
});

describe('a stream that is cut short', () => {
  test.each([
    ['text', Buffer.from('1\n2'), /within row 2/],
    ['binary', Buffer.concat([headerOf(), tuple([Buffer.from('x')])]), /without its trailer/],
    ['binary', headerOf().subarray(0, 12), /without its trailer/],
    ['binary', Buffer.from('1\tone\n'), /not binary COPY/],
    ['binary', Buffer.concat([headerOf(), trailer, Buffer.from('more')]), /not binary COPY/],
  ] as const)('is an error in %s (%j)', (format, bytes, message) => {
    expect(() => hashPieces(format, [bytes])).toThrow(message);
  });
});
