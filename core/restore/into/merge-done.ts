/**
 * What an earlier attempt of the merge has done. Its fact is written before COMMIT, with the transaction's number; the
 * server says what became of that transaction.
 *
 * Invariant: "merged" is said of a transaction that was committed and of no other.
 */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { getJson, putJson } from '../../vault/json.ts';
import { workspaceKeys } from '../../vault/keys.ts';
import { type Merged, mergedSchema } from '../cutover/database-facts.ts';
import { bookkeepingSchemaOf } from '../progress.ts';

/** The fact `merged`. */
const mergeDoneSchema = z.strictObject({ transaction: z.string(), merged: z.array(mergedSchema) });

const keyOf = (run: RestoreRun) => workspaceKeys.restoreFact(run.runId, 'merged');

/** In the merge's transaction, as the last thing before COMMIT. */
export async function noteMerge(
  deps: Pick<Deps, 'workspace'>,
  run: RestoreRun,
  session: Session,
  merged: readonly Merged[],
): Promise<void> {
  const [row] = await session.query<{ transaction: string }>(
    'SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text AS transaction',
  );
  const fact = { transaction: row?.transaction ?? '', merged: [...merged] };
  await putJson(deps.workspace, keyOf(run), mergeDoneSchema.parse(fact));
}

/**
 * Of a target in which our bookkeeping is no more.
 *
 * @throws RestoreDifferentError when it was not the merge that has taken it away
 */
export async function mergedEarlier(
  deps: Pick<Deps, 'workspace'>,
  run: RestoreRun,
  session: Session,
): Promise<Merged[]> {
  const merged = await committedMerge(deps, run, session);
  if (merged !== undefined) return merged;
  throw new HoldfastError(
    'RestoreDifferentError',
    `The staging schema ${bookkeepingSchemaOf(run)} of database ${JSON.stringify(run.finalDatabase)} was dropped by somebody, and nothing was merged.`,
    { hint: 'No table was changed. Restore again, and leave the schema alone until it is over.' },
  );
}

/** @returns undefined when no merge of this run was committed */
export async function committedMerge(
  deps: Pick<Deps, 'workspace'>,
  run: RestoreRun,
  session: Session,
): Promise<Merged[] | undefined> {
  const fact = await getJson(deps.workspace, mergeDoneSchema, keyOf(run));
  return fact !== undefined && (await isCommitted(session, fact.transaction))
    ? fact.merged
    : undefined;
}

/** A server that has taken over from another may not know of the transaction: its number lies in the future. */
async function isCommitted(session: Session, transaction: string): Promise<boolean> {
  const [row] = await session.query<{ status: string | null }>(
    `SELECT CASE WHEN $1::pg_catalog.xid8 < pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
       THEN pg_catalog.pg_xact_status($1::pg_catalog.xid8) END AS status`,
    [transaction],
  );
  return row?.status === 'committed';
}
