/** Where the sequences stood. Runs again without harm: a sequence is set, not moved. */
import type { Inventory } from '../../contract/manifest.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';

/** Each is locked until its statement ends; a lock table of the smallest server takes a few thousand. */
const sequencesAtOnce = 500;

/** @returns how many */
export async function setSequences(
  session: Session,
  sequences: Inventory['sequences'],
): Promise<number> {
  for (let from = 0; from < sequences.length; from += sequencesAtOnce) {
    const some = sequences.slice(from, from + sequencesAtOnce);
    await session.query(
      `SELECT pg_catalog.count(pg_catalog.setval(name::pg_catalog.regclass, last, called))
         FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.int8[]),
           pg_catalog.unnest($3::pg_catalog.bool[])) AS sequence (name, last, called)`,
      [
        some.map(({ schema, name }) => `${identifier(schema)}.${identifier(name)}`),
        some.map(({ lastValue }) => lastValue),
        some.map(({ isCalled }) => isCalled),
      ],
    );
  }
  return sequences.length;
}
