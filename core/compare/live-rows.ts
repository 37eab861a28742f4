/**
 * Rows and large objects of a live side, all in its snapshot, over several sessions.
 *
 * Invariant: what was read is the snapshot's: a table that somebody truncates or rewrites meanwhile is found out at the end.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Filters } from '../contract/filters.ts';
import type { Slice } from '../contract/plan.ts';
import { CopyReader } from '../copy/copy-reader.ts';
import { copyStatement, quotedTable, type TableSlice } from '../copy/copy-statement.ts';
import { addFingerprints, emptyFingerprint } from '../fingerprint/fingerprint.ts';
import type { RowFacts } from '../fingerprint/row-hash.ts';
import { readLargeObjects } from '../inventory/large-objects.ts';
import { cutTable } from '../plan/cut-slices.ts';
import { cutLargeObjects } from '../plan/large-object-slices.ts';
import { includesEverything } from '../plan/select-tables.ts';
import { findTables } from './find-tables.ts';
import type { LiveSessions } from './live-sessions.ts';
import { scanPieces } from './scan-lanes.ts';
import type { LargeObjectParts, LargeObjects, RowsWanted, TableName } from './side.ts';

/** Aim of one piece of a large table, bytes on disk: seconds of work. */
const chunkBytes = 128 << 20;

export class LiveRows {
  readonly #sessions: LiveSessions;
  readonly #jobs: number;
  /** Names of what was read, by oid. */
  readonly #read = new Map<number, string>();

  constructor(sessions: LiveSessions, jobs: number) {
    this.#sessions = sessions;
    this.#jobs = jobs;
  }

  /** As `Side.rowFacts`. */
  async rowFacts(
    wanted: readonly RowsWanted[],
    onBytes: (table: TableName, rawBytes: number, rows: number) => void,
  ): Promise<readonly (RowFacts | null)[]> {
    const { facts, openTables } = await findTables(
      this.#sessions.keeper,
      wanted.map((table) => ({ ...table, where: table.where ?? undefined })),
    );
    const results = wanted.map((): RowFacts | null => none);
    const pieces = wanted.flatMap((table, index) => {
      const found = facts[index];
      if (found === undefined) throw vanished(table);
      this.#read.set(found.table.oid, quotedTable(table));
      const planned = { ...found.table, columns: [...table.columns] };
      return cutTable({ ...found, table: planned }, chunkBytes).map((slice) => ({
        index,
        slice: { ...(slice as TableSlice), format: table.format },
      }));
    });
    await scanPieces(pieces, {
      sliceOf: ({ slice }) => slice,
      lanes: this.#jobs,
      open: () => this.#sessions.reader(),
      openTables,
      onPiece: ({ index, slice }, { rows, fingerprint, rawBytes }) => {
        onBytes(slice, rawBytes, rows);
        results[index] = add(results[index], { rows, fingerprint });
      },
      onTooLarge: ({ index }) => {
        results[index] = null;
      },
    });
    return results;
  }

  async *rows(wanted: RowsWanted): AsyncGenerator<Buffer> {
    const { facts, openTables } = await findTables(this.#sessions.keeper, [
      { ...wanted, where: wanted.where ?? undefined },
    ]);
    const [found] = facts;
    if (found === undefined) throw vanished(wanted);
    const planned = { ...found.table, columns: [...wanted.columns] };
    const [slice] = cutTable({ ...found, table: planned }, Number.MAX_SAFE_INTEGER);
    if (slice === undefined) return;
    yield* this.#stream(slice, openTables.has(found.table.oid));
  }

  async *#stream(slice: Slice, isOpen: boolean): AsyncGenerator<Buffer> {
    await using session = await this.#sessions.reader();
    if (isOpen) await session.query('SET LOCAL row_security = on');
    const what = slice.of === 'table' ? quotedTable(slice) : 'large objects';
    const format = slice.of === 'table' ? slice.format : 'text';
    yield* new CopyReader().copy(session, {
      sql: copyStatement(slice, isOpen),
      format,
      what: `Reading ${what}`,
    });
  }

  async largeObjects(filters: Filters, parts: LargeObjectParts): Promise<LargeObjects | null> {
    if (filters.sections === 'schema' || !includesEverything(filters)) return null;
    const { keeper } = this.#sessions;
    const facts = await readLargeObjects(keeper);
    const all = await cutLargeObjects(keeper, facts, chunkBytes);
    const pieces = parts === 'all' ? all : all.filter(isMetadata);
    const sums = { data: none, metadata: none };
    await scanPieces(pieces, {
      sliceOf: (slice) => slice,
      lanes: this.#jobs,
      open: () => this.#sessions.reader(),
      openTables: new Set(),
      onPiece: (slice, facts) => {
        const part = isMetadata(slice) ? 'metadata' : 'data';
        sums[part] = add(sums[part], facts) ?? none;
      },
    });
    return { count: facts.count, ...sums };
  }

  async *largeObjectMetadata(): AsyncGenerator<Buffer> {
    const whole = { fromOid: 0, toOid: 2 ** 32 - 1, estimatedBytes: 0 };
    yield* this.#stream({ of: 'large-objects', by: 'metadata', ...whole }, false);
  }

  /** @throws TableChangedError when a table that was read is not the snapshot's any more: COPY would have seen no rows */
  async assertUnchanged(): Promise<void> {
    const changed = await this.#sessions.keeper.query<{ oid: number }>(
      `SELECT given.oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS given(oid)
         LEFT JOIN pg_catalog.pg_class c ON c.oid = given.oid
        WHERE c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(given.oid)`,
      [[...this.#read.keys()]],
    );
    if (changed.length === 0) return;
    const names = changed.map(({ oid }) => this.#read.get(oid));
    throw new HoldfastError(
      'TableChangedError',
      `${this.#sessions.label}: truncated, rewritten or dropped while it was compared: ${names.slice(0, 5).join(', ')}.`,
      { hint: 'Compare again when nobody does that.', evidence: { tables: names } },
    );
  }
}

const isMetadata = (slice: Slice) => slice.of === 'large-objects' && slice.by === 'metadata';

const none: RowFacts = { rows: 0, fingerprint: emptyFingerprint };

/** Once too large for text, a table stays so. */
const add = (sum: RowFacts | null | undefined, facts: RowFacts): RowFacts | null =>
  sum === null || sum === undefined
    ? null
    : {
        rows: sum.rows + facts.rows,
        fingerprint: addFingerprints(sum.fingerprint, facts.fingerprint),
      };

const vanished = (table: TableName) =>
  new HoldfastError('TableChangedError', `${quotedTable(table)} is gone.`, {
    hint: 'Compare again when no migration runs.',
  });
