/**
 * The arithmetic of the server's lock table, which all sessions of the server share: a backup that fills it makes other
 * people's statements fail with "out of shared memory".
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from '../postgres/session.ts';

/** Two sessions hold a lock on each table for the whole dump (holders of core/snapshot/hold-snapshot.ts). */
export const holderCount = 2;

/** The other half stays for the schema dump, which locks each table once more, and for the application. */
const allowedFraction = 0.5;

export interface LockBudget {
  /** Locks that the server has room for. */
  readonly slots: number;
  /** Locks that the holders take. */
  readonly needed: number;
  /** needed / slots. */
  readonly fraction: number;
  /** The max_locks_per_transaction with which `needed` is half of the slots. */
  readonly suggested: number;
}

interface Settings {
  perTransaction: number;
  transactions: number;
}

/**
 * Slots as in the manual, "Lock Management":
 * max_locks_per_transaction × (max_connections + max_prepared_transactions).
 */
export async function lockBudget(session: Session, tables: number): Promise<LockBudget> {
  const [settings] = await session.query<Settings>(
    `SELECT current_setting('max_locks_per_transaction')::int4 AS "perTransaction",
            current_setting('max_connections')::int4
              + current_setting('max_prepared_transactions')::int4 AS transactions`,
  );
  const { perTransaction, transactions } = settings ?? { perTransaction: 1, transactions: 1 };
  const slots = perTransaction * transactions;
  const needed = tables * holderCount;
  return {
    slots,
    needed,
    fraction: needed / slots,
    suggested: Math.max(perTransaction, Math.ceil(needed / allowedFraction / transactions)),
  };
}

/** @throws LockTableTooSmallError when the holders would take more than half of the lock table */
export async function requireLockBudget(session: Session, tables: number): Promise<void> {
  const budget = await lockBudget(session, tables);
  if (budget.fraction <= allowedFraction) return;
  throw new HoldfastError(
    'LockTableTooSmallError',
    `Holding ${tables} tables needs ${budget.needed} locks, ${Math.round(budget.fraction * 100)} % of the server's ` +
      `${budget.slots}; at most ${allowedFraction * 100} % are allowed, since all sessions share them.`,
    {
      hint: `Set max_locks_per_transaction = ${budget.suggested} (needs a restart), or back up fewer schemas at once.`,
      evidence: { tables, ...budget },
    },
  );
}
