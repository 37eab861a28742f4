/** A backup as a side of a comparison: its manifest, and what is stored where the manifest alone does not say enough. */
import { HoldfastError } from '../contract/errors.ts';
import type { Filters } from '../contract/filters.ts';
import type { Inventory, Manifest, Segment, TableEntry } from '../contract/manifest.ts';
import type { RowFacts } from '../fingerprint/row-hash.ts';
import { readSection, type SectionName } from '../restore/definitions.ts';
import type { SchemaEntry } from '../schema/split-entries.ts';
import { splitEntries } from '../schema/split-entries.ts';
import { openSegment, type ReadDeps } from '../verify/read-segment.ts';
import { type Definitions, groupEntries, textOf } from './definitions.ts';
import type { LargeObjects, RowsWanted, Side, SideTable, TableName, Validity } from './side.ts';
import { switchedOffText } from './validity.ts';

type ReadEntries = (section: SectionName) => Promise<SchemaEntry[]>;

export class BackupSide implements Side {
  readonly kind = 'backup';
  readonly label: string;
  readonly major: number;
  readonly filters: Filters;
  readonly #deps: ReadDeps;
  readonly #manifest: Manifest;
  readonly #entries: ReadEntries;
  #definitions: Promise<Definitions> | undefined;
  readonly #tables: ReadonlyMap<string, TableEntry>;

  /** @param readEntries entries of a section, when they are to be other ones than those that are stored */
  constructor(deps: ReadDeps, manifest: Manifest, readEntries?: ReadEntries) {
    this.label = manifest.backupId;
    this.major = Math.floor(manifest.source.serverVersionNum / 10_000);
    this.filters = manifest.filters;
    this.#deps = deps;
    this.#manifest = manifest;
    this.#entries =
      readEntries ??
      (async (section) => splitEntries(await readSection(deps, manifest, section)).entries);
    this.#tables = new Map(manifest.tables.map((table) => [keyOf(table), table]));
  }

  definitions(): Promise<Definitions> {
    this.#definitions ??= this.#readDefinitions();
    return this.#definitions;
  }

  async #readDefinitions(): Promise<Definitions> {
    const [before, after] = [await this.#entries('pre-data'), await this.#entries('post-data')];
    return groupEntries([...before, ...after]);
  }

  async tables(): Promise<readonly SideTable[]> {
    return this.#manifest.tables.map((table) => ({
      schema: table.schema,
      name: table.name,
      columns: table.columns,
      root: table.root ?? null,
      where: table.where ?? null,
      isWithoutRows: table.dataExcluded !== undefined,
      format: table.format,
    }));
  }

  async rowFacts(wanted: readonly RowsWanted[]): Promise<readonly RowFacts[]> {
    return wanted.map((table) => {
      const { rows, fingerprint } = this.#entry(table);
      return { rows, fingerprint };
    });
  }

  async *rows(wanted: RowsWanted): AsyncGenerator<Buffer> {
    yield* this.#segments(this.#entry(wanted).segments);
  }

  async *#segments(segments: readonly Segment[]): AsyncGenerator<Buffer> {
    for (const segment of segments) {
      const object = this.#manifest.objects[segment.object];
      if (object === undefined) {
        throw new HoldfastError('ManifestInvalidError', `${this.label} has no such object.`);
      }
      const { plain } = await openSegment(this.#deps, object, segment);
      for await (const chunk of plain) yield chunk as Buffer;
    }
  }

  /** As its definition says: `ADD CONSTRAINT … PRIMARY KEY (a, b)`. */
  async primaryKey(table: TableName): Promise<readonly string[]> {
    for (const same of (await this.definitions()).values()) {
      for (const definition of same) {
        if (definition.type !== 'CONSTRAINT') continue;
        const [, schema, name, columns] = primaryKey.exec(textOf(definition)) ?? [];
        if (schema === undefined || name === undefined || columns === undefined) continue;
        if (unquoted(schema) === table.schema && unquoted(name) === table.name) {
          return [...columns.replace(' WITHOUT OVERLAPS', '').matchAll(new RegExp(word, 'gu'))].map(
            ([column]) => unquoted(column),
          );
        }
      }
    }
    return [];
  }

  async sequences(): Promise<Inventory['sequences']> {
    return this.#manifest.inventory.sequences;
  }

  async largeObjects(filters: Filters): Promise<LargeObjects | null> {
    const isTaken =
      filters.sections !== 'schema' && filters.schemas.length + filters.tables.length === 0;
    const { count, data, metadata } = this.#manifest.largeObjects;
    return isTaken ? { count, data, metadata } : null;
  }

  async *largeObjectMetadata(): AsyncGenerator<Buffer> {
    yield* this.#segments(this.#manifest.largeObjects.metadata.segments);
  }

  async database(): Promise<Inventory['database']> {
    return this.#manifest.inventory.database;
  }

  async roles(): Promise<Inventory['roles']> {
    return this.#manifest.inventory.roles;
  }

  globals(): Promise<string> {
    return readSection(this.#deps, this.#manifest, 'globals');
  }

  async extensions(): Promise<Inventory['extensions']> {
    return this.#manifest.inventory.extensions;
  }

  /** It is counted of the whole database, and says nothing of a part of it. */
  async census(): Promise<Readonly<Record<string, number>> | null> {
    return this.#manifest.scope === 'full' ? this.#manifest.inventory.census : null;
  }

  /** pg_dump leaves invalid indexes out, so a backup has none. */
  async validity(): Promise<Validity | null> {
    const { switchedOff } = this.#manifest.inventory;
    if (switchedOff === undefined) return null;
    const texts = switchedOff.map(switchedOffText);
    return { invalidIndexes: [], switchedOff: [...new Set(texts)], damagedIndexes: [] };
  }

  async assertUnchanged(): Promise<void> {}

  async close(): Promise<void> {}

  #entry(table: TableName): TableEntry {
    const entry = this.#tables.get(keyOf(table));
    if (entry !== undefined) return entry;
    throw new HoldfastError('InternalError', `${this.label} was asked for another table.`);
  }
}

const keyOf = ({ schema, name }: TableName) => JSON.stringify([schema, name]);

/** A name as pg_dump writes it. */
const word = '(?:"(?:[^"]|"")+"|[\\p{L}_][\\p{L}\\p{N}_$]*)';
const primaryKey = new RegExp(
  `^ALTER TABLE (?:ONLY )?(${word})\\.(${word})\\s+ADD CONSTRAINT ${word} PRIMARY KEY \\(((?:"(?:[^"]|"")+"|[^)"])*)\\)`,
  'u',
);

const unquoted = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
