/** The databases of the target by their names: what must be there, and what must not. */
import type { Session } from '../../postgres/session.ts';
import { databaseBeside } from '../cutover/database-facts.ts';
import { type Finding, failed, ok, type PreflightCheck, type ServerTarget } from './check.ts';
import { maxNameBytes } from './names.ts';

interface DatabaseRow {
  name: string;
  isTemplate: boolean;
  allowsConnections: boolean;
}

const find = async (
  { session }: ServerTarget,
  ...names: readonly string[]
): Promise<Map<string, DatabaseRow>> => {
  const rows = await session.query<DatabaseRow>(
    `SELECT datname AS name, datistemplate AS "isTemplate", datallowconn AS "allowsConnections"
       FROM pg_catalog.pg_database WHERE datname = ANY ($1)`,
    [names],
  );
  return new Map(rows.map((row) => [row.name, row]));
};

async function mayConnect(session: Session, database: string): Promise<boolean> {
  const rows = await session.query(
    `SELECT FROM pg_catalog.pg_database
      WHERE datname = $1 AND datallowconn AND pg_catalog.has_database_privilege(oid, 'CONNECT')`,
    [database],
  );
  return rows.length > 0;
}

const quoted = (name: string): string => JSON.stringify(name);

/** The server would cut it without a word, and everything after would look for another name. */
const tooLong = (name: string): Finding | undefined => {
  const bytes = Buffer.byteLength(name);
  if (bytes <= maxNameBytes) return undefined;
  return failed(
    `The name ${quoted(name)} has ${bytes} bytes; PostgreSQL keeps ${maxNameBytes}.`,
    'Give a shorter --name.',
  );
};

export const nameFree: PreflightCheck<ServerTarget> = {
  check: 'name-free',
  modes: ['new', 'swap'],
  async look(target) {
    const { workDatabase, previousDatabase, finalDatabase } = target.names;
    const long = tooLong(finalDatabase);
    if (long !== undefined) return long;
    const isNew = target.input.mode === 'new';
    const others = isNew ? [finalDatabase] : previousDatabase === null ? [] : [previousDatabase];
    const wanted = [...new Set([workDatabase, ...others])];
    const there = await find(target, ...wanted);
    const taken = wanted.filter((name) => there.has(name));
    if (taken.length === 0) return ok(`Free to be used: ${wanted.map(quoted).join(' and ')}.`);
    return failed(
      `There is a database ${taken.map(quoted).join(' and ')} already.`,
      isNew && taken.includes(finalDatabase)
        ? 'Choose another --name, drop it, or replace it with --mode swap.'
        : 'It is left from an earlier restore: drop it when nobody needs it.',
    );
  },
};

export const databaseExists: PreflightCheck<ServerTarget> = {
  check: 'database-exists',
  modes: ['swap', 'into'],
  async look(target) {
    const { input, session, names } = target;
    const name = names.finalDatabase;
    const row = (await find(target, name)).get(name);
    if (row === undefined) {
      return failed(
        `There is no database ${quoted(name)} to ${input.mode === 'swap' ? 'replace' : 'write into'}.`,
        input.mode === 'swap'
          ? 'Name the right one with --name, or restore with --mode new, which makes it.'
          : 'Name the right one with --name, or create it first.',
      );
    }
    if (row.isTemplate) {
      return failed(
        `${quoted(name)} is a template: new databases of this server are made from it.`,
        'Name another database with --name.',
      );
    }
    if (!row.allowsConnections) {
      return failed(
        `${quoted(name)} takes no connections.`,
        'Allow them: ALTER DATABASE … WITH ALLOW_CONNECTIONS true.',
      );
    }
    if (input.mode === 'swap') {
      const beside = databaseBeside(session.settings.database, [name]);
      if (!(await mayConnect(session, beside))) {
        return failed(
          `A database is renamed from another one, and ${quoted(beside)} does not let this role in.`,
          'Name a database beside it in the connection to the target, as postgresql://…/another, and this one with --name.',
        );
      }
    }
    return ok(`Database ${quoted(name)} is there.`);
  },
};
