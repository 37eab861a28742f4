/**
 * The WebAssembly module: row hash, rows in COPY output, CopyData frames. See docs/fingerprint.md.
 *
 * Host's contract: memory above `__heap_base` is the host's; 16 bytes behind every region that is named must be
 * readable (and behind a block writable). One instance serves one stream at a time.
 */
export { deframe, getConsumed, getProduced, resetDeframe } from './deframe';
export { getBinaryVerdict, hashBinary, hashText, isTextComplete, resetRows } from './rows';
export { getRowCount, getSumHigh, getSumLow, resetSum } from './xxh64';
