/**
 * XXH64 with two seeds at once, summed over rows: the arithmetic of docs/fingerprint.md.
 *
 * One instance of the module is one sum: its state is in globals, so the host makes an instance for each stream.
 * The two hashes share the products with PRIME_2, which depend on the input only: 1.5 and not 2 times the work of one.
 */

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;

const SEED_HIGH: u64 = 0;
const SEED_LOW: u64 = 0x9e3779b97f4a7c15;

// The sum of the rows so far, mod 2^128, and their number.
let sumHigh: u64 = 0;
let sumLow: u64 = 0;
let rowCount: u64 = 0;

// The row that came in only in part: accumulators of both seeds, its length, and the bytes of an unfinished stripe.
let h1: u64 = 0;
let h2: u64 = 0;
let h3: u64 = 0;
let h4: u64 = 0;
let l1: u64 = 0;
let l2: u64 = 0;
let l3: u64 = 0;
let l4: u64 = 0;
let partialLength: u64 = 0;
let stripeFill: usize = 0;
const stripe: usize = memory.data(32, 16);

// prettier-ignore
@inline function mix(accumulator: u64, product: u64): u64 {
  return rotl<u64>(accumulator + product, 31) * PRIME_1;
}

@inline function merge(hash: u64, accumulator: u64): u64 {
  return (hash ^ (rotl<u64>(accumulator * PRIME_2, 31) * PRIME_1)) * PRIME_1 + PRIME_4;
}

@inline function converge(a: u64, b: u64, c: u64, d: u64): u64 {
  let hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
  hash = merge(hash, a);
  hash = merge(hash, b);
  hash = merge(hash, c);
  return merge(hash, d);
}

@inline function avalanche(hash: u64): u64 {
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return hash ^ (hash >> 32);
}

/** The last 0 to 31 bytes of a row into both hashes, then the row's hash into the sum. */
function finishRow(high: u64, low: u64, at: usize, end: usize): void {
  while (at + 8 <= end) {
    const product = rotl<u64>(load<u64>(at) * PRIME_2, 31) * PRIME_1;
    high = rotl<u64>(high ^ product, 27) * PRIME_1 + PRIME_4;
    low = rotl<u64>(low ^ product, 27) * PRIME_1 + PRIME_4;
    at += 8;
  }
  if (at + 4 <= end) {
    const product = <u64>load<u32>(at) * PRIME_1;
    high = rotl<u64>(high ^ product, 23) * PRIME_2 + PRIME_3;
    low = rotl<u64>(low ^ product, 23) * PRIME_2 + PRIME_3;
    at += 4;
  }
  while (at < end) {
    const product = <u64>load<u8>(at) * PRIME_5;
    high = rotl<u64>(high ^ product, 11) * PRIME_1;
    low = rotl<u64>(low ^ product, 11) * PRIME_1;
    at += 1;
  }
  low = avalanche(low);
  sumLow += low;
  sumHigh += avalanche(high) + u64(sumLow < low);
  rowCount += 1;
}

/** A row that is all there. */
export function addRow(at: usize, length: usize): void {
  const end = at + length;
  let high: u64 = SEED_HIGH + PRIME_5;
  let low: u64 = SEED_LOW + PRIME_5;
  if (length >= 32) {
    let a: u64 = SEED_HIGH + PRIME_1 + PRIME_2;
    let b: u64 = SEED_HIGH + PRIME_2;
    let c: u64 = SEED_HIGH;
    let d: u64 = SEED_HIGH - PRIME_1;
    let e: u64 = SEED_LOW + PRIME_1 + PRIME_2;
    let f: u64 = SEED_LOW + PRIME_2;
    let g: u64 = SEED_LOW;
    let h: u64 = SEED_LOW - PRIME_1;
    const lastStripe = end - 32;
    do {
      const p = load<u64>(at) * PRIME_2;
      const q = load<u64>(at, 8) * PRIME_2;
      const r = load<u64>(at, 16) * PRIME_2;
      const s = load<u64>(at, 24) * PRIME_2;
      a = mix(a, p);
      e = mix(e, p);
      b = mix(b, q);
      f = mix(f, q);
      c = mix(c, r);
      g = mix(g, r);
      d = mix(d, s);
      h = mix(h, s);
      at += 32;
    } while (at <= lastStripe);
    high = converge(a, b, c, d);
    low = converge(e, f, g, h);
  }
  finishRow(high + <u64>length, low + <u64>length, at, end);
}

export function beginRow(): void {
  h1 = SEED_HIGH + PRIME_1 + PRIME_2;
  h2 = SEED_HIGH + PRIME_2;
  h3 = SEED_HIGH;
  h4 = SEED_HIGH - PRIME_1;
  l1 = SEED_LOW + PRIME_1 + PRIME_2;
  l2 = SEED_LOW + PRIME_2;
  l3 = SEED_LOW;
  l4 = SEED_LOW - PRIME_1;
  partialLength = 0;
  stripeFill = 0;
}

function addStripes(at: usize, end: usize): void {
  let a = h1;
  let b = h2;
  let c = h3;
  let d = h4;
  let e = l1;
  let f = l2;
  let g = l3;
  let h = l4;
  while (at < end) {
    const p = load<u64>(at) * PRIME_2;
    const q = load<u64>(at, 8) * PRIME_2;
    const r = load<u64>(at, 16) * PRIME_2;
    const s = load<u64>(at, 24) * PRIME_2;
    a = mix(a, p);
    e = mix(e, p);
    b = mix(b, q);
    f = mix(f, q);
    c = mix(c, r);
    g = mix(g, r);
    d = mix(d, s);
    h = mix(h, s);
    at += 32;
  }
  h1 = a;
  h2 = b;
  h3 = c;
  h4 = d;
  l1 = e;
  l2 = f;
  l3 = g;
  l4 = h;
}

/** More bytes of the row that `beginRow` began. */
export function appendToRow(at: usize, length: usize): void {
  const end = at + length;
  partialLength += <u64>length;
  if (stripeFill > 0) {
    const take = min<usize>(32 - stripeFill, length);
    memory.copy(stripe + stripeFill, at, take);
    stripeFill += take;
    at += take;
    if (stripeFill < 32) return;
    addStripes(stripe, stripe + 32);
    stripeFill = 0;
  }
  const whole = (end - at) & ~31;
  addStripes(at, at + whole);
  at += whole;
  stripeFill = end - at;
  memory.copy(stripe, at, stripeFill);
}

export function endRow(): void {
  const isLong = partialLength >= 32;
  const high = isLong ? converge(h1, h2, h3, h4) : SEED_HIGH + PRIME_5;
  const low = isLong ? converge(l1, l2, l3, l4) : SEED_LOW + PRIME_5;
  finishRow(high + partialLength, low + partialLength, stripe, stripe + stripeFill);
}

export function resetSum(): void {
  sumHigh = 0;
  sumLow = 0;
  rowCount = 0;
}

export function getSumHigh(): u64 {
  return sumHigh;
}

export function getSumLow(): u64 {
  return sumLow;
}

export function getRowCount(): u64 {
  return rowCount;
}
