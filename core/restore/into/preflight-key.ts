/** Preflight of mode `into`: can rows of the backup be told from those that are there? By primary key, and in no other way. */
import type { PreflightItem, RestoreInput } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import type { Placing } from './placing.ts';
import { besideUnkeyed, notKeyed } from './row-source.ts';
import { hasRows, isKeyed, type TargetTable } from './target-table.ts';

export type Finding = Omit<PreflightItem, 'check'>;

/** Nothing would keep such rows from being written a second time. */
export async function lookAtRows(
  session: Session,
  input: RestoreInput,
  placing: Placing,
  target: TargetTable,
): Promise<Finding[]> {
  const { onConflict } = input.selection;
  if (onConflict !== 'error' || target.relkind !== 'r') return [];
  if (isKeyed(target, placing.table.columns)) return [];
  if (!target.mayWrite || !(await hasRows(session, placing.target))) return [];
  const { message, hint } = notKeyed(placing);
  return [{ verdict: 'failed', message, hint }];
}

export const beside = 'Put the rows beside it with --as or --into-schema.';

/** Of `skip` and `replace`, which find rows that are there by their primary key. */
export function keyFindings(
  name: string,
  onConflict: 'skip' | 'replace',
  placing: Placing,
  target: TargetTable,
): Finding[] {
  const option = `--on-conflict ${onConflict}`;
  const problem =
    target.primaryKey.length === 0
      ? `${name} has no primary key, by which ${option} would find rows that are there.`
      : target.isKeyDeferrable
        ? `The primary key of ${name} is deferrable; ${option} cannot use it.`
        : target.keyOperators.length < target.primaryKey.length
          ? `The primary key of ${name} is one of ranges (WITHOUT OVERLAPS); ${option} cannot use it.`
          : target.primaryKey.some((column) => !placing.table.columns.includes(column))
            ? `The backup has no values for the primary key of ${name}.`
            : onConflict === 'replace' && identityOutsideKey(target) !== undefined
              ? `${name}: column ${identityOutsideKey(target)} is GENERATED ALWAYS AS IDENTITY and cannot be replaced.`
              : undefined;
  return problem === undefined
    ? []
    : [
        {
          verdict: 'failed',
          message: problem,
          hint: isKeyed(target, placing.table.columns)
            ? `Use --on-conflict error, or ${beside.toLowerCase()}`
            : besideUnkeyed,
        },
      ];
}

const identityOutsideKey = ({ columns, primaryKey }: TargetTable): string | undefined =>
  columns.find(({ name, isAlwaysIdentity }) => isAlwaysIdentity && !primaryKey.includes(name))
    ?.name;
