/** A worker session on a test database, and the whole of what a COPY gives. */

import type { CopyFormat } from '../../core/contract/manifest.ts';
import { CopyReader, type CopyResult } from '../../core/copy/copy-reader.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';

export const workerSession = (settings: ConnectionSettings, name = 'test-copy'): Promise<Session> =>
  openSession(settings, { applicationName: name, purpose: 'worker' });

export async function copyAll(
  session: Session,
  sql: string,
  format: CopyFormat = 'text',
  reader = new CopyReader(),
): Promise<CopyResult & { bytes: Buffer; blocks: number[] }> {
  const copy = reader.copy(session, { sql, format, what: 'Reading the test' });
  const blocks: Buffer[] = [];
  for await (const block of copy) blocks.push(Buffer.from(block));
  return {
    ...copy.result,
    bytes: Buffer.concat(blocks),
    blocks: blocks.map(({ length }) => length),
  };
}
