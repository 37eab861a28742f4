/** Which tables are made: those that are wanted and missing, and what they are part of. By their names in pg_dump's spelling. */
import { HoldfastError } from '../../contract/errors.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { shown, type TableName } from './placing.ts';
import type { Presence } from './presence.ts';
import { attachmentOf, namesIn, plainName, spelledBy } from './spelled-names.ts';

/** Spelled names: the missing ones, and those they are part of or inherit from, as far as these are missing too. */
export function missingTables(
  pre: readonly SchemaEntry[],
  missing: readonly TableName[],
  has: Presence,
): Set<string> {
  const bySpelling = new Map<string, SchemaEntry>();
  for (const entry of pre) {
    const name = entry.type === 'TABLE' ? spelledBy(entry) : undefined;
    if (name !== undefined) bySpelling.set(name, entry);
  }
  const byName = new Map([...bySpelling.keys()].map((one) => [keyOf(plainName(one)), one]));
  const todo = missing.map((name) => {
    const spelled = byName.get(keyOf(name));
    if (spelled !== undefined) return spelled;
    throw new HoldfastError(
      'UsageError',
      `${shown(name)} is missing in the target, and the backup has no definition of it.`,
      { hint: 'A table of an extension comes with CREATE EXTENSION.' },
    );
  });
  const parents = new Map<string, string>();
  for (const entry of pre) {
    const attachment = attachmentOf(entry);
    if (attachment !== undefined) parents.set(attachment.partition, attachment.parent);
  }
  const tables = new Set<string>();
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (tables.has(name)) continue;
    tables.add(name);
    const inherits = /\)\s*INHERITS \((.*?)\)(?:\s|$)/s.exec(
      bySpelling.get(name)?.statements.find((one) => one.startsWith('CREATE')) ?? '',
    )?.[1];
    const above = [
      ...(parents.has(name) ? [parents.get(name) as string] : []),
      ...(inherits === undefined ? [] : namesIn([inherits])),
    ];
    todo.push(...above.filter((one) => bySpelling.has(one) && !has.relation(plainName(one))));
  }
  return tables;
}

const keyOf = ({ schema, name }: TableName) => JSON.stringify([schema, name]);
