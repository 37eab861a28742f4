/**
 * Encoding, locale and collations: whether the target can make a database that sorts and stores as the source did.
 *
 * A locale is tried by making a collation of it in the session's temporary schema, in a transaction that is taken back:
 * nothing else tells what the operating system of a managed server knows. Any SQL error of that is an answer.
 */
import { isHoldfastError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { listed, plural } from '../../doctor/check.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';
import type { Session } from '../../postgres/session.ts';
import { literal } from '../../schema/sql-text.ts';
import {
  type Finding,
  failed,
  ok,
  type PreflightCheck,
  type ServerTarget,
  warning,
} from './check.ts';

type Database = Manifest['inventory']['database'];

export const encoding: PreflightCheck<ServerTarget> = {
  check: 'encoding',
  modes: ['new', 'swap'],
  async look({ session, manifest }) {
    const { encoding: name } = manifest.inventory.database;
    const [row] = await session.query<{ id: number }>(
      'SELECT pg_catalog.pg_char_to_encoding($1) AS id',
      [name],
    );
    if ((row?.id ?? -1) >= 0) return ok(`The server knows the encoding ${name}.`);
    return failed(
      `The server does not know the encoding ${name}.`,
      'Restore to a PostgreSQL server that has it.',
    );
  },
};

export const locale: PreflightCheck<ServerTarget> = {
  check: 'locale',
  modes: ['new', 'swap'],
  async look({ session, manifest }): Promise<Finding[]> {
    const { database, collations } = manifest.inventory;
    // On a standby nothing can be tried, and that it is one is said already.
    const [row] = await session.query<{ standby: boolean }>(
      'SELECT pg_catalog.pg_is_in_recovery() AS standby',
    );
    if (row?.standby === true) return [];
    const findings: Finding[] = [];
    for (const name of new Set([database.collate, database.ctype])) {
      if (name !== null && !isPlain(name)) {
        findings.push(await locales(session, { provider: 'libc', locale: name, rules: null }));
      }
    }
    if (database.localeProvider !== 'libc') findings.push(await ownProvider(session, database));
    const isBad = findings.filter(({ verdict }) => verdict !== 'ok');
    if (isBad.length > 0) return isBad;
    const version = await versionOf(session, database);
    const before = collations.find(({ name }) => name === 'default')?.actualVersion ?? null;
    if (version !== null && before !== null && version !== before) {
      return [versionsDiffer(`the database's locale (${localeOf(database)})`, before, version)];
    }
    return [ok(`The locale of the database, ${localeOf(database)}, is there.`)];
  },
};

const isPlain = (name: string): boolean => ['C', 'POSIX'].includes(name);

const localeOf = ({ localeProvider, locale: name, collate }: Database): string =>
  `${localeProvider} ${name ?? collate ?? 'C'}`;

const ownProvider = (session: Session, { localeProvider, locale: name, icuRules }: Database) =>
  locales(session, { provider: localeProvider, locale: name ?? 'C', rules: icuRules });

interface Wanted {
  readonly provider: string;
  readonly locale: string;
  readonly rules: string | null;
}

/** @returns the version of the library for it; null when it has none */
async function tryCollation(session: Session, wanted: Wanted): Promise<string | null> {
  const options = [
    `PROVIDER = ${wanted.provider}`,
    `LOCALE = ${literal(wanted.locale)}`,
    ...(wanted.rules === null ? [] : [`RULES = ${literal(wanted.rules)}`]),
  ];
  await session.query('BEGIN READ WRITE');
  try {
    await session.query(`CREATE COLLATION pg_temp.holdfast_probe (${options.join(', ')})`);
    const [row] = await session.query<{ version: string | null }>(
      `SELECT pg_catalog.pg_collation_actual_version(oid) AS version FROM pg_catalog.pg_collation
        WHERE collname = 'holdfast_probe' AND collnamespace = pg_catalog.pg_my_temp_schema()`,
    );
    return row?.version ?? null;
  } finally {
    await session.query('ROLLBACK');
  }
}

async function locales(session: Session, wanted: Wanted): Promise<Finding> {
  const what = `${wanted.provider} locale ${JSON.stringify(wanted.locale)}`;
  try {
    await tryCollation(session, wanted);
    return ok(`The ${what} is there.`);
  } catch (error) {
    // It exists, for another encoding than that of the database we are connected to.
    if (routineOf(error) === 'check_encoding_locale_matches') return ok(`The ${what} is there.`);
    const state = sqlstateOf(error);
    if (state === undefined) throw error;
    if (isHoldfastError(error, 'PermissionDeniedError')) {
      return warning(
        `Whether the server has the ${what} cannot be seen: the role may not make temporary objects.`,
        'GRANT TEMPORARY ON DATABASE … TO the role, or go on: CREATE DATABASE says it before anything is loaded.',
      );
    }
    return failed(
      `The server does not have the ${what} of the database.`,
      wanted.provider === 'libc'
        ? 'Install it on the server (locale-gen, glibc-langpack; then restart PostgreSQL), or restore to a server that has it.'
        : 'Restore to a server whose PostgreSQL has it (built with ICU, or of the newer version).',
    );
  }
}

function routineOf(error: unknown): unknown {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'routine' in cause ? cause.routine : undefined;
}

async function versionOf(session: Session, database: Database): Promise<string | null> {
  const { localeProvider: provider, locale: name, collate, icuRules: rules } = database;
  const wanted = provider === 'libc' ? collate : name;
  if (wanted === null || isPlain(wanted)) return null;
  // Of a locale for another encoding it cannot be seen here; the comparison of the rows does not depend on it.
  return tryCollation(session, { provider, locale: wanted, rules }).catch((error: unknown) => {
    if (sqlstateOf(error) === undefined) throw error;
    return null;
  });
}

const versionsDiffer = (what: string, before: string, now: string): Finding =>
  warning(
    `The library sorts ${what} by version ${now}; at the source it was ${before}.`,
    'Indexes are built anew, so they are right. Check range partitions, exclusion and check constraints over such texts.',
  );

interface CollationRow {
  name: string;
  version: string | null;
}

/** Those of pg_catalog that columns and indexes name; the user's own are made from the backup. */
export const collations: PreflightCheck<ServerTarget> = {
  check: 'collations',
  async look({ session, manifest }) {
    const { database, collations: all } = manifest.inventory;
    const named = all.filter(({ schema, name }) => schema === 'pg_catalog' && name !== 'default');
    if (named.length === 0) return ok('The data uses no collation of the server by name.');
    const rows = await session.query<CollationRow>(
      `SELECT collname AS name, pg_catalog.pg_collation_actual_version(oid) AS version
         FROM pg_catalog.pg_collation
        WHERE collnamespace = 'pg_catalog'::pg_catalog.regnamespace AND collname = ANY ($1)
          AND collencoding IN (-1, pg_catalog.pg_char_to_encoding($2))`,
      [named.map(({ name }) => name), database.encoding],
    );
    const there = new Map(rows.map(({ name, version }) => [name, version]));
    const missing = named.filter(({ name }) => !there.has(name)).map(({ name }) => name);
    if (missing.length > 0) {
      return failed(
        `The server lacks ${plural(missing.length, 'collation')} that the data uses: ${listed(missing)}.`,
        "Install the locales on the server and run SELECT pg_import_system_collations('pg_catalog') in template1 and this database.",
      );
    }
    const other = named.flatMap(({ name, actualVersion: before }) => {
      const now = there.get(name) ?? null;
      const differs = before !== null && now !== null && before !== now;
      return differs ? [versionsDiffer(`collation ${name}`, before, now)] : [];
    });
    return other.length > 0
      ? other
      : ok(`All ${plural(named.length, 'collation')} that the data uses are there.`);
  },
};
