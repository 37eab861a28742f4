/** Room: locks on the server, space for the vault, and clocks that agree. */
import { noFilters } from '../../contract/filters.ts';
import { selectTables } from '../../plan/select-tables.ts';
import type { Session } from '../../postgres/session.ts';
import { lockBudget } from '../../snapshot/lock-budget.ts';
import { type CheckDefinition, type Finding, ok, plural, problem, warning } from '../check.ts';

const percent = (fraction: number): string =>
  `${(fraction * 100).toFixed(fraction < 0.1 ? 1 : 0)} %`;

/** Beyond half a backup refuses to run (core/snapshot/lock-budget.ts); beyond a quarter it soon will. */
export const lockSlots: CheckDefinition<Session> = {
  id: 'lock-slots',
  title: 'Lock table of the server',
  async look(session) {
    const tables = await selectTables(session, noFilters);
    const { slots, needed, fraction, suggested } = await lockBudget(session, tables.length);
    const detail =
      `Holding ${plural(tables.length, 'table')} takes ${needed} of the server's ${slots} locks ` +
      `(${percent(fraction)}).`;
    const hint = `Set max_locks_per_transaction = ${suggested} or more (needs a restart).`;
    if (fraction > 0.5) return problem(detail, hint);
    return fraction > 0.25 ? warning(detail, hint) : ok(detail);
  },
};

export interface SpaceTarget {
  readonly session: Session;
  readonly freeBytes: () => Promise<number>;
}

const gigabytes = (bytes: number): string =>
  `${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB`;

/** Stored bytes are mostly a sixth to a half of the size on disk (no indexes, zstd); a quarter is the least to have. */
export const freeSpace: CheckDefinition<SpaceTarget> = {
  id: 'free-space',
  title: 'Space for the vault',
  async look({ session, freeBytes }) {
    const [row] = await session.query<{ size: string }>(
      'SELECT pg_database_size(current_database()) AS size',
    );
    const [size, free] = [Number(row?.size), await freeBytes()];
    const detail = `The database has ${gigabytes(size)} on disk; the vault has ${gigabytes(free)} free.`;
    const hint =
      'Free space, or put the vault on a larger disk: a run that fills it up fails and leaves no backup.';
    if (free < size / 4) return problem(detail, hint);
    return free < size ? warning(detail, hint) : ok(detail);
  },
};

export interface ClockTarget {
  readonly session: Session;
  readonly now: () => Date;
}

const skewWarningMs = 5_000;
const skewProblemMs = 300_000;

/** Times in names and evidence are ours, the snapshot's instant is the server's. */
export const clockSkew: CheckDefinition<ClockTarget> = {
  id: 'clock-skew',
  title: 'Clocks',
  async look({ session, now }): Promise<Finding> {
    const before = now().getTime();
    const [row] = await session.query<{ ms: number }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
    );
    const after = now().getTime();
    // The server's clock was read at some time in between: only what lies outside is skew.
    const server = row?.ms ?? before;
    const skew = server < before ? server - before : Math.max(0, server - after);
    const detail = `The server's clock is ${(Math.abs(skew) / 1000).toFixed(1)} s ${skew < 0 ? 'behind' : 'ahead of'} ours.`;
    const hint =
      'Synchronise both clocks (NTP): times of backups and of retention are wrong otherwise.';
    if (Math.abs(skew) > skewProblemMs) return problem(detail, hint);
    return Math.abs(skew) > skewWarningMs ? warning(detail, hint) : ok(detail);
  },
};
