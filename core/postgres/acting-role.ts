/**
 * A login that acts as another role (`ALTER ROLE x SET role = y`). The server says of a session what it does, and ends
 * it, by the rights over the role that logged in; what acts here is the other one. So each of our sessions may see and
 * end all others of its login, or nothing is begun: a holder that nobody may end would keep its locks for hours.
 */
import { escapeIdentifier } from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from './session.ts';

interface ActingRole {
  readonly login: string;
  readonly acting: string;
  readonly isSuperuserLogin: boolean;
  readonly maySee: boolean;
  readonly mayEnd: boolean;
}

/** As pg_stat_activity and pg_terminate_backend() decide; a superuser has every role. */
async function readActingRole(session: Session): Promise<ActingRole | undefined> {
  const [row] = await session.query<ActingRole>(
    `SELECT login.rolname AS login, acting.rolname AS acting, login.rolsuper AS "isSuperuserLogin",
            pg_catalog.pg_has_role(login.oid, 'USAGE')
              OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS "maySee",
            (acting.rolsuper OR NOT login.rolsuper)
              AND (pg_catalog.pg_has_role(login.oid, 'USAGE')
                OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')) AS "mayEnd"
       FROM pg_catalog.pg_roles login, pg_catalog.pg_roles acting
      WHERE login.rolname = session_user AND acting.rolname = current_user`,
  );
  return row;
}

/** @throws ConfigurationError when the role that acts may not see or end the sessions of its login */
export async function requireOwnSessions(session: Session): Promise<void> {
  const role = await readActingRole(session);
  if (role === undefined || (role.maySee && role.mayEnd)) return;
  const [login, acting] = [escapeIdentifier(role.login), escapeIdentifier(role.acting)];
  throw new HoldfastError(
    'ConfigurationError',
    `The login ${login} has role = ${acting}, which may not see and end the sessions of ${login}; ` +
      'allowed is no role, or one that may.',
    {
      hint: role.isSuperuserLogin
        ? `ALTER ROLE ${login} RESET role (with IN DATABASE … where it was set so).`
        : `ALTER ROLE ${login} RESET role (with IN DATABASE … where it was set so); or GRANT pg_read_all_stats, pg_signal_backend TO ${acting}.`,
      evidence: { ...role },
    },
  );
}
