/**
 * The receipts of a run: is every unit of the plan there, to its last part?
 *
 * Invariant: what is returned is complete; a unit without a receipt, or whose chain of remainders does not end, is an error.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import { type Receipt, receiptSchema, type Unit, unitSchema } from '../contract/plan.ts';
import { inParallel } from '../in-parallel.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';

export interface CompletedUnit {
  readonly planned: Unit;
  /** In the order of the parts. */
  readonly receipts: readonly Receipt[];
}

/** Hides the latency of an object store; few enough for its limits. */
const readsAtOnce = 16;

/** Enough to see what is missing; thousands help nobody. */
const namedAtMost = 10;

/** @throws IncompleteBackupError that names the units */
export async function readCompletedUnits(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
  units: number,
): Promise<CompletedUnit[]> {
  const completed: CompletedUnit[] = [];
  const missing: string[] = [];
  await inParallel([...Array(units).keys()], readsAtOnce, async (unit) => {
    const planned = await getJson(deps.workspace, unitSchema, workspaceKeys.unit(runId, unit, 0));
    const receipts: Receipt[] = [];
    let next: Receipt | undefined;
    do {
      const key = workspaceKeys.receipt(runId, unit, receipts.length);
      next = await getJson(deps.workspace, receiptSchema, key);
      if (next === undefined) missing.push(`unit ${unit} part ${receipts.length}`);
      else receipts.push(next);
    } while (next?.hasRemainder);
    if (planned === undefined) missing.push(`plan of unit ${unit}`);
    else completed[unit] = { planned, receipts };
  });
  if (missing.length === 0) return completed;
  const named = missing.sort().slice(0, namedAtMost);
  throw new HoldfastError(
    'IncompleteBackupError',
    `${missing.length} of the parts of ${units} units left no receipt: ${named.join(', ')}` +
      `${missing.length > named.length ? ' …' : ''}.`,
    { evidence: { missing: named } },
  );
}
