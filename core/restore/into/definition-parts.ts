/**
 * Which definitions belong to which table, by the statements themselves: pg_dump's headings name them for people, and two
 * tables may look alike there.
 */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import type { Presence } from './presence.ts';
import { alteredBy, attachmentOf, constraintOf, plainName, spelledBy } from './spelled-names.ts';

/** Definitions of the tables themselves and of what is part of them. */
export function belongsTo(entry: SchemaEntry, tables: ReadonlySet<string>): boolean {
  switch (entry.type) {
    case 'TABLE':
      return tables.has(spelledBy(entry) ?? '');
    case 'TABLE ATTACH':
      return tables.has(attachmentOf(entry)?.partition ?? '');
    case 'SEQUENCE':
      // That of an identity column: `ALTER TABLE shop.orders ALTER COLUMN id ADD GENERATED …`.
      return spelledBy(entry) === undefined && tables.has(alteredBy(entry) ?? '');
    case 'SEQUENCE OWNED BY':
      return mentions(entry, tables, (name) => `OWNED BY ${name}.`);
    case 'DEFAULT':
    case 'CONSTRAINT':
    case 'CHECK CONSTRAINT':
    case 'FK CONSTRAINT':
    case 'INDEX':
    case 'ROW SECURITY':
      return tables.has(alteredBy(entry) ?? '');
    case 'TRIGGER':
    case 'POLICY':
      return mentions(entry, tables, (name) => ` ON ${name} `);
    case 'RULE':
      return mentions(entry, tables, (name) => ` TO ${name} `);
    case 'STATISTICS':
      return mentions(entry, tables, (name) => ` FROM ${name}`);
    default:
      return false;
  }
}

/** Do its statements name one of them in this way? */
const mentions = (
  { statements }: SchemaEntry,
  names: ReadonlySet<string>,
  textOf: (name: string) => string,
): boolean => {
  const text = `${statements.join(' ; ')} `.replaceAll(/\s+/g, ' ');
  return [...names].some((name) => text.includes(textOf(name.replaceAll(/\s+/g, ' '))));
};

/** Rights, comments and labels of what is made. */
export function isAbout(
  entry: SchemaEntry,
  spelled: ReadonlySet<string>,
  chosen: ReadonlySet<SchemaEntry>,
): boolean {
  if (!['ACL', 'COMMENT', 'SECURITY LABEL'].includes(entry.type)) return false;
  const [kind = '', name = ''] = splitAtSpace(entry.name);
  if (['TABLE', 'SEQUENCE', 'TYPE', 'DOMAIN', 'FUNCTION', 'COLLATION'].includes(kind)) {
    return mentions(entry, spelled, (one) => ` ${one}${kind === 'FUNCTION' ? '(' : ' '}`);
  }
  if (kind === 'COLUMN') {
    return mentions(entry, spelled, (one) =>
      entry.type === 'ACL' ? ` ON TABLE ${one} ` : ` COLUMN ${one}.`,
    );
  }
  if (['CONSTRAINT', 'TRIGGER', 'POLICY', 'RULE'].includes(kind)) {
    return mentions(entry, spelled, (one) => ` ON ${one} IS `);
  }
  if (kind === 'INDEX' || kind === 'STATISTICS') {
    return [...chosen].some(
      (one) => one.type === kind && one.name === name && one.schema === entry.schema,
    );
  }
  return false;
}

const splitAtSpace = (text: string): string[] => {
  const at = text.indexOf(' ');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

/** Parts of indexes whose partitioned table is made too; else attaching the partition does it. */
export function isIndexAttach(
  entry: SchemaEntry,
  chosen: ReadonlySet<SchemaEntry>,
  tables: ReadonlySet<string>,
  pre: readonly SchemaEntry[],
  has: Presence,
): boolean {
  if (entry.type !== 'INDEX ATTACH') return false;
  const isOurs = [...chosen].some(
    (one) =>
      one.schema === entry.schema &&
      (one.type === 'INDEX' ? one.name : constraintOf(one)) === entry.name,
  );
  const parent = /^ALTER INDEX (.*?) ATTACH PARTITION /s.exec(entry.statements[0] ?? '')?.[1];
  return (
    isOurs &&
    parent !== undefined &&
    !has.relation(plainName(parent)) &&
    pre.some((one) => tables.has(attachmentOf(one)?.parent ?? ''))
  );
}

/** A foreign key of a table that stands, to one that is made: DROP … CASCADE took it along. */
export function hasFallen(entry: SchemaEntry, tables: ReadonlySet<string>, has: Presence): boolean {
  const child = alteredBy(entry);
  const name = constraintOf(entry);
  if (child === undefined || name === undefined || tables.has(child)) return false;
  if (!mentions(entry, tables, (one) => ` REFERENCES ${one}(`)) return false;
  return has.relation(plainName(child)) && !has.constraint(plainName(child), name);
}
