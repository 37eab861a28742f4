/**
 * The definitions of a database, as pg_dump's text says them, made comparable: one text per object, in no order.
 *
 * Invariant: nothing is left out but what says nothing of the object: comments with versions and owners (owners are in
 * ALTER … OWNER TO), settings of the session, and the order of the objects.
 */
import { type SchemaEntry, splitEntries } from '../schema/split-entries.ts';

export interface Definition {
  /** `INDEX public.orders_pkey`: for people, and what is compared with what. */
  readonly label: string;
  readonly type: string;
  readonly statements: readonly string[];
}

/** By label; several under one, when their headings are alike. */
export type Definitions = ReadonlyMap<string, readonly Definition[]>;

export function definitionsOf(sections: readonly string[]): Definitions {
  return groupEntries(sections.flatMap((sql) => splitEntries(sql).entries));
}

export function groupEntries(entries: readonly SchemaEntry[]): Definitions {
  const byLabel = new Map<string, Definition[]>();
  for (const entry of entries) {
    const { type, name, schema } = entry;
    const label = `${type} ${schema === null ? '' : `${schema}.`}${name}`;
    const statements = entry.statements
      .filter((text) => !isUsual(entry, text))
      .map((text) => (type === 'POLICY' ? withSortedRoles(text) : text));
    // A heading alone: pg_dump has nothing to say of it.
    if (statements.length === 0) continue;
    const same = byLabel.get(label);
    if (same === undefined) byLabel.set(label, [{ label, type, statements }]);
    else same.push({ label, type, statements });
  }
  for (const same of byLabel.values()) same.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  return byLabel;
}

export const textOf = ({ statements }: Definition): string => statements.join(';\n');

const role = '(?:"(?:[^"]|"")+"|[\\p{L}_][\\p{L}\\p{N}_$]*)';
const policyRoles = new RegExp(` TO (${role}(?:, ${role})+)(?= USING | WITH CHECK |$)`, 'u');

/** They are printed in the order in which the roles were made on that server. */
const withSortedRoles = (policy: string): string =>
  policy.replace(policyRoles, (_, roles: string) => {
    const names = roles.match(new RegExp(role, 'gu')) ?? [];
    return ` TO ${names.sort().join(', ')}`;
  });

const setting = /^SET (default_tablespace|default_table_access_method) = (.*)$/s;
const withTablespace = new Set(['TABLE', 'INDEX', 'MATERIALIZED VIEW', 'CONSTRAINT']);
const withAccessMethod = new Set(['TABLE', 'MATERIALIZED VIEW']);

/** Settings hold for entries that follow: only those count that mean something for this one. */
function isUsual({ type }: SchemaEntry, statement: string): boolean {
  const [, name, value] = setting.exec(statement) ?? [];
  if (name === undefined) return false;
  return name === 'default_tablespace'
    ? value === "''" || !withTablespace.has(type)
    : value === 'heap' || !withAccessMethod.has(type);
}
