/**
 * Looks whether the values in the server's answers are UTF-8. A database in SQL_ASCII hands out whatever bytes it
 * holds, whatever client_encoding says, and decoding them would silently put U+FFFD in their place.
 */
import { isUtf8 } from 'node:buffer';

const dataRow = 'D'.charCodeAt(0);

/** @param answer whole messages */
export function hasOnlyUtf8(answer: Uint8Array): boolean {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
  for (let at = 0; at < bytes.length; at += 1 + bytes.readUInt32BE(at + 1)) {
    if (bytes[at] === dataRow && !isUtf8Row(bytes, at + 5)) return false;
  }
  return true;
}

function isUtf8Row(bytes: Buffer, start: number): boolean {
  let at = start + 2;
  for (let left = bytes.readUInt16BE(start); left > 0; left -= 1) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) continue;
    if (!isUtf8(bytes.subarray(at, at + length))) return false;
    at += length;
  }
  return true;
}
