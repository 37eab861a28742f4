/**
 * Differences that the target's role or server alone has made: what it refused is missing, and was named when it did.
 *
 * Invariant: only what was refused is expected to be missing, and no more of a kind than that; all of it stays in the list.
 */
import type { Difference } from '../contract/restore.ts';
import type { Refused } from '../restore/builds/refused.ts';
import { oneLine } from '../schema/sql-text.ts';
import { missing } from './compare-definitions.ts';

const commandOf: Readonly<Record<string, string>> = {
  publications: 'CREATE PUBLICATION',
  eventTriggers: 'CREATE EVENT TRIGGER',
};

/** @param differences of a backup, on the left, and what was restored of it */
export function withRefused(
  differences: readonly Difference[],
  refused: readonly Refused[],
): Difference[] {
  const refusalOf = ({ kind, object, right }: Difference) =>
    kind === 'schema'
      ? refused.find(
          ({ label, isConsequence }) =>
            label === oneLine(object) && (right === missing || !isConsequence),
        )
      : undefined;
  const lacking = differences
    .filter(({ right }) => right === missing)
    .flatMap((one) => refusalOf(one)?.command ?? []);
  return differences.map((difference) => {
    const { kind, object, left, right } = difference;
    if (kind === 'census') {
      const count = lacking.filter((command) => command === commandOf[object]).length;
      return Number(left) - Number(right) === count
        ? { ...difference, isExpected: true }
        : difference;
    }
    const refusal = refusalOf(difference);
    if (refusal === undefined) return difference;
    const told = `${right}; refused: ${refusal.reason}`;
    return { ...difference, kind: 'not-restored', right: told, isExpected: true };
  });
}

/**
 * pg_dump lists subscriptions to superusers alone: for another role those that the catalog has are there.
 *
 * @param names of the subscriptions of the database, as the catalog has them
 */
export function withHiddenSubscriptions(
  differences: readonly Difference[],
  names: readonly string[],
): Difference[] {
  const labels = new Set(
    names.flatMap((name) => [
      `SUBSCRIPTION ${name}`,
      `COMMENT SUBSCRIPTION ${name}`,
      `COMMENT SUBSCRIPTION "${name.replaceAll('"', '""')}"`,
    ]),
  );
  return differences.map((difference) =>
    difference.right === missing && labels.has(difference.object)
      ? {
          ...difference,
          right: 'there; its definition is shown to superusers only',
          isExpected: true,
        }
      : difference,
  );
}
