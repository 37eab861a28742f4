/** Run as a process of its own by file-lock.test.ts: adds 1 to `counter` argv[3] times, each by compare and swap. */
import { isHoldfastError } from '../../core/contract/errors.ts';
import { openDirectoryWorkspace } from '../../local/vault/directory-workspace.ts';

const workspace = openDirectoryWorkspace(process.argv[2] as string);
for (let left = Number(process.argv[3]); left > 0; ) {
  const entry = await workspace.get('counter');
  if (entry === undefined) throw new Error('the counter is gone');
  const next = Number(Buffer.from(entry.body).toString()) + 1;
  try {
    await workspace.put('counter', Buffer.from(String(next)), { ifMatch: entry.etag });
    left -= 1;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
  }
}
