/**
 * The fingerprint of a set of rows: the sum of a 128-bit hash of each, mod 2^128, as 32 hex digits.
 *
 * Invariant: it depends on the rows only, neither on their order nor on how they were cut into pieces, so the
 * fingerprints of parts add up to that of the whole. docs/fingerprint.md is the specification.
 */

/** Of no rows at all. */
export const emptyFingerprint = '0'.repeat(32);

const modulus = 1n << 128n;

export function addFingerprints(a: string, b: string): string {
  return ((BigInt(`0x${a}`) + BigInt(`0x${b}`)) % modulus).toString(16).padStart(32, '0');
}

/** The two halves of the sum, as the WebAssembly module returns them (signed). */
export function formatFingerprint(high: bigint, low: bigint): string {
  const sum = (BigInt.asUintN(64, high) << 64n) | BigInt.asUintN(64, low);
  return sum.toString(16).padStart(32, '0');
}
