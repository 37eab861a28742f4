/** Items of a unit that share a transaction and a read: a commit and a request each would cost more than a small table. */
import type { LoadUnit } from '../../contract/restore.ts';

export type LoadItem = LoadUnit['items'][number];

/** Below this a segment is small: about 10 ms of loading, as much as its own request to the vault would take. */
const smallBytes = 512 << 10;
/** Plain bytes that are kept in memory at most (stored ones are fewer), and lost when the transaction fails. */
const batchBytes = 4 << 20;
/** Each table, its toast table and a few indexes are locked: the lock table takes 64 per connection and more. */
const batchItems = 50;

export function batchesOf(items: readonly LoadItem[]): LoadItem[][] {
  const batches: LoadItem[][] = [];
  let room = 0;
  for (const item of items) {
    const last = batches.at(-1);
    const isSmall = item.what === 'table' && item.rawBytes <= smallBytes;
    if (isSmall && last !== undefined && item.rawBytes <= room && last.length < batchItems) {
      last.push(item);
      room -= item.rawBytes;
    } else {
      batches.push([item]);
      room = isSmall ? batchBytes - item.rawBytes : -1;
    }
  }
  return batches;
}
