/**
 * CHECK constraints of new tables that call functions of the database's own: off before the rows, back and validated after
 * them, as in a restore of the whole (deferred-checks.ts), but in the merge's one transaction. Such a function may read a
 * table whose rows come later.
 */
import type { Session } from '../../postgres/session.ts';
import {
  commentStatement,
  putBackStatement,
  validateStatement,
} from '../builds/deferred-check-sql.ts';
import { dropStatement, findChecks } from '../create/take-off-checks.ts';
import type { DeferredCheck } from '../deferred-checks.ts';
import { quoted, type TableName } from './placing.ts';
import { withOwnSearchPath } from './search-path.ts';

/** @returns what was taken off, parents before their children */
export async function takeOffOwnChecks(
  session: Session,
  tables: readonly TableName[],
): Promise<DeferredCheck[]> {
  const taken: DeferredCheck[] = [];
  if (tables.length === 0) return taken;
  for (const check of await findChecks(session)) {
    const { schema, table } = check;
    if (!tables.some((one) => one.schema === schema && one.name === table)) continue;
    if (await isInherited(session, check)) continue;
    await session.query(dropStatement(check));
    taken.push(check);
  }
  return taken;
}

/** From a table that was there, whose constraint stays. */
async function isInherited(
  session: Session,
  { schema, table, name }: DeferredCheck,
): Promise<boolean> {
  const [found] = await session.query<{ isInherited: boolean }>(
    `SELECT coninhcount > 0 AS "isInherited" FROM pg_catalog.pg_constraint
      WHERE conrelid = $1::pg_catalog.regclass AND conname = $2`,
    [quoted({ schema, name: table ?? '' }), name],
  );
  return found?.isInherited ?? true;
}

export async function putBackOwnChecks(
  session: Session,
  checks: readonly DeferredCheck[],
): Promise<void> {
  for (const check of checks) {
    await session.query(putBackStatement(check));
    if (check.comment !== null) await session.query(commentStatement(check));
  }
  await withOwnSearchPath(session, async () => {
    for (const check of checks) await session.query(validateStatement(check));
  });
}
