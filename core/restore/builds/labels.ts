/**
 * Names of objects in a comment before each statement, so that an error can name the object without showing the statement,
 * which may hold a secret.
 */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { oneLine } from '../../schema/sql-text.ts';

/** `TRIGGER shop.orders on_insert`. */
export function labelOf({ type, schema, name }: SchemaEntry): string {
  return `${type} ${schema === null ? '' : `${schema}.`}${name}`;
}

export const withLabel = (label: string, sql: string): string => `-- ${oneLine(label)}\n${sql}`;

/** The name in the comment before a statement, and the statement without it. */
export function splitLabel(statement: string): { label: string | undefined; sql: string } {
  const [, label, sql] = /^-- ([^\n]*)\n(.*)$/s.exec(statement) ?? [];
  return sql === undefined ? { label: undefined, sql: statement } : { label, sql };
}
