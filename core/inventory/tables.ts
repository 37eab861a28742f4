/**
 * Facts about the tables whose rows a backup takes: columns, owner, partition root, and their size with TOAST.
 *
 * Invariant: columns come from the catalogs under the snapshot, so they are those that the rows of the snapshot have;
 * sizes are of the present files and serve for planning only. One query for all tables: 20,000 take about a second.
 */
import type { PlannedTable } from '../contract/plan.ts';
import type { SelectedTable } from '../plan/select-tables.ts';
import type { Session } from '../postgres/session.ts';

export interface TableFacts {
  readonly table: PlannedTable;
  /** Blocks of the main fork, without TOAST. */
  readonly blocks: number;
  /** Main fork and TOAST. */
  readonly bytes: number;
  /** Only the heap promises that ctid ranges are complete. */
  readonly isHeap: boolean;
}

interface Row {
  oid: number;
  owner: string;
  relpersistence: string;
  isHeap: boolean;
  isPartition: boolean;
  columns: string[];
  rootSchema: string | null;
  rootName: string | null;
  blocks: string;
  bytes: string;
}

/**
 * In the order of oid; partitioned tables have no rows of their own and are not among them. Data of unlogged tables
 * cannot be read on a standby: they are marked, as pg_dump leaves them out there.
 */
export async function readTables(
  session: Session,
  selected: readonly SelectedTable[],
): Promise<TableFacts[]> {
  const leaves = new Map(
    selected.filter(({ relkind }) => relkind === 'r').map((table) => [table.oid, table]),
  );
  if (leaves.size === 0) return [];
  const [server] = await session.query<{ isStandby: boolean }>(
    'SELECT pg_catalog.pg_is_in_recovery() AS "isStandby"',
  );
  const rows = await session.query<Row>(tablesSql, [[...leaves.keys()]]);
  return rows.flatMap((row) => {
    const chosen = leaves.get(row.oid);
    return chosen === undefined ? [] : [factsOf(row, chosen, server?.isStandby ?? false)];
  });
}

function factsOf(row: Row, chosen: SelectedTable, isStandby: boolean): TableFacts {
  const { oid, schema, name, extension, where } = chosen;
  const isUnlogged = row.relpersistence === 'u';
  const dataExcluded =
    chosen.dataExcluded ?? (isUnlogged && isStandby ? 'unlogged-on-standby' : null);
  const { rootSchema, rootName } = row;
  return {
    table: {
      oid,
      schema,
      name,
      owner: row.owner,
      kind: extension !== null ? 'extension' : row.isPartition ? 'partition' : 'table',
      persistence: isUnlogged ? 'unlogged' : 'permanent',
      ...(rootSchema === null || rootName === null
        ? {}
        : { root: { schema: rootSchema, name: rootName } }),
      ...(extension === null ? {} : { extension }),
      ...(where === null ? {} : { where }),
      columns: row.columns,
      ...(dataExcluded === null ? {} : { dataExcluded }),
    },
    blocks: Number(row.blocks),
    bytes: Number(row.bytes),
    isHeap: row.isHeap,
  };
}

/**
 * pg_table_size() would open the index of each TOAST table as well and look for all forks, which takes much longer for many
 * small tables. An empty table's TOAST is not asked for.
 * pg_partition_root() would tell of the newest state: the way up is walked in the snapshot's pg_inherits.
 */
const tablesSql = `
  WITH RECURSIVE up AS (
    SELECT i.inhrelid AS leaf, i.inhparent AS parent
      FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
     WHERE c.relispartition AND c.oid = ANY ($1::pg_catalog.oid[])
    UNION ALL
    SELECT up.leaf, i.inhparent FROM up
      JOIN pg_catalog.pg_class c ON c.oid = up.parent AND c.relispartition
      JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.parent
  ), root AS (
    SELECT up.leaf, n.nspname, c.relname FROM up
      JOIN pg_catalog.pg_class c ON c.oid = up.parent AND NOT c.relispartition
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  )
  SELECT c.oid, pg_catalog.pg_get_userbyid(c.relowner) AS owner, c.relpersistence,
         am.amname = 'heap' AS "isHeap", c.relispartition AS "isPartition",
         root.nspname AS "rootSchema", root.relname AS "rootName",
         main.bytes / pg_catalog.current_setting('block_size')::pg_catalog.int8 AS blocks,
         main.bytes + CASE WHEN main.bytes = 0 OR c.reltoastrelid = 0 THEN 0
           ELSE coalesce(pg_catalog.pg_relation_size(c.reltoastrelid), 0) END AS bytes,
         ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND a.attgenerated = '' ORDER BY a.attnum) AS columns
    FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS given(oid)
    JOIN pg_catalog.pg_class c ON c.oid = given.oid
    CROSS JOIN LATERAL (SELECT coalesce(pg_catalog.pg_relation_size(c.oid), 0) AS bytes OFFSET 0) main
    LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
    LEFT JOIN root ON root.leaf = c.oid
   ORDER BY c.oid`;
