/** Runs one check of the doctor on a real session. */
import { type Check, type CheckDefinition, runCheck } from '../../core/doctor/check.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';

export async function look(
  definition: CheckDefinition<Session>,
  settings: ConnectionSettings,
): Promise<Check> {
  await using session = await openSession(settings, {
    applicationName: 'holdfast/doctor',
    purpose: 'control',
  });
  return await runCheck(definition, session);
}
