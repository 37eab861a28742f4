/**
 * One pass over what the server sends during COPY: strips the CopyData headers, hashes each row where it lies, and
 * copies the payloads together into the host's block.
 *
 * Text: one CopyData message is one row and ends in 0x0a, or the pass stops with TEXT_BROKEN. Binary: messages mean
 * nothing, the stream of payloads is parsed. At any other message the pass stops and the host takes over.
 */
import { hashBinary } from './rows';
import { addRow, appendToRow, beginRow, endRow } from './xxh64';

/** Why the pass stopped. */
const INPUT_USED: i32 = 0;
const BLOCK_FULL: i32 = 1;
const OTHER_MESSAGE: i32 = 2;
const TEXT_BROKEN: i32 = 3;

const COPY_DATA: u8 = 0x64;
const NEWLINE: u8 = 0x0a;

let isBinary = false;
/** Payload bytes of the current message that are still to come; 0: between messages. */
let left: usize = 0;
let isRowOpen = false;
/** The first bytes of a message header that was cut by the end of the input. */
let headerFill: usize = 0;
const header: usize = memory.data(5);

let consumed: usize = 0;
let produced: usize = 0;

export function resetDeframe(binary: bool): void {
  isBinary = binary;
  left = 0;
  isRowOpen = false;
  headerFill = 0;
}

export function getConsumed(): usize {
  return consumed;
}

export function getProduced(): usize {
  return produced;
}

/** 16 bytes at a time, up to 15 beyond the end on both sides: rows are short and a call of memory.copy is not. */
@inline function copyBytes(to: usize, from: usize, length: usize): void {
  if (length > 512) {
    memory.copy(to, from, length);
    return;
  }
  for (let done: usize = 0; done < length; done += 16) {
    v128.store(to + done, v128.load(from + done));
  }
}

/** Hashes `length` bytes of the current message, of which `left` were to come. */
@inline function hashPiece(at: usize, length: usize): bool {
  if (isBinary) {
    hashBinary(at, length);
    return true;
  }
  const isLast = length === left;
  if (isLast && load<u8>(at + length - 1) !== NEWLINE) return false;
  const bytes = isLast ? length - 1 : length;
  if (!isRowOpen) {
    if (isLast) {
      addRow(at, bytes);
      return true;
    }
    beginRow();
    isRowOpen = true;
  }
  appendToRow(at, bytes);
  if (isLast) {
    endRow();
    isRowOpen = false;
  }
  return true;
}

/** The header at `at`; false when it is of another message than CopyData. */
@inline function takeHeader(at: usize): bool {
  if (load<u8>(at) !== COPY_DATA) return false;
  left = <usize>bswap<u32>(load<u32>(at, 1)) - 4;
  return true;
}

/**
 * @param room bytes that the block takes; 16 more must be writable behind it, and readable behind the input
 */
export function deframe(input: usize, length: usize, block: usize, room: usize): i32 {
  const end = input + length;
  const blockEnd = block + room;
  let at = input;
  let to = block;
  let stop = INPUT_USED;
  while (at < end) {
    if (left === 0) {
      if (headerFill > 0 || end - at < 5) {
        if (load<u8>(headerFill > 0 ? header : at) !== COPY_DATA) {
          stop = OTHER_MESSAGE;
          break;
        }
        store<u8>(header + headerFill++, load<u8>(at++));
        if (headerFill < 5) continue;
        headerFill = 0;
        takeHeader(header);
      } else {
        if (!takeHeader(at)) {
          stop = OTHER_MESSAGE;
          break;
        }
        at += 5;
      }
      // A message without payload is no row; the server sends none.
      if (left === 0 || at === end) continue;
    }
    if (to === blockEnd) {
      stop = BLOCK_FULL;
      break;
    }
    const piece = min<usize>(left, min<usize>(end - at, blockEnd - to));
    if (!hashPiece(at, piece)) {
      stop = TEXT_BROKEN;
      break;
    }
    copyBytes(to, at, piece);
    at += piece;
    to += piece;
    left -= piece;
  }
  consumed = at - input;
  produced = to - block;
  return stop;
}
