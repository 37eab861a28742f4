/** What an object of a manifest holds: its segments, each with the name of what it is a part of. */
import type { Manifest, Segment, TextSegment } from '../contract/manifest.ts';

export interface HeldSegment {
  /** `schema.table`, `schema pre-data`, `large objects`: for people. */
  readonly table: string;
  /** With rows and fingerprint, or (SQL text) without. */
  readonly segment: TextSegment & Partial<Segment>;
}

const known = new WeakMap<Manifest, ReadonlyMap<number, readonly HeldSegment[]>>();

/** In the order in which they lie in the object. */
export function segmentsOf(manifest: Manifest, object: number): readonly HeldSegment[] {
  let contents = known.get(manifest);
  if (contents === undefined) {
    contents = collect(manifest);
    known.set(manifest, contents);
  }
  return contents.get(object) ?? [];
}

function collect(manifest: Manifest): Map<number, HeldSegment[]> {
  const contents = new Map<number, HeldSegment[]>();
  const add = (table: string, segment: HeldSegment['segment']) => {
    const held = contents.get(segment.object);
    if (held === undefined) contents.set(segment.object, [{ table, segment }]);
    else held.push({ table, segment });
  };
  for (const { name, segment } of manifest.schema) add(`schema ${name}`, segment);
  for (const table of manifest.tables) {
    for (const segment of table.segments) add(`${table.schema}.${table.name}`, segment);
  }
  for (const segment of manifest.largeObjects.data.segments) add('large objects', segment);
  for (const segment of manifest.largeObjects.metadata.segments) add('large objects', segment);
  for (const held of contents.values()) held.sort((a, b) => a.segment.offset - b.segment.offset);
  return contents;
}

/** Do the segments cover the object from its first byte to its last, each byte once? */
export function isTiled(held: readonly HeldSegment[], storedBytes: number): boolean {
  let end = 0;
  for (const { segment } of held) {
    if (segment.offset !== end) return false;
    end += segment.storedBytes;
  }
  return end === storedBytes;
}
