/**
 * Roles that the definitions refer to and the target server does not have.
 *
 * Invariant: they cannot log in, and which ones are made is written down before, so that a restore that fails can take
 * them away again. A role that exists is left as it is, its memberships too.
 */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import type { Inventory } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { rolesSql } from '../../schema/globals.ts';
import { identifier } from '../../schema/sql-text.ts';
import { readFact, writeFact } from '../restore-run.ts';
import { statementError } from './statement-error.ts';

type Run = Pick<RestoreRun, 'runId' | 'input'>;

const fact = 'created-roles';
const namesSchema = z.array(z.string());

/** Does nothing unless the run asked for it (`--create-missing-roles`). */
export async function createMissingRoles(
  deps: Pick<Deps, 'workspace'>,
  run: Run,
  roles: Inventory['roles'],
  maintenance: Session,
): Promise<void> {
  if (!run.input.roles.createMissing) return;
  const missing = await missingRoles(run, roles, maintenance);
  const names = await writeFact(
    deps.workspace,
    run.runId,
    fact,
    namesSchema,
    missing.map(({ name }) => name),
  );
  // Those of an earlier attempt, too: it may have been stopped before.
  const wanted = roles.filter(({ name }) => names.includes(name));
  if (wanted.length === 0) return;
  const sql = rolesSql(wanted.map((role) => asGroup(role, run.input.roles.map)));
  try {
    await maintenance.query(`BEGIN;\n${sql}\nCOMMIT`);
  } catch (error) {
    await maintenance.query('ROLLBACK').catch(() => maintenance.destroy());
    throw statementError(error, `ROLES ${names.join(', ')}`, 'nothing');
  }
}

/** Roles of the backup that the server lacks; mapped ones are not needed. */
export async function missingRoles(
  run: Pick<Run, 'input'>,
  roles: Inventory['roles'],
  maintenance: Session,
): Promise<Inventory['roles']> {
  const there = await maintenance.query<{ name: string }>(
    'SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)',
    [roles.map(({ name }) => name)],
  );
  const known = new Set(there.map(({ name }) => name));
  return roles.filter(
    ({ name }) =>
      !known.has(name) && !name.startsWith('pg_') && !Object.hasOwn(run.input.roles.map, name),
  );
}

function asGroup(
  role: Inventory['roles'][number],
  map: Readonly<Record<string, string>>,
): Inventory['roles'][number] {
  const memberOf = role.memberOf.map((membership) => ({
    ...membership,
    role: Object.hasOwn(map, membership.role) ? (map[membership.role] as string) : membership.role,
  }));
  return { ...role, canLogin: false, memberOf };
}

/**
 * For a restore that failed, after its database is gone. A role that somebody uses by now stays.
 *
 * @returns the names of those that are gone
 */
export async function dropCreatedRoles(
  deps: Pick<Deps, 'workspace'>,
  run: Pick<Run, 'runId'>,
  maintenance: Session,
): Promise<string[]> {
  const dropped: string[] = [];
  for (const name of (await readFact(deps.workspace, run.runId, fact, namesSchema)) ?? []) {
    try {
      await maintenance.query(`DROP ROLE IF EXISTS ${identifier(name)}`);
      dropped.push(name);
    } catch {
      // It owns something or has rights in another database.
    }
  }
  return dropped;
}
