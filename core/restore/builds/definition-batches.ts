/**
 * Small definitions packed into transactions, in their order.
 *
 * Invariants: each statement bears its object's name in a comment before it, so that an error can name it without showing
 * the statement, which may hold a secret; what certainly holds one (the connection string of a subscription) is not
 * written down but referred to by its place in the backup's post-data.
 */

import type { SchemaEntry } from '../../schema/split-entries.ts';
import { oneLine } from '../../schema/sql-text.ts';
import type { BuildDraft, Definition } from './draft.ts';

const settingPattern = /^SET (default_tablespace|default_table_access_method) = /;
const defaultOf: Readonly<Record<string, string>> = {
  default_tablespace: "''",
  default_table_access_method: 'heap',
};
const referencePattern = /^@post-data (\d+)$/;

export const isSetting = (statement: string): boolean => settingPattern.test(statement);

/** Stands for all statements of an entry. */
export const referenceTo = (entryIndex: number): string => `@post-data ${entryIndex}`;

/** @param most statements of one transaction */
export function definitionBatches(
  definitions: readonly Definition[],
  most: number,
  what: string,
): BuildDraft[] {
  const batches: Definition[][] = [];
  let count = Number.POSITIVE_INFINITY;
  for (const definition of definitions) {
    if (definition.statements.length === 0) continue;
    if (count + definition.statements.length > most) {
      batches.push([]);
      count = 0;
    }
    batches.at(-1)?.push(definition);
    count += definition.statements.length;
  }
  return batches.map((batch, index) => ({
    kind: 'statements',
    label: batches.length === 1 ? what : `${what}, part ${index + 1} of ${batches.length}`,
    object: null,
    statements: batchStatements(batch),
  }));
}

export function batchStatements(batch: readonly Definition[]): string[] {
  const statements: string[] = [];
  /** Settings that are not at their default after the last definition. */
  const changed = new Set<string>();
  for (const { label, statements: own } of batch) {
    const settings = own.flatMap((statement) => settingPattern.exec(statement)?.[1] ?? []);
    for (const name of [...changed].filter((one) => !settings.includes(one))) {
      statements.push(`SET ${name} = ${defaultOf[name]}`);
      changed.delete(name);
    }
    for (const name of settings) changed.add(name);
    const named = (statement: string) => `-- ${oneLine(label)}\n${statement}`;
    statements.push(...own.map((one) => (isPlain(one) ? one : named(one))));
  }
  return statements;
}

const isPlain = (statement: string) => isSetting(statement) || referencePattern.test(statement);

/** Puts the statements of the backup in the place of references. */
export async function resolveReferences(
  statements: readonly string[],
  entries: () => Promise<readonly SchemaEntry[]>,
): Promise<string[]> {
  const indices = statements.map((one) => referencePattern.exec(one)?.[1]);
  if (indices.every((index) => index === undefined)) return [...statements];
  const all = await entries();
  return statements.flatMap((statement, at) => {
    const index = indices[at];
    const entry = index === undefined ? undefined : all[Number(index)];
    if (entry === undefined) return [statement];
    return batchStatements([{ label: labelOf(entry), statements: entry.statements }]);
  });
}

/** `TRIGGER shop.orders on_insert`. */
export function labelOf({ type, schema, name }: SchemaEntry): string {
  return `${type} ${schema === null ? '' : `${schema}.`}${name}`;
}

/** The name in the comment before a statement, and the statement without it. */
export function splitLabel(statement: string): { label: string | undefined; sql: string } {
  const [, label, sql] = /^-- ([^\n]*)\n(.*)$/s.exec(statement) ?? [];
  return sql === undefined ? { label: undefined, sql: statement } : { label, sql };
}
