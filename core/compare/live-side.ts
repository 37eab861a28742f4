/** A live database as a side of a comparison: read, never written, in one snapshot. */
import type { Filters } from '../contract/filters.ts';
import type { Inventory, MaterializedView } from '../contract/manifest.ts';
import type { RowFacts } from '../fingerprint/row-hash.ts';
import { inParallel } from '../in-parallel.ts';
import { readCensus } from '../inventory/census.ts';
import { readDatabase } from '../inventory/database.ts';
import { readExtensions } from '../inventory/extensions.ts';
import { readMaterializedViews } from '../inventory/materialized-views.ts';
import { readRoles } from '../inventory/roles.ts';
import {
  readSequenceValues,
  requireReadableSequences,
  selectSequences,
} from '../inventory/sequences.ts';
import { readTables } from '../inventory/tables.ts';
import { selectTables } from '../plan/select-tables.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { dumpSection } from '../schema/dump-section.ts';
import { globalsSql } from '../schema/globals.ts';
import { identifier } from '../schema/sql-text.ts';
import { type Definitions, definitionsOf } from './definitions.ts';
import { LiveRows } from './live-rows.ts';
import { LiveSessions, withoutSnapshot } from './live-sessions.ts';
import type {
  LargeObjectParts,
  LargeObjects,
  RowsWanted,
  Side,
  SideTable,
  TableName,
  Validity,
} from './side.ts';
import { displayName } from './table-name.ts';
import { readValidity } from './validity.ts';

export interface LiveOptions {
  /** As `applicationNameOf` makes them. */
  readonly applicationName: string;
  /** Sessions that read at once. */
  readonly jobs: number;
  /** For amcheck over all b-trees; without it as long as it takes. */
  readonly indexCheckMs?: number;
}

const lockWaitMs = 30_000;

export async function openLiveSide(
  settings: ConnectionSettings,
  options: LiveOptions,
): Promise<LiveSide> {
  return new LiveSide(await LiveSessions.open(settings, options.applicationName), options);
}

export class LiveSide implements Side {
  readonly kind = 'live';
  readonly filters = null;
  readonly #sessions: LiveSessions;
  readonly #rows: LiveRows;

  readonly #indexCheckMs: number;
  #uncheckedIndexes = 0;

  constructor(
    sessions: LiveSessions,
    { jobs, indexCheckMs = Number.POSITIVE_INFINITY }: Omit<LiveOptions, 'applicationName'>,
  ) {
    this.#sessions = sessions;
    this.#rows = new LiveRows(sessions, jobs);
    this.#indexCheckMs = indexCheckMs;
  }

  /** B-trees for which there was no time when `validity` was asked. */
  get uncheckedIndexes(): number {
    return this.#uncheckedIndexes;
  }

  get label(): string {
    return this.#sessions.label;
  }

  get major(): number {
    return Math.floor(this.#sessions.keeper.serverVersionNum / 10_000);
  }

  async definitions(given: Filters): Promise<Definitions> {
    const filters = this.#withoutBookkeeping(given);
    const { snapshotName } = this.#sessions;
    const sections = ['pre-data', 'post-data'] as const;
    const texts = await inParallel(sections, sections.length, async (section) => {
      await using session = await this.#sessions.idle();
      const request = { section, filters, snapshotName, lockWaitMs };
      return (await dumpSection(session, request).catch(withoutSnapshot)).sql;
    });
    return definitionsOf(texts);
  }

  #withoutBookkeeping(filters: Filters): Filters {
    const left = this.#sessions.bookkeeping.map((name) => identifier(name));
    return { ...filters, excludeSchemas: [...filters.excludeSchemas, ...left] };
  }

