/** The definitions of a database as the bundled pg_dump writes them, as text. */
import { noFilters } from '../../core/contract/filters.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { openSession } from '../../core/postgres/session.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';

export const settingsOn = (server: EmbeddedServer, database: string | null): ConnectionSettings =>
  server.settings(database ?? undefined);

export async function textOf(settings: ConnectionSettings): Promise<string> {
  const texts: string[] = [];
  for (const section of ['pre-data', 'post-data'] as const) {
    await using session = await openSession(settings, {
      applicationName: 'holdfast/matrix/text',
      purpose: 'worker',
    });
    const request = { section, filters: noFilters, lockWaitMs: 10_000 };
    texts.push((await dumpSection(session, request)).sql);
  }
  return texts.join('\n');
}
