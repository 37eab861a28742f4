/** Two databases that begin alike, or a backup and what was restored from it, and their comparison. */
import { BackupSide } from '../../core/compare/backup-side.ts';
import { compareSides, type SidesComparison } from '../../core/compare/compare-sides.ts';
import { openLiveSide } from '../../core/compare/live-side.ts';
import type { Side } from '../../core/compare/side.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import type { Difference } from '../../core/contract/restore.ts';
import type { ReadDeps } from '../../core/verify/read-segment.ts';
import type { TestDatabase } from '../support/postgres.ts';

export const live = (database: Pick<TestDatabase, 'settings'>): Promise<Side> =>
  openLiveSide(database.settings, { applicationName: 'holdfast/test/compare', jobs: 2 });

export const backup = (deps: ReadDeps, manifest: Manifest): Side => new BackupSide(deps, manifest);

export async function compare(
  left: Side | Promise<Side>,
  right: Side | Promise<Side>,
  options: { withKeys?: boolean } = {},
): Promise<SidesComparison> {
  const sides = await Promise.all([left, right]);
  try {
    return await compareSides(sides[0], sides[1], { withKeys: options.withKeys ?? false });
  } finally {
    for (const side of sides) await side.close();
  }
}

/** `kind object`, in order: what a test asks for. */
export const unexpected = ({ differences }: { differences: readonly Difference[] }): string[] =>
  differences
    .filter(({ isExpected }) => !isExpected)
    .map(({ kind, object }) => `${kind} ${object}`)
    .sort();

/** Of the rich schema: with it a database cannot be dropped. */
export async function dropSubscription(database: TestDatabase): Promise<void> {
  await database.query('ALTER SUBSCRIPTION nowhere SET (slot_name = NONE)');
  await database.query('DROP SUBSCRIPTION nowhere');
}

/** Tables with a key, a view, an index, constraints, a sequence, a partitioned table, large objects. */
export const shop = `
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, paid numeric(10,2));
  INSERT INTO customers SELECT i, E'name\\t' || i || E'\\n\\\\', i * 1.5 FROM generate_series(1, 5000) i;
  CREATE INDEX by_name ON customers (lower(name));
  CREATE TABLE orders (customer int, number int, at timestamptz, PRIMARY KEY (customer, number),
    CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers);
  INSERT INTO orders SELECT i, 1, 'epoch' FROM generate_series(1, 100) i;
  CREATE VIEW rich AS SELECT id, name FROM customers WHERE paid > 100;
  CREATE SEQUENCE counter;
  SELECT setval('counter', 41);
  CREATE TABLE keyless (v text);
  INSERT INTO keyless VALUES ('a'), (NULL);
  CREATE TABLE parts (k int, v text, PRIMARY KEY (k)) PARTITION BY RANGE (k);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
  CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
  INSERT INTO parts SELECT i, 'p' || i FROM generate_series(0, 19) i;
  SELECT lo_from_bytea(4711, decode(repeat('ab', 5000), 'hex')), lo_create(4712);
  COMMENT ON LARGE OBJECT 4712 IS 'empty';`;
