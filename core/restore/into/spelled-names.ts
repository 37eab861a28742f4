/**
 * Names as pg_dump spells them in its statements: what a definition is of, and which names another one uses.
 *
 * Invariant: texts are compared in pg_dump's own spelling, so that nobody has to know which names it quotes.
 */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { tokens } from '../../schema/split-tokens.ts';

const part = '(?:"(?:[^"]|"")*"|[^\\s".(;]+)';
const qualified = `${part}\\.${part}`;

const made: Readonly<Record<string, RegExp>> = {
  TABLE: new RegExp(`^CREATE (?:UNLOGGED )?TABLE (${qualified})`),
  TYPE: new RegExp(`^CREATE TYPE (${qualified})`),
  DOMAIN: new RegExp(`^CREATE DOMAIN (${qualified})`),
  COLLATION: new RegExp(`^CREATE COLLATION (${qualified})`),
  SEQUENCE: new RegExp(`^CREATE (?:UNLOGGED )?SEQUENCE (${qualified})`),
  FUNCTION: new RegExp(`^CREATE FUNCTION (${qualified})\\(`),
  INDEX: new RegExp(`^CREATE (?:UNIQUE )?INDEX (${part}) ON (?:ONLY )?(${qualified}) `),
  STATISTICS: new RegExp(`^CREATE STATISTICS (${qualified})`),
};

/** `shop."odd name"` of what the entry creates; undefined of other kinds, and of a sequence of an identity column. */
export function spelledBy(entry: SchemaEntry): string | undefined {
  const pattern = made[entry.type];
  if (pattern === undefined) return undefined;
  for (const statement of entry.statements) {
    const match = pattern.exec(statement);
    if (match !== null) return match[1];
  }
  return undefined;
}

/** Of `ALTER TABLE ONLY shop.orders ADD …`, `CREATE INDEX … ON shop.orders …`: the table. */
const alters = new RegExp(`^ALTER TABLE (?:ONLY )?(${qualified})[\\s;]`);
export function alteredBy(entry: SchemaEntry): string | undefined {
  for (const statement of entry.statements) {
    const name = alters.exec(statement)?.[1] ?? made.INDEX?.exec(statement)?.[2];
    if (name !== undefined) return name;
  }
  return undefined;
}

const attach = new RegExp(`^ALTER TABLE ONLY (${qualified}) ATTACH PARTITION (${qualified}) `);
export interface Attachment {
  readonly parent: string;
  readonly partition: string;
}
export function attachmentOf(entry: SchemaEntry): Attachment | undefined {
  if (entry.type !== 'TABLE ATTACH') return undefined;
  for (const statement of entry.statements) {
    const [, parent, partition] = attach.exec(statement) ?? [];
    if (parent !== undefined && partition !== undefined) return { parent, partition };
  }
  return undefined;
}

const publishes = new RegExp(
  `^ALTER PUBLICATION (${part}) ADD TABLE ONLY (${qualified})(?:\\s|;|\\(|$)`,
);
/** As they are spelled. */
export function publishedBy(
  entry: SchemaEntry,
): { readonly publication: string; readonly table: string } | undefined {
  if (entry.type !== 'PUBLICATION TABLE') return undefined;
  for (const statement of entry.statements) {
    const [, publication, table] = publishes.exec(statement) ?? [];
    if (publication !== undefined && table !== undefined) return { publication, table };
  }
  return undefined;
}

const constraint = new RegExp(`\\bADD CONSTRAINT (${part})\\s`);
/** The name of the constraint that it adds, as it is and not as it is spelled. */
export function constraintOf(entry: SchemaEntry): string | undefined {
  const spelled = entry.statements.flatMap((one) => constraint.exec(one)?.[1] ?? [])[0];
  return spelled === undefined ? undefined : plain(spelled);
}

const identity = new RegExp(`\\bSEQUENCE NAME (${qualified})`);
/** Of `ALTER TABLE … ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME shop.orders_id_seq …)`. */
export function identitySequenceOf(entry: SchemaEntry): string | undefined {
  return identity.exec(entry.statements.join('\n'))?.[1];
}

/** `"a ""b"""` → `a "b"` */
export const plain = (spelled: string): string =>
  spelled.startsWith('"') ? spelled.slice(1, -1).replaceAll('""', '"') : spelled;

const both = new RegExp(`^(${part})\\.(${part})$`);
export function plainName(spelled: string): { schema: string; name: string } {
  const [, schema = '', name = spelled] = both.exec(spelled) ?? [];
  return { schema: plain(schema), name: plain(name) };
}

/**
 * Every qualified name in the statements, also in texts like `nextval('shop.counter'::regclass)` and in bodies.
 * More than are really used does no harm: each is looked for among the definitions.
 */
export function namesIn(statements: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const statement of statements) {
    // In a string a quote is doubled.
    for (const text of [statement, statement.replaceAll("''", "'")]) {
      for (const [name] of text.matchAll(used)) found.add(name);
    }
  }
  return found;
}

const word = `(?:"(?:[^"]|"")*"|[^\\s'"()[\\]{},;:=<>+*/%|&!?~^.-]+)`;
const used = new RegExp(`(?<![\\w".])${word}\\.${word}`, 'g');

/** The text up to the closing parenthesis of its first pair outside of strings and names, and what follows. */
export function throughParentheses(statement: string): { through: string; rest: string } {
  let depth = 0;
  for (const { kind, from, to } of tokens(statement)) {
    if (kind !== 'other') continue;
    const sign = statement.slice(from, to);
    if (sign === '(') depth += 1;
    if (sign === ')') depth -= 1;
    if (sign === ')' && depth === 0) {
      return { through: statement.slice(0, to), rest: statement.slice(to) };
    }
  }
  return { through: statement, rest: '' };
}
