/** Statements about a CHECK constraint that was taken off before the load. */
import { identifier, literal } from '../../schema/sql-text.ts';
import type { DeferredCheck } from '../deferred-checks.ts';
import { qualified } from './read-statement.ts';

const relationOf = ({ schema, table, domain }: DeferredCheck) => ({
  schema,
  name: table ?? domain ?? '',
});
const kindOf = ({ table }: DeferredCheck) => (table === null ? 'DOMAIN' : 'TABLE');

export const checkLabel = (check: DeferredCheck) => {
  const { schema, name } = relationOf(check);
  return `CHECK CONSTRAINT ${schema}.${name} ${check.name}`;
};

/** Makes it again, not yet validated. */
export function putBackStatement(check: DeferredCheck): string {
  const owner = qualified(relationOf(check));
  return `ALTER ${kindOf(check)} ${owner} ADD CONSTRAINT ${identifier(check.name)} ${check.definition} NOT VALID`;
}

export function commentStatement(check: DeferredCheck): string {
  const on = `${check.table === null ? 'DOMAIN ' : ''}${qualified(relationOf(check))}`;
  const text = check.comment === null ? 'NULL' : literal(check.comment);
  return `COMMENT ON CONSTRAINT ${identifier(check.name)} ON ${on} IS ${text}`;
}

/** Of names only. */
export const validateStatement = (check: DeferredCheck): string =>
  `ALTER ${kindOf(check)} ${qualified(relationOf(check))} VALIDATE CONSTRAINT ${identifier(check.name)}`;
