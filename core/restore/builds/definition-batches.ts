/**
 * Small definitions packed into transactions, in their order.
 *
 * Invariant: each statement that is not a reference (references.ts) bears its object's name in a comment before it.
 */
import type { BuildDraft, Definition } from './draft.ts';
import { withLabel } from './labels.ts';
import { isReference } from './references.ts';

const settingPattern = /^SET (default_tablespace|default_table_access_method) = /;
const defaultOf: Readonly<Record<string, string>> = {
  default_tablespace: "''",
  default_table_access_method: 'heap',
};

export const isSetting = (statement: string): boolean => settingPattern.test(statement);

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
    statements.push(...own.map((one) => (isPlain(one) ? one : withLabel(label, one))));
  }
  return statements;
}

const isPlain = (statement: string) => isSetting(statement) || isReference(statement);
