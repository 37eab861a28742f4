/**
 * One side of a comparison: a backup, or a live database in one snapshot. Both tell the same facts.
 *
 * Invariant: whatever is asked of a side, and whenever, comes from the same state of the database: the backup's snapshot, or
 * the one that the live side exported when it was opened. Sequences alone have no snapshot, on a server as in a backup.
 */
import type { Filters } from '../contract/filters.ts';
import type { CopyFormat, Inventory } from '../contract/manifest.ts';
import type { RowFacts } from '../fingerprint/row-hash.ts';
import type { Definitions } from './definitions.ts';

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export interface SideTable extends TableName {
  /** In the order of the COPY; generated columns are not among them. */
  readonly columns: readonly string[];
  readonly root: TableName | null;
  readonly where: string | null;
  /** Its rows are not on this side although its definition is. */
  readonly isWithoutRows: boolean;
  /** Of a backup: as its rows are stored. */
  readonly format: CopyFormat | null;
}

/** How rows are to be read, so that both sides give the same text. */
export interface RowsWanted extends TableName {
  readonly columns: readonly string[];
  readonly where: string | null;
  readonly format: CopyFormat;
}

export interface LargeObjects {
  readonly count: number;
  readonly data: RowFacts;
  readonly metadata: RowFacts;
}

/** `metadata`: their data is not read; a live side tells of none. */
export type LargeObjectParts = 'all' | 'metadata';

export interface Validity {
  /** Indexes that the server does not use: a CREATE INDEX CONCURRENTLY that failed. */
  readonly invalidIndexes: readonly string[];
  /** Foreign keys whose triggers are not in the usual state: `of_customer on public.orders: disabled`. */
  readonly switchedOff: readonly string[];
  /** B-trees that amcheck refuses, with the SQLSTATE: `public.orders_pkey: XX002`; empty where it is not installed. */
  readonly damagedIndexes: readonly string[];
}

export interface Side {
  readonly kind: 'backup' | 'live';
  /** For people: the backup's id, or user@host:port/database. */
  readonly label: string;
  /** Major version of the server. */
  readonly major: number;
  /** What of the database a backup holds; null: everything is here. */
  readonly filters: Filters | null;

  definitions(filters: Filters): Promise<Definitions>;
  tables(filters: Filters): Promise<readonly SideTable[]>;
  /**
   * Rows and fingerprints in the order of what was asked for; null where a row is too large for text.
   * @param onBytes told of plain bytes as they were read
   */
  rowFacts(
    wanted: readonly RowsWanted[],
    onBytes: (table: TableName, rawBytes: number, rows: number) => void,
  ): Promise<readonly (RowFacts | null)[]>;
  /** The rows themselves as COPY text, in pieces that begin and end anywhere. */
  rows(wanted: RowsWanted): AsyncIterable<Buffer>;
  /** Columns of its primary key; empty without one. */
  primaryKey(table: TableName): Promise<readonly string[]>;
  sequences(filters: Filters): Promise<Inventory['sequences']>;
  /** null: they are no part of what the filters choose. */
  largeObjects(filters: Filters, parts: LargeObjectParts): Promise<LargeObjects | null>;
  /** Lines of COPY text: oid, owner, acl, comment. */
  largeObjectMetadata(): AsyncIterable<Buffer>;
  database(): Promise<Inventory['database']>;
  roles(): Promise<Inventory['roles']>;
  /** As core/schema/globals.ts writes it, with every value. */
  globals(): Promise<string>;
  extensions(): Promise<Inventory['extensions']>;
  /** null when it is not of what the filters choose. */
  census(filters: Filters): Promise<Readonly<Record<string, number>> | null>;
  /** null: a backup does not tell. */
  validity(): Promise<Validity | null>;
  /** Call it when all rows were read. @throws TableChangedError when a table was rewritten beneath the snapshot */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}
