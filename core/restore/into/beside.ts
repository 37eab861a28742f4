/**
 * A copy of a table beside the original, to look at first: columns with their types, NOT NULL, CHECK, defaults of their
 * own, primary key and unique constraints. Not its indexes, foreign keys, triggers, policies and rights.
 *
 * Invariant: neither the original nor anything that hangs on it is named in the statements, so nothing of it is touched.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { identifier } from '../../schema/sql-text.ts';
import { selectNeeded } from './needed-definitions.ts';
import { type Placing, quoted, shown } from './placing.ts';
import type { Presence } from './presence.ts';
import type { BackupDefinitions } from './select-definitions.ts';
import { alteredBy, plainName, spelledBy, throughParentheses } from './spelled-names.ts';

export interface CopyBeside {
  readonly placing: Placing;
  /** Types and functions that the target lacks. */
  readonly needs: readonly SchemaEntry[];
  /** Before the rows. */
  readonly create: readonly string[];
  /** After them. */
  readonly keys: readonly string[];
}

/** @throws UsageError for a table that inherits columns, and one without a definition in the backup */
export function planBeside(
  { pre, post }: BackupDefinitions,
  placing: Placing,
  has: Presence,
): CopyBeside {
  const { table, target } = placing;
  const isOriginal = (spelled: string | undefined) =>
    spelled !== undefined && shown(plainName(spelled)) === shown(table);
  const entry = pre.find((one) => one.type === 'TABLE' && isOriginal(spelledBy(one)));
  const made = entry?.statements.find((one) => /^CREATE (UNLOGGED )?TABLE /.test(one));
  const spelled = entry === undefined ? undefined : spelledBy(entry);
  if (made === undefined || spelled === undefined) {
    throw new HoldfastError('UsageError', `The backup has no definition of ${shown(table)}.`, {
      hint: 'A table of an extension cannot be put beside the original.',
    });
  }
  const definition = made.slice(made.indexOf(spelled) + spelled.length);
  // CREATE TABLE a OF type (…) has no list of columns of its own.
  const { through, rest } = definition.startsWith(' OF ')
    ? { through: definition, rest: '' }
    : throughParentheses(definition);
  if (/^\s*INHERITS\b/.test(rest)) {
    throw new HoldfastError(
      'UsageError',
      `${shown(table)} inherits columns: a copy beside it would hang on the same parent.`,
      { hint: 'Restore the whole backup into a database of its own (mode new) and look there.' },
    );
  }
  const create = [
    ...(has.schema(target.schema)
      ? []
      : [`CREATE SCHEMA IF NOT EXISTS ${identifier(target.schema)}`]),
    `CREATE TABLE ${quoted(target)}${through}`,
  ];
  const keys = post
    .filter((one) => one.type === 'CONSTRAINT' && isOriginal(alteredBy(one)))
    .flatMap(({ statements }) => statements.flatMap((one) => key.exec(one)?.[1] ?? []))
    .map((definitionOfKey) => `ALTER TABLE ONLY ${quoted(target)} ADD ${definitionOfKey}`);
  return { placing, needs: selectNeeded(pre, [made], has), create, keys };
}

/** Its name is left to the server: in the same schema the original's index has it. */
const key = /\bADD CONSTRAINT (?:"(?:[^"]|"")*"|\S+) ((?:PRIMARY KEY|UNIQUE)\b.*)$/s;
