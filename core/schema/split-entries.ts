/**
 * A section of pg_dump's text cut into its entries, each of which can be run on its own.
 *
 * Invariant: a heading is only believed between statements; one within a function's body is text. Settings that pg_dump
 * writes once for all entries that follow are given to each of these.
 */
import { scanStatements } from './split-statements.ts';

/** One object of the dump, as its heading names it. */
export interface SchemaEntry {
  /** `TABLE`, `INDEX`, `FK CONSTRAINT`, `MATERIALIZED VIEW DATA`, `ACL`, `COMMENT` … */
  readonly type: string;
  /** For people: pg_dump writes line breaks as spaces, and for some types more than the name: `orders orders_pkey`. */
  readonly name: string;
  readonly schema: string | null;
  readonly owner: string | null;
  /** Without semicolons at the end; none when pg_dump has nothing to say. */
  readonly statements: string[];
}

export interface SchemaText {
  /** What stands before the first entry: settings of the session, and what holds for the whole database. */
  readonly preamble: string[];
  readonly entries: SchemaEntry[];
}

const heading =
  /^-- (?:Data for )?Name: (.*); Type: ([A-Z][A-Z ]*); Schema: (.*); Owner: (.*?)(?:; Tablespace: .*)?$/gm;

/** Settings that pg_dump writes when they change; a session that is new has pg_dump's own beginning (session-pins.ts). */
const carried = /^SET (default_tablespace|default_table_access_method) = (.*)$/s;
const beginning: Readonly<Record<string, string>> = {
  default_tablespace: "''",
  default_table_access_method: 'heap',
};

export function splitEntries(sql: string): SchemaText {
  const preamble: string[] = [];
  const entries: SchemaEntry[] = [];
  const state = new Map<string, string>();
  /** Changed since the last entry: they come before the heading of the entry that they are for. */
  const changed = new Set<string>();
  for (const { lead, text } of scanStatements(sql)) {
    for (const [, name = '', type = '', schema = '', owner = ''] of lead.matchAll(heading)) {
      const statements = [...state]
        .filter(([setting, value]) => changed.has(setting) || value !== beginning[setting])
        .map(([setting, value]) => `SET ${setting} = ${value}`);
      changed.clear();
      entries.push({ type, name, schema: orNull(schema), owner: orNull(owner), statements });
    }
    const [, setting, value] = carried.exec(text) ?? [];
    if (setting !== undefined && value !== undefined) {
      state.set(setting, value);
      changed.add(setting);
    } else if (text !== '') {
      (entries.at(-1)?.statements ?? preamble).push(text);
    }
  }
  return { preamble, entries };
}

const orNull = (text: string) => (text === '-' || text === '' ? null : text);
