/**
 * Finds the rows in COPY output that comes in pieces of any size, and hashes each of them.
 *
 * Text: a row ends at 0x0a, which is not part of it. Binary: a row is one tuple, from its field count to its last
 * field; header and trailer are no rows.
 */
import { addRow, appendToRow, beginRow, endRow } from './xxh64';

const NEWLINE: u8 = 0x0a;

let isRowOpen = false;

/** Address of the first newline in [at, end), or `end`. Reads up to 15 bytes beyond `end`. */
@inline function findNewline(at: usize, end: usize): usize {
  const wanted = i8x16.splat(NEWLINE);
  while (at < end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (mask !== 0) return min<usize>(at + ctz<i32>(mask), end);
    at += 16;
  }
  return end;
}

export function hashText(at: usize, length: usize): void {
  const end = at + length;
  if (isRowOpen) {
    const stop = findNewline(at, end);
    appendToRow(at, stop - at);
    if (stop === end) return;
    endRow();
    isRowOpen = false;
    at = stop + 1;
  }
  while (at < end) {
    const stop = findNewline(at, end);
    if (stop === end) {
      beginRow();
      appendToRow(at, end - at);
      isRowOpen = true;
      return;
    }
    addRow(at, stop - at);
    at = stop + 1;
  }
}

/** The signature of binary COPY: PGCOPY\n\377\r\n\0, then flags and length of the extension, 4 bytes each. */
const SIGNATURE: usize = memory.data<u8>([80, 71, 67, 79, 80, 89, 10, 255, 13, 10, 0]);
const HEADER_BYTES: u32 = 19;

const BINARY_HEADER: i32 = 0;
const BINARY_EXTENSION: i32 = 1;
const BINARY_COUNT: i32 = 2;
const BINARY_LENGTH: i32 = 3;
const BINARY_FIELD: i32 = 4;
const BINARY_ENDED: i32 = 5;
const BINARY_INVALID: i32 = 6;

let binaryState: i32 = BINARY_HEADER;
/** Bytes of the current header, count or length that are in `word`. */
let have: u32 = 0;
let word: u32 = 0;
/** Bytes of the extension or field that are still to come. */
let left: u32 = 0;
let fieldsLeft: i32 = 0;
const countBytes: usize = memory.data(2);

export function resetRows(): void {
  isRowOpen = false;
  binaryState = BINARY_HEADER;
  have = 0;
  word = 0;
}

/** May the text end here? */
export function isTextComplete(): bool {
  return !isRowOpen;
}

/** 0: more must come, 1: the trailer has come, 2: this is not binary COPY. */
export function getBinaryVerdict(): i32 {
  return binaryState === BINARY_INVALID ? 2 : i32(binaryState === BINARY_ENDED);
}

@inline function expect(state: i32): void {
  binaryState = state;
  have = 0;
  word = 0;
}

/** A header byte; the last four are the length of the extension. */
function takeHeader(byte: u32): void {
  if (have < 11 && byte !== <u32>load<u8>(SIGNATURE + have)) {
    binaryState = BINARY_INVALID;
    return;
  }
  word = (word << 8) | byte;
  have += 1;
  if (have < HEADER_BYTES) return;
  left = word;
  expect(left > 0 ? BINARY_EXTENSION : BINARY_COUNT);
}

/** The field count begins a row, or is -1: the trailer. It may have come in two pieces, so it is hashed from a copy. */
function takeCount(byte: u32): void {
  word = (word << 8) | byte;
  have += 1;
  if (have < 2) return;
  if (word === 0xffff) {
    expect(BINARY_ENDED);
    return;
  }
  fieldsLeft = <i32>word;
  store<u16>(countBytes, bswap<u16>(<u16>word));
  beginRow();
  appendToRow(countBytes, 2);
  if (fieldsLeft > 0) {
    expect(BINARY_LENGTH);
  } else {
    endRow();
    expect(BINARY_COUNT);
  }
}

/** The length of a field; -1 is NULL and has no bytes. */
function takeLength(byte: u32): void {
  word = (word << 8) | byte;
  have += 1;
  if (have < 4) return;
  left = word === 0xffffffff ? 0 : word;
  fieldsLeft -= 1;
  if (left > 0x7fffffff) expect(BINARY_INVALID);
  else if (left > 0) expect(BINARY_FIELD);
  else expect(fieldsLeft > 0 ? BINARY_LENGTH : BINARY_COUNT);
}

@inline function isInRow(): bool {
  return binaryState === BINARY_LENGTH || binaryState === BINARY_FIELD;
}

export function hashBinary(at: usize, length: usize): void {
  const end = at + length;
  // Where the bytes of the open row that are not hashed yet begin.
  let rowStart = at;
  while (at < end) {
    const wasInRow = isInRow();
    if (binaryState === BINARY_FIELD || binaryState === BINARY_EXTENSION) {
      const take = min<usize>(left, end - at);
      at += take;
      left -= <u32>take;
      if (left === 0) {
        expect(wasInRow && fieldsLeft > 0 ? BINARY_LENGTH : BINARY_COUNT);
      }
    } else if (binaryState === BINARY_LENGTH) {
      takeLength(<u32>load<u8>(at++));
    } else if (binaryState === BINARY_COUNT) {
      takeCount(<u32>load<u8>(at++));
      rowStart = at;
    } else if (binaryState === BINARY_HEADER) {
      takeHeader(<u32>load<u8>(at++));
    } else {
      binaryState = BINARY_INVALID;
    }
    if (binaryState === BINARY_INVALID) return;
    if (wasInRow && !isInRow()) {
      appendToRow(rowStart, at - rowStart);
      endRow();
    }
  }
  if (isInRow()) appendToRow(rowStart, end - rowStart);
}
