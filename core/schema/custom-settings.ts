/**
 * The values of settings whose name has a dot, read back from the text of `globals`: the manifest has their names only
 * (core/inventory/hide-custom-settings.ts).
 *
 * Invariant: what is not found stays hidden and is told by `isHidden`, so that the placeholder never becomes a value.
 */
import type { Inventory } from '../contract/manifest.ts';
import { splitStatements } from './split-statements.ts';
import { tokens } from './split-tokens.ts';

type Settings = Pick<Inventory, 'database' | 'roles'>;

const placeholder = '(in globals.sql)';

export const isHidden = (setting: string): boolean => setting.endsWith(`=${placeholder}`);

export const hasHiddenSettings = ({ database, roles }: Settings): boolean =>
  database.settings.some(isHidden) ||
  roles.some(({ settings }) => settings.some(({ setting }) => isHidden(setting)));

/** @param globals text as core/schema/globals.ts writes it */
export function revealCustomSettings<T extends Settings>(inventory: T, globals: string): T {
  const values = readValues(globals);
  const reveal = (whose: string, setting: string) => {
    if (!isHidden(setting)) return setting;
    const name = setting.slice(0, setting.indexOf('='));
    const value = values.get(keyOf(whose, name));
    return value === undefined ? setting : `${name}=${value}`;
  };
  const { database, roles } = inventory;
  return {
    ...inventory,
    database: {
      ...database,
      settings: database.settings.map((setting) => reveal('ALTER DATABASE', setting)),
    },
    roles: roles.map((role) => ({
      ...role,
      settings: role.settings.map(({ inThisDatabase, setting }) => {
        const whose = `ALTER ROLE ${quoted(role.name)}${inThisDatabase ? ' IN DATABASE' : ''}`;
        return { inThisDatabase, setting: reveal(whose, setting) };
      }),
    })),
  };
}

const keyOf = (whose: string, name: string) => JSON.stringify([whose, name]);
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

const doBlock = /^DO (\$\w*\$)([\s\S]*)\1$/;
const clause = /^ SET "((?:[^"]|"")+)" TO (E?'[\s\S]*')$/;
const roleStatement =
  /^ALTER ROLE ("(?:[^"]|"")+") SET "((?:[^"]|"")+)" TO (E?'(?:[^'\\]|''|\\[\s\S])*');$/gm;

/** Two forms: `EXECUTE 'ALTER … ' || name || ' SET … TO …'`, and `ALTER ROLE … SET … TO …;` of a role for itself. */
function readValues(globals: string): Map<string, string> {
  const values = new Map<string, string>();
  const put = (whose: string, name: string, literal: string) =>
    values.set(keyOf(whose, name.replaceAll('""', '"')), unquote(literal));
  for (const statement of splitStatements(globals)) {
    const body = doBlock.exec(statement)?.[2];
    if (body === undefined) continue;
    for (const [, role = '', name = '', literal = ''] of body.matchAll(roleStatement)) {
      put(`ALTER ROLE ${role}`, name, literal);
    }
    const strings = [...tokens(body)].flatMap(({ kind, from, to }) =>
      kind === 'string' ? [unquote(body.slice(from, to))] : [],
    );
    const [, name, literal] = clause.exec(strings[1] ?? '') ?? [];
    if (name !== undefined && literal !== undefined) put((strings[0] ?? '').trim(), name, literal);
  }
  return values;
}

/** As pg.escapeLiteral quotes: `E'…'` only when there is a backslash, which is doubled. */
function unquote(literal: string): string {
  const isEscaped = literal.startsWith('E');
  const inner = literal.slice(isEscaped ? 2 : 1, -1).replaceAll("''", "'");
  return isEscaped ? inner.replaceAll('\\\\', '\\') : inner;
}
