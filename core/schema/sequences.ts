/** Where the sequences stood: SQL to be run after the rows are loaded, in any order with them. */
import type { Inventory } from '../contract/manifest.ts';
import { identifier, literal, sessionSettings } from './sql-text.ts';

/** One `setval` per sequence, as pg_dump writes it. */
export function sequencesSql(sequences: Inventory['sequences']): string {
  const lines = sequences.map(({ schema, name, lastValue, isCalled }) => {
    const sequence = literal(`${identifier(schema)}.${identifier(name)}`);
    return `SELECT pg_catalog.setval(${sequence}, ${BigInt(lastValue)}, ${isCalled});\n`;
  });
  return `-- Sequences: last values.\n\n${sessionSettings}\n${lines.join('')}`;
}