  async tables(given: Filters): Promise<readonly SideTable[]> {
    const { keeper } = this.#sessions;
    const selected = await selectTables(keeper, this.#withoutBookkeeping(given));
    const facts = await readTables(keeper, selected);
    return facts.map(({ table }) => ({
      schema: table.schema,
      name: table.name,
      columns: table.columns,
      root: table.root ?? null,
      where: table.where ?? null,
      isWithoutRows: table.dataExcluded !== undefined,
      format: null,
    }));
  }

  rowFacts(
    wanted: readonly RowsWanted[],
    onBytes: (table: TableName, rawBytes: number, rows: number) => void,
  ): Promise<readonly (RowFacts | null)[]> {
    return this.#rows.rowFacts(wanted, onBytes);
  }

  rows(wanted: RowsWanted): AsyncIterable<Buffer> {
    return this.#rows.rows(wanted);
  }

  largeObjects(filters: Filters, parts: LargeObjectParts): Promise<LargeObjects | null> {
    return this.#rows.largeObjects(filters, parts);
  }

  largeObjectMetadata(): AsyncIterable<Buffer> {
    return this.#rows.largeObjectMetadata();
  }

  assertUnchanged(): Promise<void> {
    return this.#rows.assertUnchanged();
  }

  async primaryKey({ schema, name }: TableName): Promise<readonly string[]> {
    const rows = await this.#sessions.keeper.query<{ column: string }>(
      `SELECT a.attname AS column
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE i.indisprimary AND n.nspname = $1 AND c.relname = $2 AND k.place <= i.indnkeyatts
        ORDER BY k.place`,
      [schema, name],
    );
    return rows.map(({ column }) => column);
  }

  async sequences(given: Filters): Promise<Inventory['sequences']> {
    const filters = this.#withoutBookkeeping(given);
    const { keeper } = this.#sessions;
    const tables = new Set((await selectTables(keeper, filters)).map(({ oid }) => oid));
    const selected = await selectSequences(keeper, filters, tables);
    requireReadableSequences(keeper, selected);
    await using session = await this.#sessions.idle();
    return await readSequenceValues(session, selected);
  }

  database(): Promise<Inventory['database']> {
    return readDatabase(this.#sessions.keeper);
  }

  roles(): Promise<Inventory['roles']> {
    return readRoles(this.#sessions.keeper);
  }

  async globals(): Promise<string> {
    return globalsSql({ roles: await this.roles(), database: await this.database() });
  }

  extensions(): Promise<Inventory['extensions']> {
    return readExtensions(this.#sessions.keeper);
  }

  census(): Promise<Readonly<Record<string, number>>> {
    return readCensus(this.#sessions.keeper, this.#sessions.bookkeeping);
  }

  async materializedViews(wanted: readonly TableName[]): Promise<MaterializedView[]> {
    if (wanted.length === 0) return [];
    const names = new Set(wanted.map((view) => displayName(view)));
    await using session = await this.#sessions.reader();
    return await readMaterializedViews(session, (view) => names.has(displayName(view)));
  }

  async validity(): Promise<Validity> {
    await using session = await this.#sessions.reader();
    const { uncheckedIndexes, ...validity } = await readValidity(session, this.#indexCheckMs);
    this.#uncheckedIndexes = uncheckedIndexes;
    return validity;
  }

  /** Names of those of this database: pg_dump lists them to superusers only. */
  async subscriptions(): Promise<string[]> {
    const rows = await this.#sessions.keeper.query<{ name: string }>(
      `SELECT s.subname AS name FROM pg_catalog.pg_subscription s
         JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
        WHERE d.datname = pg_catalog.current_database()`,
    );
    return rows.map(({ name }) => name);
  }

  /** May this session switch triggers of foreign keys off? */
  async isSuperuser(): Promise<boolean> {
    const [row] = await this.#sessions.keeper.query<{ is: boolean }>(
      'SELECT rolsuper AS is FROM pg_catalog.pg_roles WHERE rolname = current_user',
    );
    return row?.is === true;
  }

  async close(): Promise<void> {
    await this.#sessions.keeper.close();
  }
}
