/** Builds before they are numbered, and the pieces that they are made of. */
import type { Build } from '../../contract/restore.ts';
import type { RelationName } from './read-statement.ts';

export type BuildDraft = Omit<Build, 'build'>;

/** Builds that are independent of each other. */
export type Wave = readonly BuildDraft[];

/** A small definition: what it is called in messages, and its statements (or references to them), in their order. */
export interface Definition {
  readonly label: string;
  readonly statements: readonly string[];
}

/** Up to here a table counts as small: its indexes take less than the round trips of a task of their own. */
export const smallTableBytes = 8 << 20;

/** Plain bytes of rows that a task with many small tables reads: about a second. */
export const packBytes = 64 << 20;

/** Next-fit: packs of at most `packBytes` and `most` items each, in the order that is given. */
export function packInOrder<T>(
  items: readonly T[],
  most: number,
  weightOf: (item: T) => { count: number; bytes: number },
): T[][] {
  const packs: T[][] = [];
  let filled = { count: Number.POSITIVE_INFINITY, bytes: 0 };
  for (const item of items) {
    const weight = weightOf(item);
    if (filled.count + weight.count > most || filled.bytes + weight.bytes > packBytes) {
      packs.push([]);
      filled = { count: 0, bytes: 0 };
    }
    packs.at(-1)?.push(item);
    filled = { count: filled.count + weight.count, bytes: filled.bytes + weight.bytes };
  }
  return packs;
}

/** The pieces of an entry of post-data that a draft is made of. */
interface EntryPieces {
  readonly settings: readonly string[];
  readonly at: string;
}

export const draftOf = (
  kind: BuildDraft['kind'],
  { settings, at }: EntryPieces,
  label: string,
  object: RelationName | undefined,
  table: string | null = null,
): BuildDraft => ({
  kind,
  label,
  object: object === undefined ? null : { ...object, table },
  statements: [...settings, at],
});

/** @param statement refers to the entry's own, or makes only the index of its constraint */
export const indexDraft = (
  { settings }: EntryPieces,
  statement: string,
  index: string,
  { schema, name }: RelationName,
): BuildDraft => ({
  kind: 'index',
  label: `index ${schema}.${index}`,
  object: { schema, name: index, table: name },
  statements: [...settings, statement],
});
