/** Which cluster a server runs: a number that initdb draws, and that copies of its disk share. */
import { sqlstateOf } from '../../postgres/connect-errors.ts';
import type { Session } from '../../postgres/session.ts';

/** insufficient_privilege; undefined_function, of servers that only speak like PostgreSQL; feature_not_supported. */
const unreadable = ['42501', '42883', '0A000'];

/** @returns null where the role may not read it */
export async function systemIdentifierOf(session: Session): Promise<string | null> {
  try {
    const [row] = await session.query<{ id: string }>(
      'SELECT system_identifier::pg_catalog.text AS id FROM pg_catalog.pg_control_system()',
    );
    return row?.id ?? null;
  } catch (error) {
    if (unreadable.includes(sqlstateOf(error) ?? '')) return null;
    throw error;
  }
}
