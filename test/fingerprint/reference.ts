/** XXH64 written anew from its specification with BigInt, and the fingerprint of docs/fingerprint.md on top of it. */
const mask = (1n << 64n) - 1n;
const prime1 = 0x9e3779b185ebca87n;
const prime2 = 0xc2b2ae3d27d4eb4fn;
const prime3 = 0x165667b19e3779f9n;
const prime4 = 0x85ebca77c2b2ae63n;
const prime5 = 0x27d4eb2f165667c5n;
export const lowSeed = 0x9e3779b97f4a7c15n;

const rotate = (value: bigint, by: bigint) => ((value << by) | (value >> (64n - by))) & mask;
const round = (accumulator: bigint, input: bigint) =>
  (rotate((accumulator + input * prime2) & mask, 31n) * prime1) & mask;

export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  const data = Buffer.from(bytes);
  let at = 0;
  let hash: bigint;
  if (data.length >= 32) {
    const lanes = [seed + prime1 + prime2, seed + prime2, seed, seed - prime1].map((v) => v & mask);
    for (; at + 32 <= data.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = round(lanes[lane] as bigint, data.readBigUInt64LE(at + lane * 8));
      }
    }
    const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & mask;
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * prime1 + prime4) & mask;
  } else {
    hash = (seed + prime5) & mask;
  }
  hash = (hash + BigInt(data.length)) & mask;
  for (; at + 8 <= data.length; at += 8) {
    hash = (rotate(hash ^ round(0n, data.readBigUInt64LE(at)), 27n) * prime1 + prime4) & mask;
  }
  if (at + 4 <= data.length) {
    hash =
      (rotate(hash ^ ((BigInt(data.readUInt32LE(at)) * prime1) & mask), 23n) * prime2 + prime3) &
      mask;
    at += 4;
  }
  for (; at < data.length; at++) {
    hash = (rotate(hash ^ ((BigInt(data[at] as number) * prime5) & mask), 11n) * prime1) & mask;
  }
  hash = ((hash ^ (hash >> 33n)) * prime2) & mask;
  hash = ((hash ^ (hash >> 29n)) * prime3) & mask;
  return hash ^ (hash >> 32n);
}

export function referenceFingerprint(rows: readonly Uint8Array[]): string {
  const sum = rows.reduce(
    (total, row) => total + ((xxh64(row, 0n) << 64n) | xxh64(row, lowSeed)),
    0n,
  );
  return BigInt.asUintN(128, sum).toString(16).padStart(32, '0');
}
