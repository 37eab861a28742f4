/** A shop, its backup, and copies of the shop in which something has gone wrong, to be restored into. */
import type pg from 'pg';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { type LoadUnit, restoreInputSchema } from '../../core/contract/restore.ts';
import { markBinary } from '../../core/dump/binary-marks.ts';
import { createTarget } from '../../core/restore/create-target.ts';
import { cutover } from '../../core/restore/cutover.ts';
import { failRestore } from '../../core/restore/fail.ts';
import { chooseTables } from '../../core/restore/into/choose-tables.ts';
import { preflightInto } from '../../core/restore/into/preflight.ts';
import { loadUnit } from '../../core/restore/load-unit.ts';
import { releaseTargetLease } from '../../core/restore/target-lease.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type Harness, makeHarness, requestedBy } from '../backup/harness.ts';
import { targetDeps } from './cutover-harness.ts';
import { planRun } from './planned-run.ts';
import { dropDatabases, onServer, unique } from './shared-server.ts';

export const shopSql = (role: string): string => `
  CREATE SCHEMA shop;
  GRANT USAGE ON SCHEMA shop TO ${role};
  CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'happy');
  CREATE DOMAIN shop.amount AS numeric(12, 2) CHECK (VALUE >= 0);
  CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.note := 'touched'; RETURN NEW; END $$;
  CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, code char(4), mood shop.mood,
    born timestamptz, tags text[], shout text GENERATED ALWAYS AS (upper(email)) STORED);
  INSERT INTO shop.customers (email, code, mood, born, tags)
    SELECT 'c' || i || '@x', 'a' || i, 'ok', '2026-01-01', ARRAY['a,b', NULL] FROM generate_series(1, 50) i;
  CREATE TABLE shop.orders (
    id serial PRIMARY KEY, customer bigint NOT NULL REFERENCES shop.customers, total shop.amount NOT NULL,
    note text, made date NOT NULL DEFAULT '2026-02-03', CONSTRAINT sane CHECK (total < 1000000));
  CREATE INDEX orders_made ON shop.orders (made) INCLUDE (total);
  CREATE UNIQUE INDEX orders_expression ON shop.orders ((lower(note))) WHERE note LIKE 'unique%';
  CREATE STATISTICS shop.orders_stats ON customer, made FROM shop.orders;
  COMMENT ON TABLE shop.orders IS 'what was ordered';
  COMMENT ON COLUMN shop.orders.total IS 'with tax';
  COMMENT ON CONSTRAINT sane ON shop.orders IS 'no millions';
  COMMENT ON INDEX shop.orders_made IS 'by day';
  GRANT SELECT, INSERT ON shop.orders TO ${role};
  GRANT UPDATE (note) ON shop.orders TO ${role};
  GRANT USAGE ON SEQUENCE shop.orders_id_seq TO ${role};
  INSERT INTO shop.orders (customer, total, note) SELECT 1 + i % 50, i, 'order ' || i FROM generate_series(1, 200) i;
  CREATE TRIGGER orders_touch BEFORE INSERT OR UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
  ALTER TABLE shop.orders ENABLE ALWAYS TRIGGER orders_touch;
  ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
  CREATE POLICY orders_all ON shop.orders FOR SELECT TO ${role} USING (total > 0);
  CREATE TABLE shop.lines (id int PRIMARY KEY, order_id int REFERENCES shop.orders ON DELETE CASCADE, what text);
  CREATE VIEW shop.sums AS SELECT customer, sum(total) FROM shop.orders GROUP BY customer;
  INSERT INTO shop.lines SELECT i, 1 + i % 200, 'line' FROM generate_series(1, 400) i;
  CREATE TABLE shop.events (at date NOT NULL, what text, PRIMARY KEY (at)) PARTITION BY RANGE (at);
  CREATE TABLE shop.events_1 PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE shop.events_2 PARTITION OF shop.events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
  INSERT INTO shop.events SELECT date '2026-01-01' + i, 'event' FROM generate_series(0, 50) i;
  CREATE TABLE shop.nokey (v text);
  INSERT INTO shop.nokey VALUES ('a'), ('a'), (NULL);
  CREATE TABLE shop."odd ""name.1" ("se""lect" int PRIMARY KEY, "Größe" text DEFAULT 'x');
  INSERT INTO shop."odd ""name.1" VALUES (1, E'tab\\tand\\\\n'), (2, '');
  CREATE TABLE shop.tree (id int PRIMARY KEY, up int REFERENCES shop.tree DEFERRABLE INITIALLY DEFERRED);
  INSERT INTO shop.tree VALUES (1, NULL), (2, 1), (3, 2);
  CREATE TABLE shop.settings (key text PRIMARY KEY, value text);
  INSERT INTO shop.settings VALUES ('a', '1');`;

export interface IntoHarness extends AsyncDisposable {
  readonly harness: Harness;
  readonly deps: Deps;
  readonly manifest: Manifest;
  readonly role: string;
  /** A database of its own with the shop as it was backed up. */
  copy(): Promise<string>;
  preflight(database: string, selection: Record<string, unknown>): Promise<string[]>;
  /** All states of mode `into` that change the target, and FailRestore when one of them throws. `before`: between rows and cutover. */
  restore(
    database: string,
    selection: Record<string, unknown>,
    before?: (runId: string) => Promise<unknown>,
  ): Promise<{ runId: string }>;
}

