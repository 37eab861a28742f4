/**
 * CHECK constraints that were taken off before the load come back: first NOT VALID, when all that they call is there,
 * then validated under the search path of the database, which their functions may count on.
 */
import { setClause } from '../../schema/config-setting.ts';
import type { DeferredCheck } from '../deferred-checks.ts';
import { checkLabel, validateStatement } from './deferred-check-sql.ts';
import type { BuildDraft, Definition, Wave } from './draft.ts';
import { referenceToCheck } from './references.ts';

/** Of a server on which nobody has set one. */
const builtInSearchPath = `SET search_path TO "$user", public`;

/** In the order of the fact: parents before their children, which then find what they inherit and merge with it. */
export const putBackChecks = (checks: readonly DeferredCheck[]): Definition[] =>
  checks.map((check, index) => ({
    label: checkLabel(check),
    statements: [
      referenceToCheck(index, 'constraint'),
      ...(check.comment === null ? [] : [referenceToCheck(index, 'comment')]),
    ],
  }));

/** @param databaseSettings `name=value` of the source's database */
export function validateChecks(
  checks: readonly DeferredCheck[],
  databaseSettings: readonly string[],
): Wave {
  const own = databaseSettings.find((setting) => setting.startsWith('search_path='));
  const searchPath = own === undefined ? builtInSearchPath : setClause(own);
  return checks.map(
    (check): BuildDraft => ({
      kind: 'check',
      label: checkLabel(check),
      object: { schema: check.schema, name: check.name, table: check.table },
      statements: [searchPath, validateStatement(check)],
    }),
  );
}
