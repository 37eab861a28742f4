/**
 * What the catalogs of the restored database tell about the things that are built: which tables have partitions, which
 * materialized views read which, and what is analyzed.
 *
 * Invariant: the same before and after any build, so that a second attempt plans the same.
 */
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { bookkeepingSchemaOf } from '../progress.ts';
import { qualified, type RelationName } from './read-statement.ts';

export interface Analyzed extends RelationName {
  /** `partitioned`: the root of a tree, or a branch of it. */
  readonly kind: 'table' | 'partitioned' | 'materialized-view';
  readonly isPartition: boolean;
}

export interface TargetFacts {
  readonly serverVersionNum: number;
  /** Keys as `qualified` makes them. */
  readonly partitioned: ReadonlySet<string>;
  /** Partition or branch → the root of its tree. */
  readonly rootOf: ReadonlyMap<string, string>;
  /** 0 for those that read no other one, 1 for those that read these … */
  readonly viewLevels: ReadonlyMap<string, number>;
  readonly analyzed: readonly Analyzed[];
}

export async function readTargetFacts(
  session: Session,
  run: Pick<RestoreRun, 'runId' | 'input'>,
): Promise<TargetFacts> {
  const relations = await session.query<RelationName & { kind: string; root: RelationName | null }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind,
            CASE WHEN c.relispartition THEN (
              SELECT pg_catalog.json_build_object('schema', rn.nspname, 'name', r.relname)
                FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
               WHERE r.oid = pg_catalog.pg_partition_root(c.oid)) END AS root
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_'
        AND n.nspname <> ALL (ARRAY['information_schema', $1::pg_catalog.text])
      ORDER BY 1, 2`,
    [bookkeepingSchemaOf(run)],
  );
  const kinds = { r: 'table', p: 'partitioned', m: 'materialized-view' } as const;
  return {
    serverVersionNum: session.serverVersionNum,
    partitioned: new Set(relations.filter(({ kind }) => kind === 'p').map(qualified)),
    rootOf: new Map(
      relations.flatMap((one) =>
        one.root === null ? [] : [[qualified(one), qualified(one.root)]],
      ),
    ),
    viewLevels: await readViewLevels(session),
    analyzed: relations.map(({ schema, name, kind, root }) => ({
      schema,
      name,
      kind: kinds[kind as keyof typeof kinds],
      isPartition: root !== null,
    })),
  };
}

interface ViewRow extends RelationName {
  oid: string;
  isMaterialized: boolean;
  reads: string[];
}

async function readViewLevels(session: Session): Promise<Map<string, number>> {
  const rows = await session.query<ViewRow>(
    `SELECT c.oid::pg_catalog.text AS oid, n.nspname AS schema, c.relname AS name,
            c.relkind = 'm' AS "isMaterialized",
            ARRAY(SELECT DISTINCT d.refobjid::pg_catalog.text
                    FROM pg_catalog.pg_rewrite r
                    JOIN pg_catalog.pg_depend d ON d.objid = r.oid
                     AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    JOIN pg_catalog.pg_class read ON read.oid = d.refobjid AND read.relkind IN ('v', 'm')
                   WHERE r.ev_class = c.oid AND read.oid <> c.oid) AS reads
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`,
  );
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  /** Of the materialized views at and beneath a view, the highest level; -1 for none. */
  const known = new Map<string, number>();
  const levelOf = (oid: string): number => {
    const earlier = known.get(oid);
    if (earlier !== undefined) return earlier;
    // A rule may make a circle, which a query cannot run through: it counts nothing.
    known.set(oid, -1);
    const row = byOid.get(oid);
    const beneath = Math.max(-1, ...(row?.reads ?? []).map(levelOf));
    const level = row?.isMaterialized === true ? beneath + 1 : beneath;
    known.set(oid, level);
    return level;
  };
  return new Map(
    rows.filter((row) => row.isMaterialized).map((row) => [qualified(row), levelOf(row.oid)]),
  );
}
