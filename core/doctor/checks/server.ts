/** The version of the server, and whether it is a standby. */
import { backupOptionsSchema } from '../../contract/plan.ts';
import {
  majorOf,
  newestMajor,
  oldestMajor,
  requireSupportedServer,
} from '../../postgres/server-version.ts';
import type { Session } from '../../postgres/session.ts';
import { describeStandby, readStandby, requireKeptSnapshot } from '../../postgres/standby.ts';
import { type CheckDefinition, ok, warning } from '../check.ts';

const { holdDeadlineSeconds: defaultHoldSeconds } = backupOptionsSchema.parse({});

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

/** As Plan would decide with the default of how long a snapshot may be held. */
export const standby: CheckDefinition<Session> = {
  id: 'standby',
  title: 'Primary server',
  async look(session) {
    const found = await readStandby(session);
    if (found === undefined) return ok('The server is a primary.');
    requireKeptSnapshot(found, defaultHoldSeconds);
    return ok(`The server is ${describeStandby(found)}: the primary cannot end a snapshot.`);
  },
};
