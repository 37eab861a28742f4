/** The version of the server, and whether it is a standby. */
import {
  majorOf,
  newestMajor,
  oldestMajor,
  requireSupportedServer,
} from '../../postgres/server-version.ts';
import type { Session } from '../../postgres/session.ts';
import { type CheckDefinition, ok, warning } from '../check.ts';

export const serverVersion: CheckDefinition<Session> = {
  id: 'server-version',
  title: 'Version of the server',
  async look(session) {
    const version = requireSupportedServer(session);
    // The oldest major is the next one to leave community support.
    return majorOf(session.serverVersionNum) === oldestMajor
      ? warning(
          `PostgreSQL ${version} is supported here, and near the end of its own support.`,
          `Plan an upgrade; a backup restores into ${oldestMajor} to ${newestMajor}.`,
        )
      : ok(`PostgreSQL ${version} is supported.`);
  },
};

export const standby: CheckDefinition<Session> = {
  id: 'standby',
  title: 'Primary server',
  async look(session) {
    const [row] = await session.query<{ isStandby: boolean; feedback: string; delay: string }>(
      `SELECT pg_is_in_recovery() AS "isStandby", current_setting('hot_standby_feedback') AS feedback,
              current_setting('max_standby_streaming_delay') AS delay`,
    );
    if (row?.isStandby !== true) return ok('The server is a primary.');
    return warning(
      `The server is a standby (hot_standby_feedback = ${row.feedback}, max_standby_streaming_delay = ${row.delay}): ` +
        'a VACUUM on the primary can end the snapshot.',
      'Back up from the primary, or set hot_standby_feedback = on and max_standby_streaming_delay = -1.',
    );
  },
};
