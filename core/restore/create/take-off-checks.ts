/** Takes CHECK constraints that depend on functions of the database's own off, after writing them down (deferred-checks.ts). */
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';
import {
  type DeferredCheck,
  type DeferredCheckDeps,
  writeDeferredChecks,
} from '../deferred-checks.ts';
import { once } from '../progress.ts';
import { statementError } from './statement-error.ts';

type Run = Pick<RestoreRun, 'runId' | 'input' | 'backup' | 'workDatabase'>;

const item = 'definitions:checks';

/** After all of pre-data. @returns how many are off */
export async function takeOffChecks(
  deps: DeferredCheckDeps,
  run: Run,
  session: Session,
): Promise<number> {
  const found = await findChecks(session);
  const checks = await writeDeferredChecks(deps, run, found);
  const { batchObjects } = run.input.options;
  for (let from = 0; from < checks.length; from += batchObjects) {
    await once(session, run, `${item}:${from / batchObjects}`, async () => {
      for (const check of checks.slice(from, from + batchObjects)) {
        try {
          await session.query(dropStatement(check));
        } catch (error) {
          throw statementError(error, `CHECK CONSTRAINT ${check.name}`, 'nothing');
        }
      }
      return 0;
    });
  }
  return checks.length;
}

export function dropStatement({ schema, table, domain, name }: DeferredCheck): string {
  const owner = `${identifier(schema)}.${identifier(table ?? domain ?? '')}`;
  const kind = domain === null ? 'TABLE' : 'DOMAIN';
  return `ALTER ${kind} ${owner} DROP CONSTRAINT ${identifier(name)}`;
}

/**
 * Also behind an operator. What a table only inherits goes and comes with its parent's; by depth, because a child's
 * cannot be taken off before its parent's. Those of a domain that is inside a column's array, composite or range stay:
 * PostgreSQL would refuse to validate them ("cannot alter type … because column … uses it").
 */
export const findChecks = (session: Session): Promise<DeferredCheck[]> =>
  session.query<DeferredCheck>(`
    WITH RECURSIVE level (relation, depth) AS (
      SELECT c.oid, 0 FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'f')
      UNION
      SELECT i.inhrelid, l.depth + 1 FROM level l JOIN pg_catalog.pg_inherits i ON i.inhparent = l.relation
    ), depths AS (
      SELECT relation, pg_catalog.max(depth) AS depth FROM level GROUP BY relation
    ), own AS (
      SELECT p.oid FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname <> 'pg_catalog'
    ), called AS (
      SELECT d.objid AS oid FROM pg_catalog.pg_depend d
        LEFT JOIN pg_catalog.pg_operator o
          ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
       WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
         AND CASE d.refclassid WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN d.refobjid
                               ELSE o.oprcode END IN (SELECT oid FROM own)
    ), within (domain, type, is_inside) AS (
      SELECT k.contypid, k.contypid, false FROM pg_catalog.pg_constraint k
       WHERE k.contype = 'c' AND k.contypid <> 0 AND k.oid IN (SELECT oid FROM called)
      UNION
      SELECT w.domain, part.type, w.is_inside OR part.is_inside FROM within w CROSS JOIN LATERAL (
        SELECT t.oid, false FROM pg_catalog.pg_type t WHERE t.typtype = 'd' AND t.typbasetype = w.type
        UNION ALL
        SELECT t.oid, true FROM pg_catalog.pg_type t WHERE t.typelem = w.type AND t.typcategory = 'A'
        UNION ALL
        SELECT c.reltype, true FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         WHERE a.atttypid = w.type AND NOT a.attisdropped AND c.reltype <> 0
        UNION ALL
        SELECT pg_catalog.unnest(ARRAY[r.rngtypid, r.rngmultitypid]), true FROM pg_catalog.pg_range r
         WHERE r.rngsubtype = w.type
      ) AS part (type, is_inside)
    ), inside AS (
      SELECT w.domain FROM within w
        JOIN pg_catalog.pg_attribute a ON a.atttypid = w.type AND NOT a.attisdropped
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm')
       WHERE w.is_inside
    )
    SELECT n.nspname AS schema, c.relname AS table, t.typname AS domain, k.conname AS name,
           pg_catalog.pg_get_constraintdef(k.oid) AS definition,
           pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment,
           k.conislocal AS "isLocal", k.connoinherit AS "isNoInherit"
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
      LEFT JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
      LEFT JOIN depths ON depths.relation = k.conrelid
      LEFT JOIN pg_catalog.pg_type t ON t.oid = k.contypid
     WHERE k.contype = 'c' AND k.conislocal AND k.oid IN (SELECT oid FROM called)
       AND k.contypid NOT IN (SELECT domain FROM inside)
       AND n.nspname NOT IN ('pg_catalog', 'information_schema')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                        WHERE e.deptype = 'e' AND e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                          AND (e.classid, e.objid) IN (('pg_catalog.pg_class'::pg_catalog.regclass, k.conrelid),
                                                       ('pg_catalog.pg_type'::pg_catalog.regclass, k.contypid)))
     ORDER BY depths.depth NULLS FIRST, n.nspname, 2, 3, k.conname`);
