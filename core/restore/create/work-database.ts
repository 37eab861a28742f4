/**
 * The database in which a restore works: made from template0 with the encoding and locale of the source.
 *
 * Invariant: a database that was there before is never taken for ours. CREATE DATABASE cannot be part of a transaction,
 * so it bears a mark from its first moment on, a connection limit that nobody else would set; when the bookkeeping is in
 * it, the mark goes. Nobody but its owner (and superusers) may connect to it before the cutover: what others wrote into
 * a database that is not whole yet would be lost, or found too late.
 */
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError } from '../../contract/errors.ts';
import type { Inventory } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier, literal } from '../../schema/sql-text.ts';
import { bookkeepingOwner, createBookkeeping, creationMarkOf } from '../progress.ts';
import { openTarget } from '../target-session.ts';
import { statementError } from './statement-error.ts';

type Run = Pick<RestoreRun, 'runId' | 'input' | 'backup' | 'workDatabase'>;
type Database = Inventory['database'];

const duplicateDatabase = '42P04';

/**
 * @param maintenance a session in another database of the same server
 * @throws TargetExistsError when there is one of that name that is not this run's
 */
export async function createWorkDatabase(
  deps: Pick<Deps, 'connectionOf'>,
  run: Run,
  source: Database,
  maintenance: Session,
): Promise<void> {
  const state = await stateOf(deps, run, maintenance);
  if (state === 'foreign') throw exists(run);
  if (state === 'ours') return;
  if (state === 'absent') await create(run, source, maintenance);
  await closeToOthers(run, maintenance);
  await using session = await openTarget(deps, run, 'create');
  await createBookkeeping(session, run);
  await maintenance.query(`ALTER DATABASE ${identifier(run.workDatabase)} CONNECTION LIMIT -1`);
}

/**
 * Whether the work database may be dropped: it is this run's.
 *
 * @returns `marked`: made by this run, and the bookkeeping is not in it yet
 */
export async function stateOf(
  deps: Pick<Deps, 'connectionOf'>,
  run: Run,
  maintenance: Session,
): Promise<'absent' | 'marked' | 'ours' | 'foreign'> {
  const [found] = await maintenance.query<{ limit: number; canConnect: boolean }>(
    `SELECT datconnlimit AS limit, datallowconn AS "canConnect" FROM pg_catalog.pg_database
      WHERE datname = $1`,
    [run.workDatabase],
  );
  if (found === undefined) return 'absent';
  if (found.limit === creationMarkOf(run)) return 'marked';
  if (!found.canConnect) return 'foreign';
  await using session = await openTarget(deps, run, 'create');
  return (await bookkeepingOwner(session, run)) === run.runId ? 'ours' : 'foreign';
}

async function create(run: Run, source: Database, maintenance: Session): Promise<void> {
  const options = [
    'TEMPLATE template0',
    ...localeOptions(source, maintenance.serverVersionNum),
    ...(await tablespaceOption(source, maintenance)),
    `CONNECTION LIMIT ${creationMarkOf(run)}`,
    // CONNECT can be taken from PUBLIC in a second statement only.
    'ALLOW_CONNECTIONS false',
  ];
  const sql = `CREATE DATABASE ${identifier(run.workDatabase)} ${options.join(' ')}`;
  try {
    await maintenance.query(sql);
  } catch (error) {
    if (sqlstateOf(error) === duplicateDatabase) throw exists(run);
    throw statementError(error, `DATABASE ${run.workDatabase}`, 'nothing');
  }
}

/** The cutover gives the rights that the backup has. */
async function closeToOthers({ workDatabase }: Run, maintenance: Session): Promise<void> {
  const name = identifier(workDatabase);
  await maintenance.query(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
  await maintenance.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
}

/** The provider by its name: the server's own default may be another one. */
function localeOptions(source: Database, versionNum: number): string[] {
  const { encoding, collate, ctype, localeProvider, locale, icuRules } = source;
  const option = (name: string, value: string | null) =>
    value === null ? [] : [`${name} ${literal(value)}`];
  const providers = [
    ...(versionNum < 150_000 ? [] : [`LOCALE_PROVIDER ${localeProvider}`]),
    ...(localeProvider === 'icu' ? option('ICU_LOCALE', locale) : []),
    ...(localeProvider === 'icu' && versionNum >= 160_000 ? option('ICU_RULES', icuRules) : []),
    ...(localeProvider === 'builtin' ? option('BUILTIN_LOCALE', locale) : []),
  ];
  return [
    ...option('ENCODING', encoding),
    ...providers,
    ...option('LC_COLLATE', collate),
    ...option('LC_CTYPE', ctype),
  ];
}

/** The target need not have it: a place on a disk is no part of a backup. */
async function tablespaceOption(source: Database, maintenance: Session): Promise<string[]> {
  if (source.tablespace === 'pg_default') return [];
  const found = await maintenance.query(
    'SELECT 1 FROM pg_catalog.pg_tablespace WHERE spcname = $1',
    [source.tablespace],
  );
  return found.length === 0 ? [] : [`TABLESPACE ${identifier(source.tablespace)}`];
}

const exists = (run: Run) =>
  new HoldfastError(
    'TargetExistsError',
    `The server has a database ${JSON.stringify(run.workDatabase)} already, and this restore (${run.runId}) did not make it.`,
    { evidence: { database: run.workDatabase } },
  );