export async function makeIntoHarness(): Promise<IntoHarness> {
  const role = unique('into_role');
  const template = unique('into_template');
  await onServer('postgres', `CREATE ROLE ${role}`);
  const harness = await makeHarness('into');
  await harness.database.query(shopSql(role));
  await onServer('postgres', `CREATE DATABASE ${template} TEMPLATE template0`);
  await onServer(template, shopSql(role));
  await harness.runHere(async (state, input, call) => {
    // As if a row of `tree` were larger than 1 GB as text.
    const { runId, unit, part } = input as { runId: string; unit: number; part: number };
    const [tree] = await harness.database.query<{ oid: number }>(
      `SELECT 'shop.tree'::regclass::oid::int AS oid`,
    );
    if (state === 'DumpUnit' && tree !== undefined) {
      await markBinary(harness.deps.workspace, runId, tree.oid, { unit, part });
    }
    return call();
  });
  const [entry] = await harness.catalogue();
  const manifest = await harness.manifest(entry?.backupId ?? '');
  const deps = targetDeps(harness.deps);
  const made = [template];
  return {
    ...{ harness, deps, manifest, role },
    async copy() {
      const name = unique('into');
      made.push(name);
      await onServer('postgres', `CREATE DATABASE ${name} TEMPLATE ${template}`);
      return name;
    },
    async preflight(database, selection) {
      const input = restoreInputSchema.parse({
        ...{ target: 'target', requestedBy, mode: 'into', database, selection },
      });
      const items = await preflightInto(deps, input, manifest);
      return items.map(({ verdict, message }) => `${verdict}: ${message}`);
    },
    async restore(database, selection, before = async () => undefined) {
      const input = { mode: 'into', database, selection };
      const names = { workDatabase: database, finalDatabase: database };
      const run = await planRun(deps, manifest, { input, ...names });
      const { runId } = run;
      await putJson(deps.workspace, workspaceKeys.restorePart(runId, 'loads', 0), {
        unit: 0,
        items: chooseTables(manifest, run.input.selection).flatMap((table) =>
          (manifest.tables[table]?.segments ?? []).map(({ rawBytes }, segment) => ({
            ...{ what: 'table', table, segment, rawBytes },
          })),
        ),
      } satisfies LoadUnit);
      try {
        await createTarget(deps, { runId });
        while (!(await loadUnit(deps, { runId, unit: 0 })).isDone);
        await before(runId);
        await cutover(deps, { runId });
        await releaseTargetLease(deps, run);
        return { runId };
      } catch (error) {
        await failRestore(deps, { runId, error: { Error: 'InternalError', Cause: '' } });
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await dropDatabases(made);
      await harness[Symbol.asyncDispose]();
      await onServer('postgres', `DROP ROLE ${role}`);
    },
  };
}

/** Everything that the catalogs tell of a table, as sorted lines: columns, keys, indexes, triggers, policies, rights … */
export async function describeTable(database: string, table: string): Promise<string[]> {
  const rows = await onServer<{ line: string }>(database, describeSql, [table]);
  return rows.map(({ line }) => line).sort();
}

const describeSql = `
  SELECT concat_ws(' ', 'table', relacl, relrowsecurity, obj_description(oid, 'pg_class'), relispartition) AS line
    FROM pg_class WHERE oid = $1::regclass
  UNION ALL SELECT concat_ws(' ', 'column', attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
           attgenerated, pg_get_expr(adbin, adrelid), attacl, col_description(attrelid, attnum))
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
   WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT concat_ws(' ', 'constraint', conname, pg_get_constraintdef(oid), convalidated, obj_description(oid, 'pg_constraint'))
    FROM pg_constraint WHERE conrelid = $1::regclass
  UNION ALL SELECT concat_ws(' ', 'referenced by', conrelid::regclass, conname, convalidated)
    FROM pg_constraint WHERE confrelid = $1::regclass AND contype = 'f'
  UNION ALL SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid, obj_description(indexrelid, 'pg_class'),
           (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = indexrelid))
    FROM pg_index WHERE indrelid = $1::regclass
  UNION ALL SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid), tgenabled)
    FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal
  UNION ALL SELECT concat_ws(' ', 'policy', polname, pg_get_expr(polqual, polrelid), polroles::regrole[])
    FROM pg_policy WHERE polrelid = $1::regclass
  UNION ALL SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(oid)) FROM pg_statistic_ext WHERE stxrelid = $1::regclass
  UNION ALL SELECT concat_ws(' ', 'sequence', s.seqrelid::regclass, s.seqtypid::regtype, s.seqincrement, c.relacl, d.deptype)
    FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_class c ON c.oid = d.objid
   WHERE d.refobjid = $1::regclass AND d.deptype IN ('a', 'i')`;

/** The rows of a query, as text lines. */
export async function lines(database: string, sql: string): Promise<string[]> {
  const rows = await onServer<pg.QueryResultRow>(database, sql);
  return rows.map((row) => Object.values(row).map(String).join(' '));
}
