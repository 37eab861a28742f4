/** How a comparison names a table: as a person would write it, quoted only where it must be. */
import { identifier } from '../schema/sql-text.ts';

const plain = /^[a-z_][a-z0-9_$]*$/;

export const displayName = ({
  schema,
  name,
}: {
  readonly schema: string;
  readonly name: string;
}): string => [schema, name].map((part) => (plain.test(part) ? part : identifier(part))).join('.');
