/**
 * What a statement of post-data is about, read from its text as pg_dump writes it.
 *
 * Invariant: a text that is not understood gives undefined and is never guessed at: such a statement is run as it stands.
 */
import { identifier } from '../../schema/sql-text.ts';

export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

/** A name in an SQL text, and as a key: quoted in one way only. */
export const qualified = ({ schema, name }: RelationName): string =>
  `${identifier(schema)}.${identifier(name)}`;

const id = '(?:"(?:[^"]|"")+"|[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*)';
/** Parentheses around names, with nothing nested in them but what is quoted. */
const list = '\\((?:[^()"]|"(?:[^"]|"")*")*\\)';

export interface IndexStatement {
  readonly index: string;
  readonly table: RelationName;
}

const indexPattern = new RegExp(
  `^CREATE (?:UNIQUE )?INDEX (${id}) ON (?:ONLY )?(${id})\\.(${id}) USING `,
);

export function readIndex(sql: string): IndexStatement | undefined {
  const [, index, schema, name] = indexPattern.exec(sql) ?? [];
  if (index === undefined || schema === undefined || name === undefined) return undefined;
  return { index: unquote(index), table: { schema: unquote(schema), name: unquote(name) } };
}

export interface ConstraintStatement {
  /** `ALTER TABLE ONLY shop.orders ADD CONSTRAINT orders_pkey`, as it stands in the text. */
  readonly head: string;
  /** As they stand in the text. */
  readonly nameText: string;
  readonly tableText: string;
  readonly name: string;
  readonly table: RelationName;
  /** `PRIMARY KEY (id)` … */
  readonly definition: string;
}

const constraintPattern = new RegExp(
  `^(ALTER TABLE (?:ONLY )?((${id})\\.(${id}))\\s+ADD CONSTRAINT (${id})) (.*)$`,
  's',
);

export function readConstraint(sql: string): ConstraintStatement | undefined {
  const [, head, tableText, schema, table, nameText, definition] =
    constraintPattern.exec(sql) ?? [];
  if (head === undefined || tableText === undefined || schema === undefined) return undefined;
  if (table === undefined || nameText === undefined || definition === undefined) return undefined;
  return {
    head,
    nameText,
    tableText,
    name: unquote(nameText),
    table: { schema: unquote(schema), name: unquote(table) },
    definition,
  };
}

const uniquePattern = new RegExp(
  `^(PRIMARY KEY|UNIQUE)( NULLS NOT DISTINCT)? (${list})( INCLUDE ${list})?( WITH ${list})?((?: DEFERRABLE)?(?: INITIALLY DEFERRED)?)$`,
);

/**
 * A primary key or unique constraint in two steps: its index, which needs only a lock that other builds of the same
 * table can share, and the constraint that takes the index over, which needs no time.
 */
export function asIndexFirst(
  constraint: ConstraintStatement,
): { index: string; constraint: string } | undefined {
  const [, kind, nulls = '', columns, include = '', options = '', deferred] =
    uniquePattern.exec(constraint.definition) ?? [];
  if (kind === undefined || columns === undefined) return undefined;
  if (/WITHOUT OVERLAPS/.test(columns)) return undefined;
  const { head, nameText, tableText } = constraint;
  return {
    index: `CREATE UNIQUE INDEX ${nameText} ON ONLY ${tableText} ${columns}${include}${nulls}${options}`,
    constraint: `${head} ${kind} USING INDEX ${nameText}${deferred}`,
  };
}

const referencesPattern = new RegExp(`^FOREIGN KEY ${list} REFERENCES (${id})\\.(${id})${list}`);

/** The table that a foreign key's definition refers to. */
export function readReferenced(definition: string): RelationName | undefined {
  const [, schema, name] = referencesPattern.exec(definition) ?? [];
  if (schema === undefined || name === undefined) return undefined;
  return { schema: unquote(schema), name: unquote(name) };
}

const viewPattern = new RegExp(
  `^(?:REFRESH MATERIALIZED VIEW|CREATE MATERIALIZED VIEW) (${id})\\.(${id})`,
);

/** The view that is refreshed or made. */
export function readMaterializedView(sql: string): RelationName | undefined {
  const [, schema, name] = viewPattern.exec(sql) ?? [];
  if (schema === undefined || name === undefined) return undefined;
  return { schema: unquote(schema), name: unquote(name) };
}

/** `shop.name` in all the ways in which a text may spell it, followed by no further letter of a name. */
export function mentionOf({ schema, name }: RelationName): RegExp {
  const spelled = (text: string) =>
    `(?:${[...new Set([text, identifier(text)])].map((one) => escaped(one)).join('|')})`;
  return new RegExp(`(?<![\\w$"])${spelled(schema)}\\.${spelled(name)}(?![\\w$"])`);
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|\-/]/g, '\\$&');

const unquote = (text: string): string =>
  text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
