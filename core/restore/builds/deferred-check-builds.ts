/**
 * CHECK constraints that were taken off before the load come back: first NOT VALID, when all that they call is there,
 * then validated under the search path of the database, which their functions may count on.
 */
import { setClause } from '../../schema/config-setting.ts';
import { identifier, literal } from '../../schema/sql-text.ts';
import type { DeferredCheck } from '../deferred-checks.ts';
import type { BuildDraft, Definition, Wave } from './draft.ts';
import { qualified } from './read-statement.ts';

/** Of a server on which nobody has set one. */
const builtInSearchPath = `SET search_path TO "$user", public`;

const relationOf = ({ schema, table, domain }: DeferredCheck) => ({
  schema,
  name: table ?? domain ?? '',
});
const labelOf = (check: DeferredCheck) => {
  const { schema, name } = relationOf(check);
  return `CHECK CONSTRAINT ${schema}.${name} ${check.name}`;
};

/** In the order of the fact: parents before their children, which then find what they inherit and merge with it. */
export const putBackChecks = (checks: readonly DeferredCheck[]): Definition[] =>
  checks.map((check) => {
    const kind = check.table === null ? 'DOMAIN' : 'TABLE';
    const owner = qualified(relationOf(check));
    const name = identifier(check.name);
    const on = `${check.table === null ? 'DOMAIN ' : ''}${owner}`;
    return {
      label: labelOf(check),
      statements: [
        `ALTER ${kind} ${owner} ADD CONSTRAINT ${name} ${check.definition} NOT VALID`,
        ...(check.comment === null
          ? []
          : [`COMMENT ON CONSTRAINT ${name} ON ${on} IS ${literal(check.comment)}`]),
      ],
    };
  });

/** @param databaseSettings `name=value` of the source's database */
export function validateChecks(
  checks: readonly DeferredCheck[],
  databaseSettings: readonly string[],
): Wave {
  const own = databaseSettings.find((setting) => setting.startsWith('search_path='));
  const searchPath = own === undefined ? builtInSearchPath : setClause(own);
  return checks.map((check): BuildDraft => {
    const kind = check.table === null ? 'DOMAIN' : 'TABLE';
    const owner = qualified(relationOf(check));
    return {
      kind: 'check',
      label: labelOf(check),
      object: { schema: check.schema, name: check.name, table: check.table },
      statements: [
        searchPath,
        `ALTER ${kind} ${owner} VALIDATE CONSTRAINT ${identifier(check.name)}`,
      ],
    };
  });
}
